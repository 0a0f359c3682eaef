"""The camera driver over real DDS: real devices' images where the cell expects them."""

import re

import cv2
import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import CameraInfo, Image

from chef_cell.calibration import file as calibration_file
from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.imaging import Intrinsics
from chef_cell.nodes import camera_info, messages, ros
from chef_cell.testing.ros_harness import Graph

LENS = (-0.2, 0.1, 0.001, -0.002, 0.03)
FRONT = Intrinsics(96, 64, 80.0, 81.0, 47.0, 33.0, LENS)
OTHER = Intrinsics(40, 30, 50.0, 50.0, 19.5, 14.5)
COLOURS = ((200, 40, 20), (20, 60, 220))  # left and right half
#: What other drivers send -> how OpenCV makes it of RGB.
ENCODINGS = {
    'rgb8': None,
    'bgr8': cv2.COLOR_RGB2BGR,
    'rgba8': cv2.COLOR_RGB2RGBA,
    'bgra8': cv2.COLOR_RGB2BGRA,
    'yuv422': cv2.COLOR_RGB2YUV_UYVY,
    'yuv422_yuy2': cv2.COLOR_RGB2YUV_YUY2,
}


def picture(width, height):
    pixels = np.empty((height, width, 3), np.uint8)
    pixels[:, : width // 2], pixels[:, width // 2 :] = COLOURS
    return pixels


class Cameras:
    """A file, an emulated Basler camera and another driver's topic, served by one process."""

    def __init__(self, graph, folder):
        self.graph = graph
        calibration_file.save(
            folder / 'cameras.yaml',
            {'front': CameraCalibration(FRONT, np.array([0, 0, 0, 1.0, 0, 0, 0]))},
        )
        for index in range(3):
            pixels = picture(96, 64)
            pixels[:5, :5] = 100 * index  # a real image is never quite the last one
            cv2.imwrite(str(folder / f'frame_{index:04}.png'), pixels[..., ::-1])
        self.images = {name: self.collect(Image, name, 'image_raw') for name in NAMES}
        self.infos = {
            name: self.collect(CameraInfo, name, 'camera_info', ros.STATE_QOS) for name in NAMES
        }
        self.other = graph.publisher(Image, '/other/image_raw')
        self.other_info = graph.publisher(CameraInfo, '/other/camera_info')
        self.diagnostics = graph.collect(DiagnosticArray, '/diagnostics')
        devices = (
            f'["front file:{folder}/frame_%04d.png rate=50",'
            ' "back basler:0815-0000 size=64x48 rate=50", "side topic:/other/image_raw"]'
        )
        self.process = graph.start(
            'camera_driver',
            {
                'cameras': f'[{", ".join(NAMES)}]',
                'devices': devices,
                'calibration': folder / 'cameras.yaml',
            },
        )
        graph.wait_for(graph.connected, 'the driver')

    def collect(self, kind, name, topic, qos=ros.COMMAND_QOS):
        return self.graph.collect(kind, f'camera/{name}/device/{topic}', qos)

    def newest(self, name):
        """The next image of a camera."""
        self.images[name].forget()
        self.graph.wait_for(lambda: self.images[name], f'an image of {name}')
        return self.images[name][-1]

    def send(self, pixels, encoding, step=0):
        """Send an image as another driver does."""
        message = Image(height=30, width=40, encoding=encoding, step=step or pixels.size // 30)
        message.header.stamp = ros.to_stamp(12_345_678_900)
        message.data = pixels.tobytes()
        self.other.publish(message)

    def status(self, name):
        """Newest diagnosis of a camera that was made from now on."""
        self.diagnostics.forget()
        self.graph.wait_for(lambda: self.diagnostics, 'diagnostics')
        found = [s for s in self.diagnostics[-1].status if s.name == f'camera_driver: {name}']
        return found[0], {value.key: value.value for value in found[0].values}


NAMES = ('front', 'back', 'side')


@pytest.fixture(scope='module')
def cameras(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch, Graph.open() as graph:
        patch.setitem(graph.environment, 'PYLON_CAMEMU', '1')
        yield Cameras(graph, tmp_path_factory.mktemp('cameras'))


def test_images_come_as_those_of_the_simulated_cell_do(cameras):
    message = cameras.newest('front')
    assert message.encoding == 'rgb8'
    assert message.header.frame_id == 'front_optical_frame'
    pixels = messages.image_from_message(message).pixels
    np.testing.assert_array_equal(pixels[10:], picture(96, 64)[10:])
    age = cameras.graph.probe.get_clock().now().nanoseconds * 1e-9 - ros.seconds(
        message.header.stamp
    )
    assert 0.0 <= age < 5.0


def test_an_emulated_basler_camera_is_served(cameras):
    first, second = cameras.newest('back'), cameras.newest('back')
    assert (first.width, first.height) == (64, 48)
    assert ros.nanoseconds(second.header.stamp) > ros.nanoseconds(first.header.stamp)


def test_the_calibration_of_the_file_is_announced_to_whoever_comes_late(cameras):
    cameras.graph.wait_for(lambda: cameras.infos['front'], 'camera info')
    assert camera_info.from_message(cameras.infos['front'][-1]) == FRONT
    late = cameras.collect(CameraInfo, 'front', 'camera_info', ros.STATE_QOS)
    cameras.graph.wait_for(lambda: late, 'camera info for a late subscriber')
    assert not cameras.infos['back']


@pytest.mark.parametrize('encoding', ENCODINGS)
def test_images_of_another_driver_are_served_in_rgb(cameras, encoding):
    pixels = picture(40, 30)
    conversion = ENCODINGS[encoding]
    cameras.images['side'].forget()
    cameras.send(pixels if conversion is None else cv2.cvtColor(pixels, conversion), encoding)
    cameras.graph.wait_for(lambda: cameras.images['side'], 'an image')
    got = cameras.images['side'][-1]
    assert ros.nanoseconds(got.header.stamp) == 12_345_678_900
    found = messages.image_from_message(got).pixels.astype(int)
    tolerance = 6 if encoding.startswith('yuv') else 0  # colours are rounded there
    assert np.abs(found - picture(40, 30)).max() <= tolerance


def test_bayer_images_of_another_driver_have_their_colours(cameras):
    pixels = picture(40, 30)
    mosaic = np.empty((30, 40), np.uint8)
    for row, column, channel in ((0, 0, 1), (0, 1, 0), (1, 0, 2), (1, 1, 1)):
        mosaic[row::2, column::2] = pixels[row::2, column::2, channel]
    cameras.images['side'].forget()
    cameras.send(mosaic, 'bayer_grbg8')
    cameras.graph.wait_for(lambda: cameras.images['side'], 'an image')
    found = messages.image_from_message(cameras.images['side'][-1]).pixels
    np.testing.assert_array_equal(found[15, [5, 35]], COLOURS)


def test_what_another_driver_says_of_its_camera_is_passed_on(cameras):
    cameras.other_info.publish(camera_info.to_message(OTHER))
    cameras.graph.wait_for(lambda: cameras.infos['side'], 'camera info')
    assert camera_info.from_message(cameras.infos['side'][-1]) == OTHER


@pytest.mark.parametrize(
    ('encoding', 'step', 'words'),
    [('16UC1', 0, "image encoding '16UC1', expected one of rgb8"), ('bgr8', 7, 'is not 40x30')],
)
def test_an_image_that_can_not_be_read_is_refused_and_told(cameras, encoding, step, words):
    cameras.images['side'].forget()
    cameras.send(picture(40, 30), encoding, step)

    def told():
        found, _ = cameras.status('side')
        return words in found.message and found.level == DiagnosticStatus.ERROR

    cameras.graph.wait_for(told, 'the complaint')
    assert not cameras.images['side']


def test_health_says_what_the_device_is_and_how_it_keeps_its_rate(cameras):
    cameras.newest('back')
    found, values = cameras.status('back')
    assert found.level == DiagnosticStatus.OK, found.message
    assert '0815-0000: 64x48 Bayer' in values['device']
    assert float(values['rate (Hz)']) > 1.0
    assert float(values['age p50 (ms)']) >= 0.0
    assert int(values['images']) > 0


def test_images_pass_through_the_camera_node(cameras):
    got = cameras.graph.collect(Image, 'camera/front/image_raw')
    infos = cameras.graph.collect(CameraInfo, 'camera/front/camera_info')
    node = cameras.graph.start('camera', {'cameras': '[front]', 'image_size': 32})
    cameras.graph.wait_for(lambda: got and infos, 'images of the camera node')
    assert (got[-1].width, got[-1].height) == (32, 32)
    assert camera_info.from_message(infos[-1]) == FRONT.cropped(32)
    assert node.stop() == 0


def test_it_ends_cleanly_and_leaves_the_devices(cameras):
    assert cameras.process.stop() == 0
    assert 'Traceback' not in cameras.process.output()


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [
        ({'lockstep': True}, 'a real'),
        ({'cameras': '[front]'}, 'no device for front; camera_driver.devices'),
        ({'cameras': '[front]', 'devices': '["front film:1"]'}, 'kind of basler, v4l2'),
        ({'devices': '["a v4l2:0", "a v4l2:1"]'}, 'name a camera twice'),
        ({'calibration': '/absent.yaml'}, 'calibration /absent.yaml: .*No such file'),
    ],
)
def test_settings_that_make_no_sense_end_it(cameras, parameters, words):
    process = cameras.graph.start('camera_driver', parameters)
    cameras.graph.wait_for(lambda: not process.alive, 'the end')
    assert process.process.returncode == 1
    assert re.search(words, process.output())
