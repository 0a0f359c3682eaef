"""What a person asks of the recorder, and what becomes of images on their way to the file."""

import io
from pathlib import Path

import numpy as np
import PIL.Image
from rclpy.serialization import deserialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image
from std_msgs.msg import String
from std_srvs.srv import SetBool, Trigger

from chef_cell.core.imaging import Intrinsics
from chef_cell.core.readings import ImageReading
from chef_cell.nodes import camera_info, messages, ros
from chef_cell.testing.recorder_cell import BURST_QOS, TICK_NS, RecorderCell, is_heard
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import EpisodeState
from chef_interfaces.srv import LabelEpisode
from chef_trainer.episodes import EpisodeReader


def label(graph: Graph, **fields: object) -> LabelEpisode.Response:
    return graph.call(LabelEpisode, 'label_episode', LabelEpisode.Request(**fields))


def test_an_episode_is_paused_marked_and_labelled(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path)
    cell.run('e')
    cell.sense(0, 10)
    cell.wait(lambda state: state.expected >= 13)
    assert graph.call(SetBool, 'recorder/pause', SetBool.Request(data=True)).success
    assert cell.wait(lambda state: state.paused).recording
    cell.sense(10, 20)
    cell.wait(lambda state: sum(topic.omitted for topic in state.topics) == 12)
    graph.call(SetBool, 'recorder/pause', SetBool.Request(data=False))
    assert graph.call(Trigger, 'recorder/mark', Trigger.Request()).success
    answer = label(
        graph, judgement=LabelEpisode.Request.SUCCESS, note='it slipped', marks=['odd'], author='a'
    )
    assert answer.accepted, answer.message
    cell.sense(20, 31)
    state = cell.end('e', 30 * TICK_NS)
    assert 'paused: 0.10 s are left out' in state.marks

    reader = EpisodeReader(state.path)
    ticks = reader.arrays('wrist/wrench')['wrench.force'][:, 0]
    assert np.array_equal(ticks, [*range(10), *range(20, 31)])
    assert list(reader.arrays('notes')['data']) == ['mark', 'it slipped']
    metadata = reader.metadata
    assert (metadata['success'], metadata['outcome']) == (True, 'force')
    assert metadata['notes'] == ['it slipped']
    assert metadata['marks'] == ['paused: 0.10 s are left out', 'odd']
    assert metadata['dropped'] == 0
    assert metadata['pauses_ns'] == [[90_000_000, 190_000_000]]


def test_a_finished_episode_is_labelled_beside_its_file(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path)
    cell.run('e')
    path = Path(cell.end('e', 0).path)
    before = path.read_bytes()
    answer = label(graph, episode_id='e', judgement=LabelEpisode.Request.FAILURE, author='ann')
    assert answer.path == str(path.with_name('labels.json'))
    assert EpisodeReader(path).metadata['success'] is False
    assert label(graph, note='the last one').accepted
    assert EpisodeReader(path).metadata['notes'] == ['the last one']
    assert path.read_bytes() == before

    assert "0 episodes 'f' below" in label(graph, episode_id='f', note='?').message
    assert 'says nothing' in label(graph, episode_id='e').message
    assert 'judgement 7, allowed: [0, 1, 2]' in label(graph, judgement=7).message


def test_a_discarded_episode_leaves_no_file(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path)
    assert not graph.call(Trigger, 'recorder/discard', Trigger.Request()).success
    cell.run('e')
    cell.sense(0, 10)
    answer = graph.call(Trigger, 'recorder/discard', Trigger.Request())
    assert (answer.success, answer.message) == (True, 'e')
    state = cell.wait(lambda state: not state.recording)
    assert (state.episode_id, state.path, state.error) == ('e', '', '')
    cell.announce(EpisodeState.RUNNING, 'e')  # repeated once a second: it stays discarded
    cell.announce(EpisodeState.ENDED, 'e')
    cell.run('next')
    assert [path.name for path in (tmp_path / 'session').iterdir()] == ['0000_next']


def test_images_are_cropped_packed_and_thinned(graph: Graph, tmp_path: Path) -> None:
    infos = graph.publisher(CameraInfo, 'camera/front/camera_info', BURST_QOS)
    side = graph.publisher(Image, 'camera/side/image_raw', BURST_QOS)
    topics = [
        'camera/front/* crop=64 rate=10',
        'camera/side/image_raw jpeg=95 crop=32',
        'wrist/wrench rate=50',
        'safety',
    ]
    cell = RecorderCell(graph, tmp_path, topics=topics)
    graph.wait_for(lambda: is_heard(infos) and is_heard(side), 'subscriptions')
    cell.run('e')
    pixels = np.zeros((48, 64, 3), np.uint8)
    pixels[:, :, 0] = 200  # red, which packing must keep
    for tick in range(0, 21, 5):
        stamp = ros.to_stamp(tick * TICK_NS)
        info = camera_info.to_message(Intrinsics.from_fovy(0.7, 128, 128))
        info.header.stamp = stamp
        infos.publish(info)
        side.publish(messages.image_to_message(ImageReading(0.0, pixels), stamp, 'side'))
    cell.sense(0, 21)
    state = cell.end('e', 20 * TICK_NS)
    assert (state.error, state.dropped) == ('', 0)

    reader = EpisodeReader(state.path)
    assert [int(frame[0, 0, 0]) for frame in reader.frames('camera/front/image_raw')] == [
        0,
        10,
        20,
    ]
    assert reader.frames('camera/front/image_raw')[0].shape == (64, 64, 3)
    assert list(reader.arrays('camera/front/camera_info')['width']) == [64] * 3
    assert len(reader.arrays('wrist/wrench')['wrench.force']) == 11
    assert reader.metadata['topics']['/cell/wrist/wrench']['omitted'] == 10
    packed = [
        deserialize_message(bytes(message.data), CompressedImage)
        for message in reader.messages('camera/side/image_raw/compressed')
    ]
    assert len(packed) == 5
    assert packed[1].header.stamp == ros.to_stamp(5 * TICK_NS)
    frame = np.asarray(PIL.Image.open(io.BytesIO(bytes(packed[0].data))))
    assert frame.shape == (32, 32, 3)
    assert np.abs(frame.astype(int) - (200, 0, 0)).max() <= 3


def test_a_rule_that_suits_no_image_is_said(graph: Graph, tmp_path: Path) -> None:
    text = graph.publisher(String, 'words')
    topics = ['words jpeg=90', 'wrist/wrench', 'camera/*/*', 'safety']
    cell = RecorderCell(graph, tmp_path, topics=topics)
    graph.wait_for(lambda: 'words is not recorded' in cell.node.output(), 'a refusal')
    assert 'is of type std_msgs/msg/String, no sensor_msgs/msg/Image' in cell.node.output()
    assert not is_heard(text)
