"""Nothing is deleted unless asked for, the oldest goes first, and what went is said."""

import json
import os
import time
from pathlib import Path

import pytest

from chef_trainer.episodes import Retention

DAY = 86_400


def make(root: Path, name: str, age_days: float, size: int = 1000) -> Path:
    path = root / name / f'{Path(name).name}.mcap'
    path.parent.mkdir(parents=True)
    path.write_bytes(bytes(size))
    path.with_name('metadata.yaml').write_bytes(bytes(10))
    then = time.time() - age_days * DAY
    os.utime(path, (then, then))
    return path


@pytest.fixture
def store(tmp_path: Path) -> dict[str, Path]:
    ages = {'a/0': 9.0, 'a/1': 8.0, 'b/0': 3.0, 'now/0': 20.0}
    return {name: make(tmp_path, name, age) for name, age in ages.items()}


def left(root: Path) -> set[str]:
    return {str(path.parent.relative_to(root)) for path in root.rglob('*.mcap')}


def test_everything_is_kept_by_default(store: dict[str, Path], tmp_path: Path) -> None:
    assert Retention().apply(tmp_path, tmp_path / 'now') == ()
    assert left(tmp_path) == set(store)
    assert not (tmp_path / 'deleted.jsonl').exists()


def test_the_oldest_go_until_the_quota_holds(store: dict[str, Path], tmp_path: Path) -> None:
    removals = Retention(quota_bytes=2100).apply(tmp_path, tmp_path / 'now')
    assert [removal.path for removal in removals] == [store['a/0'], store['a/1']]
    assert 'over the quota' in str(removals[0])
    assert left(tmp_path) == {'b/0', 'now/0'}
    assert not store['a/0'].parent.exists()
    rows = [json.loads(line) for line in (tmp_path / 'deleted.jsonl').read_text().splitlines()]
    assert [(row['path'], row['bytes']) for row in rows] == [
        ('a/0/0.mcap', 1010), ('a/1/1.mcap', 1010),
    ]  # fmt: skip


def test_age_is_a_limit_of_its_own(store: dict[str, Path], tmp_path: Path) -> None:
    removals = Retention(keep_days=8.5).apply(tmp_path, tmp_path / 'now')
    assert [str(removal.reason) for removal in removals] == ['older than 8.5 days']
    assert left(tmp_path) == {'a/1', 'b/0', 'now/0'}


def test_the_running_session_and_unfinished_files_stay(tmp_path: Path) -> None:
    make(tmp_path, 'now/0', 20.0)
    active = make(tmp_path, 'a/0', 20.0)
    active.rename(active.with_name('0.mcap.active'))
    assert Retention(quota_bytes=1, keep_days=1.0).apply(tmp_path, tmp_path / 'now') == ()
