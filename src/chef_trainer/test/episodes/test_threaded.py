"""The writer thread: nobody waits, nothing is lost unsaid, a full disk is a clear error."""

import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded import WRENCH, channel, wrench

from chef_trainer.episodes import (
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
    threaded.finish({'outcome': 'success'})
    threaded.join()
    assert threaded.done
    assert not threaded.error
    assert (threaded.messages_written, threaded.bytes_written) == (5000, 5000 * len(DATA))
    reader = EpisodeReader(threaded.path)
    assert reader.topics[WRENCH].count == 5000
    assert reader.metadata['outcome'] == 'success'


def test_a_full_queue_refuses(tmp_path: Path) -> None:
    threaded = start(tmp_path, capacity=len(DATA) - 1)
    assert not threaded.write(WRENCH, 0, 0, DATA)
    threaded.finish({})
    threaded.join()
    assert EpisodeReader(threaded.path).topics[WRENCH].count == 0


def test_an_unannounced_topic_is_refused(tmp_path: Path) -> None:
    threaded = start(tmp_path)
    with pytest.raises(KeyError, match='/unknown'):
        threaded.write('/unknown', 0, 0, DATA)
    threaded.finish({})
    threaded.join()


def test_a_full_disk_is_an_error_and_keeps_what_is_there(tmp_path: Path) -> None:
    threaded = start(tmp_path, capacity=1 << 30)
    with file_size_limit(400_000):
        for number in range(10_000):  # 1 MB, a chunk every millisecond of log time
            threaded.write(WRENCH, number * 10_000_000, 0, DATA)
        threaded.finish({})
        threaded.join()
    assert threaded.error == f'{threaded.path}: File too large'
    assert not threaded.write(WRENCH, 0, 0, DATA)
    (left,) = find_unfinished(tmp_path)
    assert 1000 < EpisodeReader(recover(left)).topics[WRENCH].count < 4000
