"""The loader's bench runs with whatever peers are installed, and reads what was recorded."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from recorded_cell import Script, pixels, record

from chef_trainer.bench import contenders, loading
from chef_trainer.bench.sets import multiply
from chef_trainer.episodes import EpisodeReader
from chef_trainer.replay import Dataset
from chef_trainer.task.observe import IMAGE_PREFIX, observation_specs

SCRIPT = Script(steps=6, cameras=tuple(name.removeprefix(IMAGE_PREFIX) for name in loading.IMAGES))


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """One short episode with three cameras."""
    return record(tmp_path / 'source', SCRIPT)


@pytest.mark.parametrize('jpeg', [False, True])
def test_copies_are_episodes_of_their_own_with_the_same_content(
    source: Path, tmp_path: Path, jpeg: bool
) -> None:
    folder = multiply([source], tmp_path / 'copies', 3, jpeg)
    dataset = Dataset.open(folder, observation_specs(('wrench', *loading.IMAGES)))
    assert (len(dataset.episodes), dataset.refused) == (3, ())
    batch = dataset.gather(np.arange(6))
    for number, name in enumerate(loading.IMAGES):
        expected = np.array([pixels(SCRIPT, step, number) for step in range(6)])
        difference = np.abs(batch.observation[name].astype(int) - expected)
        assert difference.mean() < (3.0 if jpeg else 1e-9)
    topics = EpisodeReader(next(folder.rglob('*.mcap'))).topics
    assert any(topic.endswith('/compressed') for topic in topics) == jpeg


def test_the_floor_holds_the_same_pixels(source: Path, tmp_path: Path) -> None:
    dataset = Dataset.open(source, observation_specs(('wrench', *loading.IMAGES)))
    steps = contenders.Steps(dataset, loading.IMAGES)
    floor = contenders.plain_memmap(tmp_path, steps)
    drawn = floor.images(50, np.random.default_rng(0))
    recorded = {pixels(SCRIPT, step, 0).tobytes() for step in range(6)}
    assert {image[0].tobytes() for image in drawn} <= recorded
    assert floor.windows(2, np.random.default_rng(0)).shape == (2, 2, 3, 128, 128, 3)


def test_absent_peers_are_listed(
    source: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for package in ('h5py', 'torchrl', 'lerobot'):
        monkeypatch.setitem(sys.modules, package, None)  # as if it were not installed
    monkeypatch.setattr(loading, 'BLOCK', 0.0)
    numbers = tmp_path / 'numbers.json'
    words = [str(source), '--copies', '1', '--rounds', '1', '--json', str(numbers)]
    monkeypatch.setattr(sys, 'argv', ['loading', *words])
    assert loading.main() == 0
    lines = [line for line in capsys.readouterr().err.splitlines() if line.startswith('absent')]
    assert [line.split(':')[1].strip() for line in lines] == [
        'h5py', 'torchrl', 'LeRobotDataset, video', 'LeRobotDataset, images'
    ]  # fmt: skip
    stores = json.loads(numbers.read_text())['stores']
    assert set(stores) == {
        'episode files, raw images', 'the same, read from the disk',
        'episode files, JPEG 90 4:4:4', 'np.memmap',
    }  # fmt: skip
    assert all(store['images']['samples_per_second'] > 0 for store in stores.values())
