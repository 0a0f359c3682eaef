"""Episodes reach the replay while they are being recorded, whole or not at all."""

import multiprocessing
import os
import time
from pathlib import Path

import numpy as np
from recorded_cell import Script, pixels, record
from streaming import DEADLINE, EPISODES, SPECS, STEPS, read_until_all, script, write_all

from chef_trainer.episodes import EpisodeWriter, Label, add_label
from chef_trainer.episodes.step_index import index_file
from chef_trainer.replay import Dataset, following


def test_an_episode_is_there_at_the_first_look_after_its_end(tmp_path: Path) -> None:
    dataset = Dataset.open(tmp_path, SPECS)
    written: list[EpisodeWriter] = []

    def watching(topic: str, fields: dict, stamp: int) -> dict:
        if not written:  # once, in the middle of the recording
            written.append(dataset.refresh())
        return fields

    record(tmp_path, Script(0, STEPS, ('front',), change=watching))
    assert written == [0]
    assert dataset.refresh() == 1
    assert dataset.refresh() == 0
    assert len(dataset.sample(3, np.random.default_rng(0)).action) == 3


def test_one_writer_and_many_readers(tmp_path: Path) -> None:
    context = multiprocessing.get_context('spawn')
    done = context.Queue()
    workers = [context.Process(target=write_all, args=(str(tmp_path),))]
    workers += [
        context.Process(target=read_until_all, args=(str(tmp_path), seed, done))
        for seed in range(2)
    ]
    for worker in workers:
        worker.start()
    answers = [done.get(timeout=DEADLINE + 20) for _ in workers[1:]]
    for worker in workers:
        worker.join()
        assert worker.exitcode == 0
    assert answers == [(EPISODES, []), (EPISODES, [])]
    assert not list(tmp_path.rglob('.*'))  # no index was left half-written


def test_a_thread_follows_the_recorder_while_others_sample(tmp_path: Path) -> None:
    record(tmp_path, script(0))
    dataset, rng = Dataset.open(tmp_path, SPECS), np.random.default_rng(0)
    end, batches = time.monotonic() + DEADLINE, 0
    with following(dataset, period=0.001):
        for index in range(1, EPISODES):
            record(tmp_path, script(index))
            while len(dataset.episodes) <= index or batches < index:
                assert time.monotonic() < end
                batch = dataset.sample(16, rng)
                batches += 1
                # Which image belongs to which transition shows in its last pixels.
                steps = batch.observation['image/front'][:, 127, 0, 2].astype(int)
                after = batch.next_observation['image/front'][:, 127, 0, 2].astype(int)
                assert np.array_equal(after, steps + 1)
    assert len(dataset) == EPISODES * STEPS


def test_a_file_that_is_deleted_meanwhile_can_still_be_sampled(tmp_path: Path) -> None:
    path = record(tmp_path, script(3))
    dataset = Dataset.open(tmp_path, SPECS)
    path.unlink()
    image = dataset.gather(np.array([2])).observation['image/front'][0]
    assert np.array_equal(image, pixels(script(3), 2, 0))


def test_a_refused_file_is_tried_again_when_somebody_has_mended_it(tmp_path: Path) -> None:
    marked = record(tmp_path, Script(0, STEPS, ('front',), {'marks': ['lossy']}))
    whole = record(tmp_path, script(1))
    content = whole.read_bytes()
    whole.write_bytes(content[:-50])
    dataset = Dataset.open(tmp_path, SPECS)
    assert len(dataset.refused) == 2
    assert dataset.refresh() == 0
    add_label(marked, Label(author='tester', clear_marks=True))
    assert dataset.refresh() == 1
    whole.write_bytes(content)
    assert dataset.refresh() == 1
    assert dataset.refused == ()


def test_a_folder_that_cannot_be_written_is_read_all_the_same(tmp_path: Path) -> None:
    path = record(tmp_path, script(0))
    blocked = index_file(path)
    blocked.mkdir()  # what even root cannot replace by a file
    assert len(Dataset.open(tmp_path, SPECS)) == STEPS
    assert os.listdir(blocked) == []
