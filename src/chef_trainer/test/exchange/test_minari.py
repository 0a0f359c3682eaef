"""Episodes to Minari, read back by Minari itself."""

from pathlib import Path

import numpy as np
import pytest
from recorded_cell import Script, record

from chef_trainer.episodes import EpisodeFileError
from chef_trainer.episodes.step_index import load_steps
from chef_trainer.exchange.minari import export

minari = pytest.importorskip('minari', reason='only the exchange with Minari needs it')
pytest.importorskip('h5py', reason='only the exchange with Minari needs it')

OBSERVATIONS = ('joint_position', 'wrench', 'red_pose')


def never(error: EpisodeFileError) -> None:
    raise error


def test_minari_reads_what_was_recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    metadata = {'outcome': 'force', 'seed': 7}
    files = [record(tmp_path / 'e', Script(0)), record(tmp_path / 'e', Script(1, 5, (), metadata))]
    count = export(files, tmp_path / 'sets' / 'stacking-v0', OBSERVATIONS, never)
    monkeypatch.setenv('MINARI_DATASETS_PATH', str(tmp_path / 'sets'))
    dataset = minari.load_dataset('stacking-v0')

    assert count == dataset.total_episodes == 2
    for episode, file in zip(dataset, files, strict=True):
        table = load_steps(file).table
        for name in OBSERVATIONS:
            np.testing.assert_array_equal(episode.observations[name], table[name])
        np.testing.assert_array_equal(episode.actions, table['action'][:-1])
        np.testing.assert_array_equal(episode.rewards, table['rewards'][1:, -1])
    first, second = dataset[0], dataset[1]
    assert (first.truncations[-1], first.terminations[-1]) == (True, False)
    assert (second.truncations[-1], second.terminations[-1]) == (False, True)
    (about,) = dataset.storage.get_episode_metadata([1])
    assert (about['episode_id'], about['outcome']) == ('episode1', 'force')


def test_nothing_is_left_of_an_export_that_fails(tmp_path: Path) -> None:
    file = record(tmp_path / 'e', Script(0))
    with pytest.raises(ValueError, match="'set' is no Minari id"):
        export([file], tmp_path / 'set', OBSERVATIONS, never)
    with pytest.raises(ValueError, match='unknown observations'):
        export([file], tmp_path / 'set-v0', ('elbow',), never)
    assert [item.name for item in tmp_path.iterdir()] == ['e']
