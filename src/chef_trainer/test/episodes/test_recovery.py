"""What a crash leaves is found again: every closed chunk, whatever the moment."""

import fcntl
import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from mcap.records import Chunk
from mcap.stream_reader import StreamReader, breakup_chunk
from recorded import CAMERA, TYPES, WRENCH, fill

from chef_trainer.episodes import (
    EpisodeFileError,
    EpisodeReader,
    EpisodeWriter,
    find_unfinished,
    recover,
)

#: Writes an episode for ever and says how far it has come.
ENDLESS = """
import sys
from pathlib import Path
sys.path[:0] = {path!r}
from recorded import TYPES, WRENCH, channel, wrench
from chef_trainer.episodes import EpisodeWriter
import numpy as np
writer = EpisodeWriter(Path(sys.argv[1]), 'e', {{'episode_id': 'e', 'triplet': '3'}})
writer.add_channel(channel(WRENCH))
for number in range(10**9):
    stamp = number * 1_000_000
    writer.write(WRENCH, stamp, stamp, wrench(stamp, np.full(6, float(number))))
    print(number, flush=True)
"""


def unfinished(tmp_path: Path, steps: int = 60) -> tuple[EpisodeWriter, Path]:
    writer = EpisodeWriter(tmp_path, 'e', {'episode_id': 'e'})
    fill(writer, steps)
    writer.flush()
    return writer, writer.active_path


def whole_messages(path: Path) -> int:
    """Messages in closed chunks, counted without the code under test."""
    count = 0
    try:
        with path.open('rb') as stream:
            for record in StreamReader(stream, emit_chunks=True).records:
                if isinstance(record, Chunk) and len(record.data) == record.uncompressed_size:
                    count += sum(hasattr(r, 'log_time') for r in breakup_chunk(record))
    except Exception:  # the end, wherever it is
        return count
    raise AssertionError('the file has an end')


@pytest.mark.parametrize('seed', range(4))
def test_kill_at_any_moment_loses_no_closed_chunk(tmp_path: Path, seed: int) -> None:
    script = ENDLESS.format(path=[str(Path(__file__).parent), *filter(None, sys.path)])
    process = subprocess.Popen(
        [sys.executable, '-c', script, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    moment = random.Random(seed).randrange(1500, 9000)
    for line in process.stdout:
        if int(line) >= moment:
            process.send_signal(signal.SIGKILL)
            break
    process.stdout.close()
    process.wait(10)

    (left,) = find_unfinished(tmp_path)
    expected = whole_messages(left)
    reader = EpisodeReader(recover(left))
    forces = reader.arrays(WRENCH)['wrench.force'][:, 0]
    assert list(forces) == list(range(expected))
    assert moment - expected <= 1000  # a chunk spans at most one second: 1000 messages here
    assert reader.metadata['triplet'] == '3'
    assert reader.metadata['recovered'] is True
    assert reader.metadata['marks'] == ['recovered: its end may be missing']
    assert (reader.metadata['outcome'], reader.metadata['success']) == ('abort', False)
    assert find_unfinished(tmp_path) == ()
    assert sorted(p.name for p in left.parent.iterdir()) == ['e.mcap', 'metadata.yaml']


def test_every_cut_gives_whole_chunks_or_a_clear_error(tmp_path: Path) -> None:
    writer, active = unfinished(tmp_path / 'source')
    content = active.read_bytes()
    writer.discard()
    counts = []
    for cut in range(0, len(content), len(content) // 40):
        target = tmp_path / f'{cut}' / 'e' / 'e.mcap.active'
        target.parent.mkdir(parents=True)
        target.write_bytes(content[:cut])
        expected = whole_messages(target)
        if expected:
            reader = EpisodeReader(recover(target))
            counts.append(sum(topic.count for topic in reader.topics.values()))
            assert counts[-1] == expected
        else:
            with pytest.raises(EpisodeFileError, match=r'not one is whole|record is missing'):
                recover(target)
            assert target.read_bytes() == content[:cut]  # nothing is changed
            assert len(list(target.parent.iterdir())) == 1
    assert counts == sorted(counts)
    assert counts[-1] > counts[0]


def test_a_flipped_byte_ends_the_recovery_before_it(tmp_path: Path) -> None:
    writer, active = unfinished(tmp_path)
    writer.abandon()
    content = bytearray(active.read_bytes())
    content[len(content) // 2] ^= 0xFF
    active.write_bytes(content)
    reader = EpisodeReader(recover(active))
    reader.verify()
    assert 0 < reader.topics[WRENCH].count < 300


def test_recovered_files_keep_topics_and_types(tmp_path: Path) -> None:
    writer, active = unfinished(tmp_path, 20)
    writer.abandon()
    reader = EpisodeReader(recover(active))
    assert {name: topic.type_name for name, topic in reader.topics.items()} == TYPES
    assert reader.topics[WRENCH].type_hash.startswith('RIHS01_')
    assert len(reader.frames(CAMERA)) == 20


def test_a_finished_file_that_was_not_renamed_is_complete(episode: Path) -> None:
    active = episode.rename(episode.with_name(episode.name + '.active'))
    reader = EpisodeReader(recover(active))
    assert reader.metadata['outcome'] == 'success'
    assert reader.topics[WRENCH].count == 100


def test_a_truncated_finished_file_is_kept_beside_its_recovery(episode: Path) -> None:
    episode.write_bytes(episode.read_bytes()[:-500])
    cut = episode.read_bytes()
    assert recover(episode) == episode
    assert EpisodeReader(episode).topics[WRENCH].count == 100
    assert episode.with_name(episode.name + '.damaged').read_bytes() == cut


def test_a_file_somebody_writes_is_left_alone(tmp_path: Path) -> None:
    writer, active = unfinished(tmp_path)
    with pytest.raises(EpisodeFileError, match='is being written by another process'):
        recover(active)
    assert EpisodeReader(writer.finish({})).topics[WRENCH].count == 300


def test_the_lock_dies_with_its_process(tmp_path: Path) -> None:
    writer, active = unfinished(tmp_path)
    writer.abandon()
    descriptor = os.open(active, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    os.close(descriptor)
    assert recover(active)


def test_a_foreign_file_is_not_touched(tmp_path: Path) -> None:
    path = tmp_path / 'e' / 'e.mcap.active'
    path.parent.mkdir()
    path.write_text('something else')
    with pytest.raises(EpisodeFileError, match='metadata record is missing; only files'):
        recover(path)
    assert path.read_text() == 'something else'
