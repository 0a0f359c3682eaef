"""Episodes to LeRobot and back: by our reader, by the format's own words, by the real package."""

import json
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from recorded_cell import INTERFACES as INTERFACE_FILES
from recorded_cell import START_NS, STEP_NS, Script, pixels, record

from chef_trainer.episodes import EpisodeFileError
from chef_trainer.episodes.step_index import load_steps
from chef_trainer.exchange import lerobot_layout as layout
from chef_trainer.exchange.lerobot import export
from chef_trainer.exchange.lerobot_reader import LeRobotDataset, import_episodes
from chef_trainer.exchange.messages import INTERFACES
from chef_trainer.exchange.trajectory import OBJECTS, PROPRIOCEPTION
from chef_trainer.task.rewards import REWARD_NAMES

pyarrow = pytest.importorskip('pyarrow', reason='only the exchange with LeRobot needs it')
parquet = pytest.importorskip('pyarrow.parquet')
pytest.importorskip('av', reason='only the exchange with LeRobot needs it')
OBSERVATIONS = (*PROPRIOCEPTION, *OBJECTS)
CAMERAS = ('back', 'front')
STEPS = (12, 7)
#: A Python that has the real package, where this one is too old for it.
PYTHON = os.environ.get('LEROBOT_PYTHON') or (sys.executable if find_spec('lerobot') else '')


@pytest.fixture(scope='module')
def episodes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp('episodes')
    return [
        record(folder, Script(index, steps, CAMERAS, {'success': index == 1, 'source': 'human'}))
        for index, steps in enumerate(STEPS)
    ]


def never(error: EpisodeFileError) -> None:
    raise error


