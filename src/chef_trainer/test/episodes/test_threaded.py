"""The writer thread: nobody waits, nothing is lost unsaid, a full disk is a clear error."""

import contextlib
import errno
import os
import resource
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded import WRENCH, channel, wrench

from chef_trainer.episodes import (
    Channel,
    EpisodeReader,
    EpisodeWriter,
    ThreadedWriter,
    find_unfinished,
    recover,
)

DATA = wrench(0, np.zeros(6))


def start(tmp_path: Path, capacity: int = 1 << 20) -> ThreadedWriter:
    threaded = ThreadedWriter(EpisodeWriter(tmp_path, 'e', {}), capacity)
    threaded.add_channel(channel(WRENCH))
    return threaded


@contextlib.contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """What a full disk does: writes beyond `size` bytes fail."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_everything_queued_is_written(tmp_path: Path) -> None:
    threaded = start(tmp_path)
    for number in range(5000):
        assert threaded.write(WRENCH, number, number, DATA)
    threaded.finish(lambda lost: {'outcome': 'success', 'lost': dict(lost)})
    threaded.join()
    assert threaded.done
    assert not threaded.error
    assert (threaded.messages_written, threaded.bytes_written) == (5000, 5000 * len(DATA))
    assert len(threaded.delays_ns) == 5000
    reader = EpisodeReader(threaded.path)
    assert reader.topics[WRENCH].count == 5000
    assert reader.metadata['outcome'] == 'success'


def test_a_full_queue_refuses(tmp_path: Path) -> None:
    threaded = start(tmp_path, capacity=len(DATA) - 1)
    assert not threaded.write(WRENCH, 0, 0, DATA)
    threaded.finish(dict)
    threaded.join()
    assert EpisodeReader(threaded.path).topics[WRENCH].count == 0


def test_an_unannounced_topic_is_refused(tmp_path: Path) -> None:
    threaded = start(tmp_path)
    with pytest.raises(KeyError, match='/unknown'):
        threaded.write('/unknown', 0, 0, DATA)
    threaded.finish(dict)
    threaded.join()


def test_a_full_disk_is_an_error_and_keeps_what_is_there(tmp_path: Path) -> None:
    threaded = start(tmp_path, capacity=1 << 30)
    with file_size_limit(400_000):
        for number in range(10_000):  # 1 MB, a chunk every millisecond of log time
            threaded.write(WRENCH, number * 10_000_000, 0, DATA)
        threaded.finish(dict)
        threaded.join()
    assert threaded.error == f'{threaded.path}: File too large'
    assert not threaded.write(WRENCH, 0, 0, DATA)
    (left,) = find_unfinished(tmp_path)
    assert 1000 < EpisodeReader(recover(left)).topics[WRENCH].count < 4000


class SlowWriter(EpisodeWriter):
    """A disk that takes one message for each permit."""

    def __init__(self, directory: Path) -> None:
        self.permits = threading.Semaphore(0)
        super().__init__(directory, 'e', {})

    def write(self, topic: str, log_time_ns: int, publish_time_ns: int, data: bytes) -> None:
        assert self.permits.acquire(timeout=30)
        super().write(topic, log_time_ns, publish_time_ns, data)


def test_a_slow_disk_fills_the_queue_and_what_was_taken_is_written(tmp_path: Path) -> None:
    writer = SlowWriter(tmp_path)
    threaded = ThreadedWriter(writer, capacity=10 * len(DATA))
    threaded.add_channel(channel(WRENCH))
    taken = [threaded.write(WRENCH, number, number, DATA) for number in range(50)]
    assert taken == [True] * 10 + [False] * 40  # nobody waited
    assert threaded.waiting_bytes == 10 * len(DATA)
    writer.permits.release(50)
    threaded.finish(dict)
    threaded.join()
    assert not threaded.error
    assert threaded.waiting_bytes == 0
    assert EpisodeReader(threaded.path).topics[WRENCH].count == 10


def test_an_episode_that_touches_the_reserve_is_finished(tmp_path: Path) -> None:
    threaded = ThreadedWriter(EpisodeWriter(tmp_path, 'e', {}, reserve=1 << 60), 1 << 30)
    threaded.add_channel(channel(WRENCH))
    for number in range(3000):  # a chunk spans a second, and is full after 100 messages
        threaded.write(WRENCH, number * 10_000_000, 0, DATA)
    threaded.finish(lambda lost: {'lost': dict(lost)})
    threaded.join()
    assert 'MB are kept in reserve' in threaded.error
    reader = EpisodeReader(threaded.path)
    assert reader.topics[WRENCH].count == 100
    refused = 3000 - 100 - reader.metadata['lost'][WRENCH]
    assert refused >= 0  # `write` has said so


def test_messages_are_encoded_on_their_way(tmp_path: Path) -> None:
    threaded = ThreadedWriter(EpisodeWriter(tmp_path, 'e', {}))
    threaded.add_channel(Channel('/text', 'std_msgs/msg/String', 'string data'), bytes.upper)
    threaded.write('/text', 0, 0, b'loud')
    threaded.finish(dict)
    threaded.join()
    (message,) = EpisodeReader(threaded.path).messages('/text')
    assert bytes(message.data) == b'LOUD'


def test_what_cannot_be_encoded_is_an_error_and_the_rest_is_kept(tmp_path: Path) -> None:
    def refuse(data: bytes) -> bytes:
        raise ValueError('encoding mono16, allowed: rgb8')

    threaded = start(tmp_path)
    threaded.write(WRENCH, 0, 0, DATA)
    threaded.add_channel(Channel('/image', 'std_msgs/msg/String', 'string data'), refuse)
    threaded.write('/image', 0, 0, b'x')
    threaded.finish(lambda lost: {'lost': dict(lost)})
    threaded.join()
    assert threaded.error == '/image: encoding mono16, allowed: rgb8'
    reader = EpisodeReader(threaded.path)
    assert reader.topics[WRENCH].count == 1
    assert reader.metadata['lost'] == {'/image': 1}


def test_a_discarded_episode_leaves_nothing(tmp_path: Path) -> None:
    threaded = start(tmp_path / 'session')
    threaded.write(WRENCH, 0, 0, DATA)
    threaded.discard()
    threaded.join()
    assert not threaded.error
    assert not list((tmp_path / 'session').iterdir())


def test_closed_chunks_are_forced_to_the_disk_while_it_is_written(tmp_path: Path) -> None:
    synced = threading.Event()

    class Watched(EpisodeWriter):
        def sync(self) -> None:
            super().sync()
            synced.set()

    threaded = ThreadedWriter(Watched(tmp_path, 'e', {}), sync_period=0.01)
    assert synced.wait(30)
    threaded.finish(dict)
    threaded.join()
    assert not threaded.error


def test_a_disk_that_fails_to_sync_is_an_error(tmp_path: Path) -> None:
    class Broken(EpisodeWriter):
        def sync(self) -> None:
            raise OSError(errno.EIO, os.strerror(errno.EIO))

    threaded = ThreadedWriter(Broken(tmp_path, 'e', {}), sync_period=0.0)
    threaded.add_channel(channel(WRENCH))
    end = time.monotonic() + 30
    while threaded.write(WRENCH, 0, 0, DATA):
        assert time.monotonic() < end
        os.sched_yield()
    threaded.finish(dict)
    threaded.join()
    assert threaded.error == f'{threaded.path}: Input/output error'


def test_on_a_disk_that_is_full_already_no_episode_begins(tmp_path: Path) -> None:
    with file_size_limit(100), pytest.raises(OSError, match='File too large'):
        EpisodeWriter(tmp_path / 'session', 'e', {})
    assert not list((tmp_path / 'session').iterdir())


def test_a_recovery_that_finds_no_room_changes_nothing(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {})
    writer.add_channel(channel(WRENCH))
    for number in range(1000):
        writer.write(WRENCH, number, number, DATA)
    writer.flush()
    writer.abandon()
    before = writer.active_path.read_bytes()
    path = writer.active_path
    for name in ('e.mcap', 'e.mcap.active'):
        path = path.rename(path.with_name(name))
        for size in (100, len(before) // 2):
            with file_size_limit(size), pytest.raises(OSError, match='File too large'):
                recover(path)
            assert {p.name: p.read_bytes() for p in tmp_path.rglob('e.*')} == {name: before}
    assert EpisodeReader(recover(path)).topics[WRENCH].count == 1000
