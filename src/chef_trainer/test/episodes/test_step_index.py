"""The index beside an episode saves time and changes nothing."""

import json
import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from recorded_cell import Script, record

from chef_trainer.episodes import EpisodeFileError, Label, add_label, step_index
from chef_trainer.episodes.step_index import index_file, load_steps
from chef_trainer.episodes.steps import Steps


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    """A short episode with a camera."""
    return record(tmp_path, Script(steps=3, cameras=('front',)))


def same(first: Steps, second: Steps) -> bool:
    """Nothing differs, nan being equal to nan."""
    return (
        first.table.tobytes() == second.table.tobytes()
        and first.table.dtype == second.table.dtype
        and dict(first.metadata) == dict(second.metadata)
        and first.cameras == second.cameras
    )


def test_an_episode_is_aligned_once(episode: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_steps(episode)
    monkeypatch.setattr(step_index, 'align', None)
    assert same(load_steps(episode), first)
    assert same(load_steps(episode.parent), first)
    assert index_file(episode).stat().st_mode & 0o777 == 0o644


def test_nothing_is_kept_when_it_is_not_wanted(episode: Path) -> None:
    load_steps(episode, keep=False)
    assert not index_file(episode).exists()


def test_labels_make_a_new_index(episode: Path) -> None:
    assert load_steps(episode).metadata['success'] is False
    add_label(episode, Label(author='tester', success=True))
    assert load_steps(episode).metadata['success'] is True


def test_another_file_of_the_same_name_makes_a_new_index(tmp_path: Path, episode: Path) -> None:
    load_steps(episode)
    other = record(tmp_path / 'other', Script(steps=5, cameras=('front',)))
    os.replace(other, episode)
    assert len(load_steps(episode)) == 5


def test_an_index_of_another_version_is_made_again(
    episode: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    load_steps(episode)
    before = index_file(episode).read_bytes()
    monkeypatch.setattr(step_index, 'VERSION', step_index.VERSION + 1)
    load_steps(episode)
    with np.load(index_file(episode)) as archive:
        assert json.loads(bytes(archive['about']))['of']['version'] == step_index.VERSION
    assert index_file(episode).read_bytes() != before


def test_a_broken_episode_leaves_no_index(episode: Path) -> None:
    episode.write_bytes(episode.read_bytes()[:-20])
    with pytest.raises(EpisodeFileError, match='cut short'):
        load_steps(episode)
    assert not index_file(episode).exists()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_a_mutated_index_is_made_again(episode: Path, data: st.DataObject) -> None:
    expected = load_steps(episode)
    content = bytearray(index_file(episode).read_bytes())
    cut = data.draw(st.integers(0, len(content)))
    if data.draw(st.booleans()):
        content = content[:cut]
    for _ in range(data.draw(st.integers(1, 4))):
        if content:
            at = data.draw(st.integers(0, len(content) - 1))
            content[at] = data.draw(st.integers(0, 255))
    index_file(episode).write_bytes(content)
    assert same(load_steps(episode), expected)
    assert same(load_steps(episode), expected)
