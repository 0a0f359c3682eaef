"""Arrays, frames and messages come back exactly; every broken file says what is wrong with it."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.writer import CompressionType, Writer
from recorded import CAMERA, JOINTS, STORE, TYPES, WRENCH, channel, fill, image, joints, wrench

from chef_trainer.episodes import Channel, EpisodeFileError, EpisodeReader, EpisodeWriter
from chef_trainer.episodes.definitions import parse_definitions
from chef_trainer.episodes.writer import metadata_record


def write(tmp_path: Path, topic: str, messages: list[bytes]) -> EpisodeReader:
    writer = EpisodeWriter(tmp_path, 'e', {})
    writer.add_channel(channel(topic))
    for index, data in enumerate(messages):
        writer.write(topic, index, index, data)
    return EpisodeReader(writer.finish({}))


def test_arrays_of_every_field(episode: Path) -> None:
    arrays = EpisodeReader(episode).arrays(WRENCH)
    steps = np.repeat(np.arange(20), 5)
    assert np.array_equal(arrays['wrench.force'], steps[:, None] + np.arange(3))
    assert np.array_equal(arrays['wrench.torque'], steps[:, None] + np.arange(3, 6))
    assert np.array_equal(arrays['header.stamp'], np.arange(100) * 10_000_000)
    assert set(arrays['header.frame_id']) == {'tool'}
    assert np.array_equal(arrays['log_time'], arrays['publish_time'])


def test_topics_are_named_in_full_or_within_the_namespace(episode: Path) -> None:
    reader = EpisodeReader(episode.parent)  # the bag directory serves as well
    assert reader.find('camera/*/image_raw') == (CAMERA,)
    assert np.array_equal(
        reader.arrays('wrist/wrench')['wrench.force'], reader.arrays(WRENCH)['wrench.force']
    )
    assert reader.topics[WRENCH].count == 100
    assert reader.topics[WRENCH].type_name == TYPES[WRENCH]
    with pytest.raises(EpisodeFileError, match=r'wrench2: not in this episode; topics: \[.*wrist'):
        reader.arrays('wrench2')


def test_a_pattern_for_several_topics_is_no_topic(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {'namespace': '/cell'})
    for camera in 'ab':
        topic = f'/cell/camera/{camera}/image_raw'
        writer.add_channel(dataclasses.replace(channel(CAMERA), topic=topic))
        writer.write(topic, 0, 0, image(0, np.zeros((2, 2, 3), np.uint8)))
    reader = EpisodeReader(writer.finish({}))
    with pytest.raises(EpisodeFileError, match='found 2 times'):
        reader.frames('camera/*/image_raw')
    assert len(reader.frames('camera/b/image_raw')) == 1


def test_messages_are_byte_for_byte_what_was_written(episode: Path) -> None:
    messages = list(EpisodeReader(episode).messages(WRENCH))
    assert [m.log_time for m in messages] == [k * 10_000_000 for k in range(100)]
    assert bytes(messages[7].data) == wrench(70_000_000, np.arange(6) + 1)


def test_frames_are_views(episode: Path) -> None:
    frames = EpisodeReader(episode).frames('camera/*/image_raw')
    assert len(frames) == 20
    assert frames[3].shape == (16, 16, 3)
    assert (frames[3] == 3).all()
    assert not frames[3].flags.owndata
    assert np.array_equal(frames.stamps, np.arange(20) * 50_000_000)


@pytest.mark.parametrize('encoding', ['rgb8', 'bgr8'])
def test_frames_are_rgb(tmp_path: Path, encoding: str) -> None:
    pixels = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    frames = write(tmp_path, CAMERA, [image(0, pixels, encoding)]).frames(CAMERA)
    expected = pixels if encoding == 'rgb8' else pixels[..., ::-1]
    assert np.array_equal(frames[0], expected)


def test_strings_and_lengths_that_change(tmp_path: Path) -> None:
    messages = [
        joints(0, ['a', 'bc'], np.array([1.0, 2.0])),
        joints(1, ['a', 'b', 'longer'], np.array([3.0, 4.0, 5.0])),
        joints(2, ['a', 'bc'], np.array([6.0, 7.0])),
    ]
    arrays = write(tmp_path, JOINTS, messages).arrays(JOINTS)
    assert [list(names) for names in arrays['name']] == [
        ['a', 'bc'],
        ['a', 'b', 'longer'],
        ['a', 'bc'],
    ]
    assert [list(values) for values in arrays['position']] == [[1, 2], [3, 4, 5], [6, 7]]
    assert arrays['effort'].shape == (3, 0)
    assert list(arrays['header.stamp']) == [0, 1, 2]


def test_text_of_changing_length_stays_one_array(tmp_path: Path) -> None:
    frames = ['tool', 'a much longer frame', 'tool', '']
    messages = [wrench(i, np.full(6, float(i)), frame) for i, frame in enumerate(frames)]
    arrays = write(tmp_path, WRENCH, messages).arrays(WRENCH)
    assert list(arrays['header.frame_id']) == frames
    assert np.array_equal(arrays['wrench.force'][:, 0], np.arange(4.0))


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    st.lists(
        st.tuples(
            st.text(max_size=9).filter(lambda text: '\0' not in text),
            st.lists(st.floats(width=64, allow_nan=False), max_size=4),
        ),
        min_size=1,
        max_size=12,
    )
)
def test_any_joint_state_comes_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, list[float]]]
) -> None:
    messages = [joints(i, [name], np.array(values)) for i, (name, values) in enumerate(rows)]
    arrays = write(tmp_path_factory.mktemp('e'), JOINTS, messages).arrays(JOINTS)
    for index, (name, values) in enumerate(rows):
        assert list(arrays['name'][index]) == [name]
        assert list(arrays['position'][index]) == values


def test_a_topic_without_messages_has_no_columns(tmp_path: Path) -> None:
    reader = write(tmp_path, WRENCH, [])
    assert list(reader.messages(WRENCH)) == []
    assert set(reader.arrays(WRENCH)) == {'log_time', 'publish_time'}


def test_a_verified_episode_is_intact(episode: Path) -> None:
    EpisodeReader(episode).verify()


def overwrite(path: Path, at: int, data: bytes) -> None:
    with path.open('r+b') as stream:
        stream.seek(at)
        stream.write(data)


def test_a_flipped_pixel_is_found(episode: Path) -> None:
    index = EpisodeReader(episode).index(CAMERA)
    overwrite(episode, int(index.offset[5]) + 200, b'\xff')
    with pytest.raises(EpisodeFileError, match=r'chunk at byte .*checksum does not match'):
        EpisodeReader(episode).verify()


def test_a_broken_message_is_refused(episode: Path) -> None:
    index = EpisodeReader(episode).index(JOINTS)
    overwrite(episode, int(index.offset[5]), b'\x00\x00')  # big-endian now
    with pytest.raises(EpisodeFileError, match=r'joint_states: encapsulation .*little-endian'):
        EpisodeReader(episode).arrays(JOINTS)
    overwrite(episode, int(index.offset[6]) - 31, b'\x77')  # not a message any more
    with pytest.raises(EpisodeFileError, match='index does not point at messages'):
        EpisodeReader(episode).arrays(JOINTS)


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-200])


def foreign(path: Path) -> None:
    with path.open('wb') as stream:
        writer = Writer(stream)
        writer.start(profile='ros2', library='another recorder')
        writer.finish()


def compressed(path: Path) -> None:
    with path.open('wb') as stream:
        writer = Writer(stream, compression=CompressionType.ZSTD)
        writer.start(profile='ros2')
        schema = writer.register_schema('a/msg/B', 'ros2msg', b'int8 x')
        number = writer.register_channel('/x', 'cdr', schema)
        writer.add_message(number, 0, b'\x00\x01\x00\x00\x01', 0)
        writer.add_metadata('chef_episode', metadata_record({'format': 1}))
        writer.finish()


def newer(path: Path) -> None:
    with path.open('wb') as stream:
        writer = Writer(stream)
        writer.start(profile='ros2')
        writer.add_metadata('chef_episode', metadata_record({'format': 2}))
        writer.finish()


@pytest.mark.parametrize(
    ('damage', 'message'),
    [
        (truncated, 'end of file: is missing: the file was cut short; .*recover'),
        (lambda path: path.write_bytes(b''), 'file: is not an MCAP file'),
        (lambda path: path.write_text('{"not": "mcap"}'), 'file: is not an MCAP file'),
        (foreign, 'chef_episode: metadata record is missing; only files of the CHEF recorder'),
        (compressed, "chunks: are compressed with {'zstd'}; rewrite it uncompressed"),
        (newer, 'chef_episode.format: is 2, this software reads 1; update'),
        (Path.unlink, 'file: does not exist; check the path'),
    ],
)
def test_every_bad_file_names_field_and_remedy(
    episode: Path, damage: Callable[[Path], object], message: str
) -> None:
    damage(episode)
    with pytest.raises(EpisodeFileError, match=message) as caught:
        EpisodeReader(episode)
    assert str(episode) in str(caught.value)


def test_a_file_being_written_is_not_read(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {})
    for path in (writer.active_path, writer.active_path.parent):
        with pytest.raises(EpisodeFileError, match='recover'):
            EpisodeReader(path)
    writer.discard()


def test_a_schema_with_a_missing_type_names_it(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {})
    writer.add_channel(Channel('/x', 'a/msg/B', 'other/Thing thing'))
    writer.write('/x', 0, 0, b'\x00\x01\x00\x00\x01')
    with pytest.raises(EpisodeFileError, match=r'/x: a/B.thing: no definition of other/Thing'):
        EpisodeReader(writer.finish({})).arrays('/x')


def test_a_type_inside_itself_is_refused(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {})
    writer.add_channel(Channel('/x', 'a/msg/B', 'B inner\nint8 x'))
    writer.write('/x', 0, 0, b'\x00\x01\x00\x00\x01')
    with pytest.raises(EpisodeFileError, match='/x: '):
        EpisodeReader(writer.finish({})).arrays('/x')


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_mutated_files_raise_nothing_else(episode: Path, data: st.DataObject) -> None:
    whole = episode.with_name('whole')
    if not whole.exists():
        whole.write_bytes(episode.read_bytes())
    content = bytearray(whole.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        # Most of the file is pixels: aim at the ends, where the structure lies.
        at = data.draw(st.integers(0, 6000))
        at = at if data.draw(st.booleans()) else len(content) - 1 - at
        content[at] = data.draw(st.integers(0, 255))
    episode.write_bytes(content)
    try:
        reader = EpisodeReader(episode)
        reader.verify()
        for topic in reader.topics:
            reader.arrays(topic)
            if reader.topics[topic].type_name == 'sensor_msgs/msg/Image':
                list(reader.frames(topic))
    except EpisodeFileError:
        pass


def test_every_definition_of_a_distribution_is_understood() -> None:
    for type_name in STORE.types:
        text, _ = STORE.generate_msgdef(type_name, ros_version=2)
        if 'wstring' not in text:
            assert parse_definitions(type_name, text)


def test_filling_helper_is_repeatable(tmp_path: Path) -> None:
    files = []
    for name in 'ab':
        writer = EpisodeWriter(tmp_path / name, 'e', {})
        fill(writer, 3)
        files.append(writer.finish({}).read_bytes())
    assert files[0] == files[1]