@pytest.fixture(scope='module', params=['h264', 'png'])
def exported(
    request: pytest.FixtureRequest, episodes: list[Path], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    folder = tmp_path_factory.mktemp(request.param) / 'set'
    assert export(episodes, folder, OBSERVATIONS, request.param, never) == len(STEPS)
    return folder


def test_what_was_written_is_what_the_info_says(exported: Path) -> None:
    info = json.loads((exported / layout.INFO_PATH).read_text())
    assert info['codebase_version'] == 'v3.0'
    assert (info['total_episodes'], info['total_frames']) == (2, sum(STEPS))
    assert info['splits'] == {'train': '0:2'}
    assert info['features']['action']['names'] == ['x', 'y', 'z', 'yaw', 'gripper']
    state = info['features'][layout.STATE]['names']
    assert state[:8] == [*(f'joint_position.{i}' for i in range(7)), 'joint_velocity.0']
    data = parquet.read_table(exported / 'data/chunk-000/file-000.parquet')
    stored = {n: f for n, f in info['features'].items() if f['dtype'] != 'video'}
    assert data.column_names == list(stored)
    for name, entry in stored.items():
        kind = data.schema.field(name).type
        if entry['dtype'] == 'image':
            assert {field.name for field in kind} == {'bytes', 'path'}
        elif entry['shape'] == [1]:
            assert kind == pyarrow.from_numpy_dtype(entry['dtype'])
        else:
            assert kind.list_size == entry['shape'][0]
    assert data['index'].to_pylist() == list(range(sum(STEPS)))
    assert data['next.done'].to_pylist() == [s == n - 1 for n in STEPS for s in range(n)]
    assert sum(data['next.success'].to_pylist()) == 1
    assert data['next.success'].to_pylist()[-1]


def test_episodes_say_where_they_lie_and_statistics_are_right(exported: Path) -> None:
    info = json.loads((exported / layout.INFO_PATH).read_text())
    rows = parquet.read_table(exported / layout.EPISODES_PATH).to_pylist()
    assert [row['length'] for row in rows] == list(STEPS)
    assert [row['dataset_from_index'] for row in rows] == [0, STEPS[0]]
    statistics = json.loads((exported / layout.STATS_PATH).read_text())
    assert statistics.keys() == info['features'].keys()
    data = parquet.read_table(exported / 'data/chunk-000/file-000.parquet')
    actions = np.array(data['action'].to_pylist())
    assert statistics['action']['mean'] == pytest.approx(actions.mean(0).tolist(), abs=1e-6)
    assert statistics['action']['std'] == pytest.approx(actions.std(0).tolist(), abs=1e-6)
    assert statistics['action']['max'] == actions.max(0).tolist()
    assert statistics['action']['count'] == [sum(STEPS)]
    red = np.array(statistics['observation.images.front']['mean'])
    assert red.shape == (3, 1, 1)
    for camera in CAMERAS:
        key = f'videos/observation.images.{camera}'
        if info['features'][f'observation.images.{camera}']['dtype'] == 'video':
            assert (exported / f'{key}/chunk-000/file-000.mp4').stat().st_size > 0
            assert rows[1][f'{key}/from_timestamp'] == STEPS[0] / 20
            assert rows[1][f'{key}/to_timestamp'] == sum(STEPS) / 20
    names = {name.split('/')[1] for name in rows[0] if name.startswith('stats/')}
    assert names == info['features'].keys()
    tasks = parquet.read_table(exported / layout.TASKS_PATH)
    assert json.loads(tasks.schema.metadata[b'pandas'])['index_columns'] == ['task']


def test_the_round_trip_keeps_everything_but_the_last_transition(
    exported: Path, episodes: list[Path], tmp_path: Path
) -> None:
    dataset = LeRobotDataset(exported)
    files = list(import_episodes(dataset, tmp_path, {'triplet': '3'}))
    assert len(files) == len(dataset) == 2
    lossless = dataset.features['observation.images.front']['dtype'] == 'image'
    for number, (before, after) in enumerate(zip(episodes, files, strict=True)):
        old, new = load_steps(before), load_steps(after)
        assert len(new) == len(old) - 1
        for name in ('stamp', *OBSERVATIONS, 'rewards', 'intention'):
            np.testing.assert_allclose(
                new.table[name], old.table[name][:-1], atol=2e-6, err_msg=name
            )
        np.testing.assert_allclose(new.table['action'][:-1], old.table['action'][:-2], atol=1e-6)
        metadata = {k: v for k, v in new.metadata.items() if k in ('success', 'source', 'policy')}
        assert metadata == {'success': number == 1, 'source': 'human', 'policy': 'tiny'}
        recording = dataset.recording(number, {})
        for row, frame in enumerate(recording.images['front']):
            truth = pixels(Script(number, STEPS[number], CAMERAS), row, 1)
            error = np.abs(frame.astype(int) - truth)
            assert error.max() == 0 if lossless else error.mean() < 3
        assert row == STEPS[number] - 1


def test_stamps_are_those_of_the_measurement(exported: Path) -> None:
    data = parquet.read_table(exported / 'data/chunk-000/file-000.parquet')
    stamps = data['chef.stamp'].to_pylist()[: STEPS[0]]
    assert stamps == [START_NS + step * STEP_NS for step in range(STEPS[0])]
    rewards = np.array(data['chef.rewards'].to_pylist())
    whole = np.array(data['next.reward'].to_pylist())
    np.testing.assert_array_equal(rewards[:, REWARD_NAMES.index('stack_leave')], whole)


def test_an_episode_without_what_is_asked_for_is_left_out_and_named(tmp_path: Path) -> None:
    def unseen(topic: str, fields: dict, stamp: int) -> dict | None:
        late = topic.endswith('front/image_raw') and stamp > START_NS + 5 * STEP_NS
        return None if late else fields

    whole = record(tmp_path, Script(0, 12, ('front',)))
    blind = record(tmp_path, Script(1, 12, ('front',), change=unseen))
    other = record(tmp_path, Script(2, 12, ('back',)))
    refused: list[EpisodeFileError] = []
    count = export([whole, blind, other], tmp_path / 'set', ('wrench',), 'png', refused.append)

    assert count == 1
    assert [error.path for error in refused] == [blind, other]
    assert 'has no image at step 10' in str(refused[0])
    assert 'not as in the first episode' in str(refused[1])


def test_nothing_is_left_of_an_export_that_fails(episodes: list[Path], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"unknown observations \['wrench_z'\]"):
        export(episodes, tmp_path / 'set', ('wrench_z',), 'png', never)
    refused: list[EpisodeFileError] = []
    broken = tmp_path / 'broken.mcap'
    broken.write_bytes(b'no episode')
    with pytest.raises(ValueError, match='no episode to export'):
        export([broken], tmp_path / 'set', ('wrench',), 'png', refused.append)
    assert list(tmp_path.iterdir()) == [broken]
    (tmp_path / 'set').mkdir()
    with pytest.raises(FileExistsError, match='choose another folder'):
        export(episodes, tmp_path / 'set', ('wrench',), 'png', never)


def _damage(folder: Path, path: str, change: str) -> None:
    file = folder / path
    file.write_text(re.sub(*change.split('|'), file.read_text(), count=1))


@pytest.mark.parametrize(
    ('change', 'words'),
    [
        ('v3.0|v2.1', "codebase_version: is 'v2.1', this software reads v3.0"),
        ('"gripper"|"jaw"', 'action: names'),
        ('joint_position|elbow', 'observation.state: does not name joint_position'),
        (r'\{|', 'cannot be read'),
    ],
)
def test_a_data_set_that_is_not_for_this_cell_says_why(
    episodes: list[Path], tmp_path: Path, change: str, words: str
) -> None:
    export(episodes[:1], tmp_path / 'set', ('joint_position',), 'png', never)
    _damage(tmp_path / 'set', layout.INFO_PATH, change)

    with pytest.raises(EpisodeFileError, match=re.escape(words)):
        LeRobotDataset(tmp_path / 'set')


def test_our_messages_are_those_of_the_interface_package() -> None:
    for name, text in INTERFACES.items():
        lines = (INTERFACE_FILES / f'{name}.msg').read_text().splitlines()
        bare = [' '.join(line.split('#')[0].split()) for line in lines]
        assert [line for line in bare if line] == text.splitlines()


_LOAD = """
import json, sys
from lerobot.datasets.lerobot_dataset import LeRobotDataset
data = LeRobotDataset('local/set', root=sys.argv[1], video_backend='pyav')
rows = [data[i] for i in range(len(data))]
print('ROWS', json.dumps({
    'episodes': data.num_episodes,
    'action': [row['action'].tolist() for row in rows],
    'stamp': [int(row['chef.stamp']) for row in rows],
    'task': rows[0]['task'],
    'image': [
        [round(float(row['observation.images.front'][c].mean()), 4) for c in range(3)]
        for row in rows
    ],
}))
"""


@pytest.mark.skipif(
    not PYTHON, reason='lerobot is not installed; LEROBOT_PYTHON names a Python that has it'
)
def test_the_real_package_reads_it(exported: Path, episodes: list[Path]) -> None:
    result = subprocess.run(
        [PYTHON, '-c', _LOAD, str(exported)],
        env={**os.environ, 'HF_HUB_OFFLINE': '1', 'PYTHONPATH': ''},
        capture_output=True,
        text=True,
        timeout=110,
    )
    lines = [line for line in result.stdout.splitlines() if line.startswith('ROWS ')]
    assert lines, result.stderr
    found = json.loads(lines[0].removeprefix('ROWS '))

    tables = [load_steps(path).table for path in episodes]
    assert found['episodes'] == 2
    assert found['task'].startswith('stack the red object')
    actions = np.concatenate([table['action'][:-1] for table in tables])
    np.testing.assert_allclose(found['action'], actions, atol=1e-6)
    assert found['stamp'] == [s for table in tables for s in table['stamp'][:-1].tolist()]
    truth = [
        pixels(Script(index, steps, CAMERAS), row, 1).reshape(-1, 3).mean(0) / 255
        for index, steps in enumerate(STEPS)
        for row in range(steps)
    ]
    np.testing.assert_allclose(found['image'], truth, atol=0.02)
