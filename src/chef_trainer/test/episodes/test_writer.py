"""What the writer writes, every other reader of bags must read."""

import json
from pathlib import Path

import numpy as np
import pytest
from mcap.reader import make_reader
from mcap_ros2.decoder import DecoderFactory
from recorded import CAMERA, JOINTS, QOS, TYPES, WRENCH, channel, fill, image
from rosbags.highlevel import AnyReader

from chef_trainer.episodes import EpisodeFileError, EpisodeReader, EpisodeWriter
from chef_trainer.episodes.writer import CHUNK_BYTES

COUNTS = {WRENCH: 100, CAMERA: 20, JOINTS: 20}


def test_mcap_reads_it(episode: Path) -> None:
    with episode.open('rb') as stream:
        reader = make_reader(stream, validate_crcs=True)
        assert reader.get_header().profile == 'ros2'
        summary = reader.get_summary()
        topics = {channel.id: channel.topic for channel in summary.channels.values()}
        counts = summary.statistics.channel_message_counts
        assert {topics[number]: count for number, count in counts.items()} == COUNTS
        sequences = [m.sequence for _, c, m in reader.iter_messages() if c.topic == WRENCH]
        assert sequences == list(range(100))
        for kept in summary.channels.values():
            assert json.loads(kept.metadata['offered_qos_profiles']) == list(QOS)
            assert kept.metadata['topic_type_hash'].startswith('RIHS01_')


def test_mcap_ros2_decodes_it(episode: Path) -> None:
    with episode.open('rb') as stream:
        reader = make_reader(stream, decoder_factories=[DecoderFactory()])
        forces = [
            message.wrench.force.x
            for _, _, _, message in reader.iter_decoded_messages(topics=[WRENCH])
        ]
    assert forces == [float(step) for step in range(20) for _ in range(5)]


def test_rosbags_opens_the_directory(episode: Path) -> None:
    with AnyReader([episode.parent]) as reader:
        assert {c.topic: c.msgcount for c in reader.connections} == COUNTS
        assert {c.topic: c.msgtype for c in reader.connections} == TYPES
        assert reader.start_time == 0
        assert reader.duration == 990_000_001  # rosbags counts the last nanosecond too
        decoded = [reader.deserialize(raw, c.msgtype) for c, _, raw in reader.messages()]
        assert len(decoded) == sum(COUNTS.values())


def test_rosbags_takes_a_directory_without_metadata(episode: Path) -> None:
    with AnyReader([episode]) as reader:
        assert {c.topic: c.msgcount for c in reader.connections} == COUNTS


def test_metadata_is_readable_and_exact(episode: Path) -> None:
    with episode.open('rb') as stream:
        records = [r for r in make_reader(stream).iter_metadata() if r.name == 'chef_episode']
    # One from the start, for a crash; one from the end.
    assert [record.metadata.get('outcome') for record in records] == [None, 'success']
    assert records[-1].metadata['limits'] == '{"force": 20.0}'
    assert json.loads(records[-1].metadata['json'])['peak_force'] is None  # JSON has no NaN
    assert EpisodeReader(episode).metadata['limits'] == {'force': 20.0}


def test_chunks_stay_small(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {})
    fill(writer, 150, size=128)  # 7.4 MB
    path = writer.finish({})
    with path.open('rb') as stream:
        chunks = make_reader(stream).get_summary().chunk_indexes
    assert max(chunk.uncompressed_size for chunk in chunks) <= CHUNK_BYTES
    assert {chunk.compression for chunk in chunks} == {''}
    assert len(chunks) < 12


def test_a_slow_trickle_reaches_the_file_within_a_second(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {})
    writer.add_channel(channel(CAMERA))
    data = image(0, np.full((2, 2, 3), 7, np.uint8))
    for second in range(4):
        writer.write(CAMERA, second * 1_000_000_000, 0, data)
    # Three of four are in closed chunks; the newest waits for its second to pass.
    assert writer.active_path.read_bytes().count(data) == 3
    writer.discard()


def test_an_unfinished_episode_is_invisible(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {})
    fill(writer, 3)
    writer.flush()
    assert not list(tmp_path.rglob('*.mcap'))
    path = writer.finish({})
    assert [p.name for p in sorted(path.parent.iterdir())] == ['e.mcap', 'metadata.yaml']


def test_discard_leaves_nothing(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path / 'session', 'e', {})
    fill(writer, 3)
    writer.discard()
    assert not list((tmp_path / 'session').iterdir())


def test_an_episode_is_never_overwritten(episode: Path) -> None:
    before = episode.read_bytes()
    with pytest.raises(EpisodeFileError, match=r'0000_e0.mcap: file: exists already; choose'):
        EpisodeWriter(episode.parent.parent, '0000_e0', {})
    assert episode.read_bytes() == before


def test_an_unannounced_topic_is_refused(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {})
    with pytest.raises(KeyError, match='/unknown'):
        writer.write('/unknown', 0, 0, b'')
    writer.discard()


def test_an_empty_episode_is_an_episode(tmp_path: Path) -> None:
    path = EpisodeWriter(tmp_path, 'e', {}).finish({'outcome': 'abort'})
    reader = EpisodeReader(path)
    assert reader.metadata['outcome'] == 'abort'
    assert not reader.topics
