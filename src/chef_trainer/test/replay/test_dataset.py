"""Batches hold what the definition of a transition says, computed here the slow way."""

import io
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recorded_cell import SIZE, START_NS, STEP_NS, Script, joints, pixels, record

from chef_trainer.episodes.step_index import load_steps
from chef_trainer.replay import Dataset
from chef_trainer.spec import ObservationSpec
from chef_trainer.task.observe import ObservationError, observation_specs
from chef_trainer.task.rewards import REWARD_NAMES

CAMERAS = ('back', 'front')
IMAGES = tuple(f'image/{camera}' for camera in CAMERAS)
GAMMA = 0.9


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three episodes; the second one ended by force."""
    folder = tmp_path_factory.mktemp('episodes')
    for index, steps in enumerate((12, 7, 9)):
        outcome = 'force' if index == 1 else 'timeout'
        metadata = {'outcome': outcome, 'success': index == 2}
        record(folder, Script(index, steps, CAMERAS, metadata))
    return folder


def every_row(dataset: Dataset) -> np.ndarray:
    return np.concatenate([episode.starts for episode in dataset.episodes])


@pytest.mark.parametrize('n_step', [1, 3, 100])
def test_n_step_transitions_against_the_definition(folder: Path, n_step: int) -> None:
    dataset = Dataset.open(folder)
    batch = dataset.gather(every_row(dataset), n_step, GAMMA, reward='open')
    assert len(batch.action) == len(dataset) == 12 + 7 + 9
    at = 0
    for episode in dataset.episodes:
        table = load_steps(episode.path).table
        for step in range(episode.steps):
            taken = min(n_step, episode.steps - step)
            rewards = sum(GAMMA**k * table['rewards'][step + 1 + k] for k in range(taken))
            ended = episode.metadata['outcome'] == 'force' and step + taken == episode.steps
            np.testing.assert_allclose(batch.rewards[at], rewards, rtol=1e-6)
            assert batch.reward[at] == batch.rewards[at, REWARD_NAMES.index('open')]
            assert batch.discount[at] == pytest.approx(0.0 if ended else GAMMA**taken)
            assert np.array_equal(batch.action[at], table['action'][step])
            assert batch.force[at] == table['force'][step + 1]
            for name in ('tool_pose', 'previous_action'):
                assert np.array_equal(batch.observation[name][at], table[name][step])
                assert np.array_equal(batch.next_observation[name][at], table[name][step + taken])
            at += 1


def test_history_begins_with_the_first_frame_of_each_episode(folder: Path) -> None:
    specs = (*observation_specs(('joint_position',), history=4), *observation_specs(('wrench',)))
    dataset = Dataset.open(folder, specs)
    batch = dataset.gather(every_row(dataset))
    at = 0
    for index, episode in enumerate(dataset.episodes):
        for step in range(episode.steps):
            ticks = [5 * max(step - lag, 0) for lag in range(4)]
            expected = np.float32([joints(Script(index), tick) for tick in ticks])
            assert np.array_equal(batch.observation['joint_position'][at], expected)
            assert batch.observation['wrench'][at].shape == (6,)
            at += 1


def test_images_are_read_in_place(folder: Path) -> None:
    image = ObservationSpec(IMAGES[0], (SIZE, SIZE, 3), '1', 'uint8', history=2)
    dataset = Dataset.open(folder, (image, *observation_specs(IMAGES[1:])))
    rows = every_row(dataset)[::-1]  # in an order of our own
    batch = dataset.gather(rows, n_step=2)
    at = len(rows) - 1
    for index, episode in enumerate(dataset.episodes):
        script = Script(index)
        for step in range(episode.steps):
            back, front = (batch.observation[name][at] for name in IMAGES)
            assert np.array_equal(back[0], pixels(script, step, 0))
            assert np.array_equal(back[1], pixels(script, max(step - 1, 0), 0))
            assert np.array_equal(front, pixels(script, step, 1))
            after = min(step + 2, episode.steps)
            assert np.array_equal(batch.next_observation[IMAGES[1]][at], pixels(script, after, 1))
            at -= 1
    only = dataset.sample(4, np.random.default_rng(0), images=IMAGES[1:], next_observation=False)
    assert set(only.observation) == {IMAGES[1]}
    assert only.next_observation == {}
    with pytest.raises(ValueError, match=r"\['image/side'\] were not opened, only"):
        dataset.sample(4, np.random.default_rng(0), images=('image/side',))


def test_a_set_larger_than_memory_gives_the_same(folder: Path) -> None:
    mapped = Dataset.open(folder, observation_specs(IMAGES))
    read = Dataset.open(folder, observation_specs(IMAGES), memory=0.0)
    rows = every_row(mapped)
    first, second = (dataset.gather(rows).observation for dataset in (mapped, read))
    assert all(np.array_equal(first[name], second[name]) for name in IMAGES)
    assert not read._store.files.mapped


def test_windows_are_consecutive_and_uniform(folder: Path) -> None:
    dataset = Dataset.open(folder, observation_specs(('joint_position', *IMAGES)))
    window = dataset.windows(5, np.random.default_rng(0), 8)
    assert window.observation['joint_position'].shape == (5, 8, 7)
    assert window.observation[IMAGES[0]].shape == (5, 8, SIZE, SIZE, 3)
    assert window.action.shape == (5, 8, 5)
    assert window.rewards.shape == (5, 8, 6)
    whole = dataset.gather(window.row)
    assert np.array_equal(window.action[:, 0], whole.action)
    assert np.array_equal(window.observation[IMAGES[1]][:, 0], whole.observation[IMAGES[1]])
    # 5 pieces fit into 12 steps, 2 into 9, none into 7.
    many = dataset.windows(400, np.random.default_rng(0), 8, images=())
    assert set(many.row) == {0, 1, 2, 3, 4, 21, 22}
    ended = dataset.windows(64, np.random.default_rng(0), 7, images=())
    assert np.array_equal(ended.discount.min(axis=1) == 0, ended.row == 13)
    with pytest.raises(ValueError, match='no 13 consecutive steps in 28 transitions'):
        dataset.windows(1, np.random.default_rng(0), 13)


def test_the_same_seed_draws_the_same_and_all_are_as_likely(folder: Path) -> None:
    dataset = Dataset.open(folder)
    first, second = (dataset.sample(2800, np.random.default_rng(7)) for _ in range(2))
    assert np.array_equal(first.row, second.row)
    counts = np.bincount(first.row, minlength=31)[every_row(dataset)]
    assert counts.sum() == 2800
    assert counts.min() > 60
    assert counts.max() < 150


def test_a_gap_or_a_bad_step_breaks_the_run(tmp_path: Path) -> None:
    def change(topic: str, fields: dict, stamp: int) -> dict | None:
        step = (stamp - START_NS) // STEP_NS
        if topic == '/cell/command' and step in (3, 4):
            return None
        if topic == '/cell/objects' and step == 8:
            fields['objects'][2].valid = False
        return fields

    record(tmp_path, Script(change=change))
    dataset = Dataset.open(tmp_path)
    rows = every_row(dataset)
    # Rows are steps 0 1 2 | 5 6 7 | (8) | 9 10 11 12: a transition needs both its ends.
    assert rows.tolist() == [0, 1, 3, 4, 7, 8, 9]
    batch = dataset.gather(rows, n_step=9, discount=GAMMA)
    np.testing.assert_allclose(batch.discount, GAMMA ** np.array([2, 1, 2, 1, 3, 2, 1]), rtol=1e-6)
    # Without the object it is a step like any other.
    blind = Dataset.open(tmp_path, observation_specs(('joint_position',)))
    assert len(blind) == len(dataset) + 2


def test_jpeg_is_decoded(tmp_path: Path) -> None:
    def compress(image: np.ndarray) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, 'jpeg', quality=95, subsampling=0)
        return stream.getvalue()

    record(tmp_path, Script(cameras=CAMERAS, compressed=compress))
    dataset = Dataset.open(tmp_path, observation_specs(IMAGES))
    batch = dataset.gather(np.arange(12))
    for step in range(12):
        expected = np.asarray(Image.open(io.BytesIO(compress(pixels(Script(), step, 1)))))
        assert np.array_equal(batch.observation[IMAGES[1]][step], expected)


def test_one_bad_file_does_not_spoil_the_set(folder: Path, tmp_path: Path) -> None:
    for index in (4, 5):
        record(tmp_path, Script(index, cameras=CAMERAS))
    record(tmp_path, Script(6, cameras=CAMERAS[:1]))
    record(tmp_path, Script(7, cameras=CAMERAS, metadata={'marks': ['lossy']}))
    record(tmp_path / 'again', Script(4, cameras=CAMERAS))
    (tmp_path / 'cut.mcap').write_bytes(b'\x89MCAP0\r\n' + b'x' * 100)
    (tmp_path / 'notes.mcap').write_text('shopping list')
    dataset = Dataset.open((folder, tmp_path), observation_specs(('wrench', *IMAGES)))
    assert len(dataset.episodes) == 5
    assert [str(error).partition(': ')[2] for error in dataset.refused] == [
        "image/front: was not recorded, only ['image/back']; leave this observation out",
        "marks: ['lossy']; look at it and clear the marks (chef-data relabel), or ask for "
        'marked ones',
        f'episode_id: episode4 is that of {tmp_path}/0004_episode4/0004_episode4.mcap, too; '
        'delete the copy',
        'end of file: is missing: the file was cut short; chef-data recover saves what is whole',
        'file: is not an MCAP file; only files of the CHEF recorder hold episodes',
    ]
    marked = Dataset.open(tmp_path, marked=True, select=lambda metadata: bool(metadata['marks']))
    assert len(marked.episodes) == 1


def test_what_cannot_be_asked_for_is_said_at_once(folder: Path, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ObservationError, match='smell: unknown observation'):
        Dataset.open(folder, observation_specs(('smell',)))
    with pytest.raises(ValueError, match='no transitions in'):
        Dataset.open(tmp_path).sample(1, rng)
    dataset = Dataset.open(folder)
    with pytest.raises(ValueError, match="reward 'joy', allowed"):
        dataset.sample(1, rng, reward='joy')
    with pytest.raises(ValueError, match=r'n_step 0, discount 0.99: at least 1'):
        dataset.sample(1, rng, n_step=0)
