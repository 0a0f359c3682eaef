"""A disk that is full or slow: the session is told to stop, and what is there stays."""

import os
import resource
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from chef_cell.testing.recorder_cell import TICK_NS, RecorderCell
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import EpisodeState
from chef_trainer.episodes import EpisodeReader, find_unfinished

DAY = 86_400


def test_too_little_free_space_is_said_before_the_episode(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path, min_free_mb=1e12)
    cell.announce(EpisodeState.RUNNING, 'e')
    state = cell.wait(lambda state: state.error)
    assert 'MB free, 1000000000000 MB are asked for' in state.error
    assert not list(tmp_path.rglob('*.active'))


def test_a_disk_that_refuses_is_said_and_what_is_there_stays(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path)
    resource.prlimit(cell.node.pid, resource.RLIMIT_FSIZE, (3_000_000, 3_000_000))
    cell.run('e')
    for first in range(0, 1000, 50):
        cell.sense(first, first + 50)
        graph.spin_for(0.01)
    cell.wait(lambda state: state.error)
    cell.sense(1000, 1050)
    state = cell.wait(lambda state: state.dropped)
    assert 'File too large' in state.error
    assert any('File too large' in mark for mark in state.marks)
    cell.announce(EpisodeState.ENDED, 'e', outcome='abort')
    cell.wait(lambda state: not state.recording)
    assert cell.node.alive
    assert cell.node.stop() == 0
    (left,) = find_unfinished(tmp_path)
    assert left.stat().st_size > 1_000_000


def test_a_disk_that_falls_behind_ends_the_session_and_marks_the_episode(
    graph: Graph, tmp_path: Path
) -> None:
    cell = RecorderCell(graph, tmp_path, queue_mb=0.03)  # no frame fits
    cell.run('e')
    cell.sense(0, 11)
    state = cell.wait(lambda state: state.error)
    assert 'the disk is 0.03 MB behind' in state.error
    cell.end('e', 10 * TICK_NS)
    reader = EpisodeReader(tmp_path / 'session' / '0000_e')
    assert np.array_equal(reader.arrays('wrist/wrench')['wrench.force'][:, 0], np.arange(11.0))
    account = reader.metadata['topics']['/cell/camera/front/image_raw']
    assert (account['expected'], account['refused']) == (3, 3)
    assert reader.metadata['loss'] == 1.0
    loss, error = reader.metadata['marks']
    assert 'image_raw lacks 3 of 3 messages (100.00%, at most 1.00%)' in loss
    assert 'behind' in error
    cell.run('next')
    assert not cell.states[-1].error


def test_old_episodes_go_when_the_settings_say_so(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path, keep_days=30.0)
    old = tmp_path / 'long_ago' / '0000_x' / '0000_x.mcap'
    old.parent.mkdir(parents=True)
    old.write_bytes(b'an episode')
    then = time.time() - 31 * DAY
    os.utime(old, (then, then))
    cell.announce(EpisodeState.RESETTING, 'e')
    cell.run('e')
    assert not old.parent.exists()
    assert 'older than 30 days' in cell.node.output()
    assert 'long_ago' in (tmp_path / 'deleted.jsonl').read_text()


#: Mounts a tmpfs where nobody else sees it, and records until the reserve, then to the brim.
FULL_TMPFS = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from chef_trainer.episodes import (
    Channel, EpisodeReader, EpisodeWriter, ThreadedWriter, find_unfinished, recover)

TEXT = Channel('/text', 'std_msgs/msg/String', 'string data')

def record(name, reserve):
    threaded = ThreadedWriter(EpisodeWriter(Path('{mount}'), name, {{}}, reserve=reserve))
    threaded.add_channel(TEXT)
    for number in range(100):
        threaded.write('/text', number, number, bytes([number]) * 100_000)  # 10 MB in all
    threaded.finish(lambda lost: {{'lost': sum(lost.values())}})
    threaded.join()
    return threaded

kept = record('kept', 2_000_000)
assert 'are kept in reserve' in kept.error, kept.error
reader = EpisodeReader(kept.path)
reader.verify()
assert 40 < reader.topics['/text'].count <= 70, reader.topics
assert kept.path.with_name('metadata.yaml').exists()

full = record('full', 0)
assert full.error == f'{{full.path}}: No space left on device', full.error
(left,) = find_unfinished(Path('{mount}'))
del reader  # its map would keep the space
kept.path.unlink()
reader = EpisodeReader(recover(left))
reader.verify()
assert reader.topics['/text'].count >= 10, reader.topics
messages = list(reader.messages('/text'))
assert [m.data[0] for m in messages] == list(range(len(messages)))
print('all is well')
"""


def test_a_full_tmpfs_keeps_every_closed_chunk(tmp_path: Path) -> None:
    mount = f'mount -t tmpfs -o size=8m none {tmp_path}'
    unshare = ['unshare', '--user', '--map-root-user', '--mount', 'sh', '-c']
    if not shutil.which('unshare') or subprocess.run([*unshare, mount], check=False).returncode:
        pytest.skip('mounting is not allowed here')
    script = FULL_TMPFS.format(path=list(filter(None, sys.path)), mount=tmp_path)
    result = subprocess.run(
        [*unshare, f'{mount} && exec "$0" -c "$1"', sys.executable, script],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert result.stdout == 'all is well\n', result.stderr
