"""The camera node over real DDS: pixels and intrinsics, and what it does with bad images."""

import dataclasses
import math

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from lifecycle_msgs.msg import Transition
from lifecycle_msgs.srv import ChangeState
from sensor_msgs.msg import CameraInfo, Image

from chef_cell.core.imaging import Intrinsics
from chef_cell.core.readings import ImageReading
from chef_cell.nodes import camera_info, messages, ros
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import CameraState

NAMES = ('front', 'back')


class Devices:
    """Two camera devices and who watches the node that serves them."""

    def __init__(self, graph, **parameters):
        self.graph = graph
        self.count = 0
        self.images, self.infos = {}, {}
        self.image_publisher, self.info_publisher = {}, {}
        for name in NAMES:
            prefix = f'camera/{name}/'
            self.images[name] = graph.collect(Image, prefix + 'image_raw')
            self.infos[name] = graph.collect(CameraInfo, prefix + 'camera_info')
            self.image_publisher[name] = graph.publisher(Image, prefix + 'device/image_raw')
            self.info_publisher[name] = graph.publisher(
                CameraInfo, prefix + 'device/camera_info', ros.STATE_QOS
            )
        self.diagnostics = graph.collect(DiagnosticArray, '/diagnostics')
        self.process = graph.start('camera', {'cameras': '[front, back]', **parameters})
        graph.wait_for(graph.connected, 'the camera node')

    def send(self, name, pixels):
        """Send an image as the device does; return what the node makes of it."""
        self.count += 1
        message = messages.image_to_message(
            ImageReading(0.0, pixels), ros.to_stamp(self.count), f'{name}_optical_frame'
        )
        self.image_publisher[name].publish(message)
        return message

    def served(self, name, pixels):
        """Send an image and return the one the node publishes, whatever came before."""
        self.images[name].forget()
        sent = self.send(name, pixels)
        self.graph.wait_for(lambda: self.images[name], f'an image of {name}')
        got = self.images[name][-1]
        assert got.header == sent.header
        return sent, got

    def status(self, part):
        """Newest diagnosis of a camera, or of what it hears, that was made from now on."""
        self.diagnostics.forget()
        self.graph.wait_for(lambda: self.diagnostics, 'diagnostics')
        found = [s for s in self.diagnostics[-1].status if s.name == f'camera: {part}']
        return found[0], {value.key: value.value for value in found[0].values}


@pytest.fixture(scope='module')
def devices():
    with Graph.open() as graph:
        yield Devices(graph, lockstep=True)


def noise(height, width):
    return np.random.default_rng(height).integers(0, 256, (height, width, 3), np.uint8)


def test_an_image_of_the_right_size_passes_byte_for_byte(devices):
    for name in NAMES:
        sent, got = devices.served(name, noise(128, 128))
        assert got == sent


def test_a_larger_image_is_cut_to_its_central_square(devices):
    pixels = np.zeros((240, 384, 3), np.uint8)
    pixels[:, 72:312] = (10, 20, 30)  # the central square; black beside it
    _, got = devices.served('front', pixels)
    assert (got.width, got.height, got.step, got.encoding) == (128, 128, 384, 'rgb8')
    assert (messages.image_from_message(got).pixels == (10, 20, 30)).all()


def test_a_resized_image_keeps_its_brightness(devices):
    pixels = noise(1200, 1200)
    _, got = devices.served('front', pixels)
    small = messages.image_from_message(got).pixels
    assert abs(small.mean() - pixels.mean()) < 0.5
    # Reduced by averaging: white noise loses its contrast instead of being sampled.
    assert small.std() < 0.25 * pixels.std()


def test_intrinsics_follow_the_pixels(devices):
    lens = (-0.2, 0.1, 0.001, -0.002, 0.03)
    device = dataclasses.replace(
        Intrinsics.from_fovy(math.radians(35.0), 1920, 1200), distortion=lens
    )
    devices.info_publisher['front'].publish(CameraInfo())  # uncalibrated: refused
    fisheye = camera_info.to_message(device)
    fisheye.distortion_model = 'equidistant'
    devices.info_publisher['front'].publish(fisheye)  # not understood: refused
    devices.info_publisher['front'].publish(camera_info.to_message(device))
    pixels = np.zeros((1200, 1920, 3), np.uint8)

    def announced():
        sent, _ = devices.served('front', pixels)
        return devices.infos['front'] and devices.infos['front'][-1].header == sent.header

    devices.graph.wait_for(announced, 'camera info')
    got = camera_info.from_message(devices.infos['front'][-1])
    expected = Intrinsics.from_fovy(math.radians(35.0), 128, 128)
    assert got.cx == pytest.approx(expected.cx)
    assert got.fy == pytest.approx(expected.fy)
    assert got.distortion == lens
    assert not devices.infos['back']


@pytest.mark.parametrize('change', ['encoding', 'size'])
def test_a_malformed_image_is_refused_and_counted(devices, change):
    _, before = devices.status('back')
    good = noise(128, 128)
    message = messages.image_to_message(ImageReading(0.0, good), ros.to_stamp(1), 'x')
    if change == 'encoding':
        message.encoding = 'mono8'
    else:
        message.height = 129
    devices.images['back'].forget()
    devices.image_publisher['back'].publish(message)
    # Images of one camera stay in order: the next good one shows that the bad one left nothing.
    devices.served('back', good)
    assert len(devices.images['back']) == 1
    _, after = devices.status('back')
    assert int(after['refused']) == int(before['refused']) + 1


def test_the_rate_is_told(devices):
    timer = devices.graph.every(0.05, lambda: devices.send('front', noise(128, 128)))

    def told():
        _, values = devices.status('camera/front/device/image_raw')
        return 10.0 <= float(values['rate (Hz)']) <= 30.0

    devices.graph.wait_for(told, 'a rate of about 20 Hz')
    timer.cancel()


def test_in_real_time_silence_is_a_problem_and_age_counts_from_the_stamp():
    with Graph.open() as graph:
        devices = Devices(graph)
        status, _ = devices.status('front')
        assert status.level == DiagnosticStatus.WARN
        assert status.message == 'no images'

        def send():
            now = graph.probe.get_clock().now().to_msg()
            message = messages.image_to_message(ImageReading(0.0, noise(8, 8)), now, 'x')
            devices.image_publisher['front'].publish(message)

        graph.every(0.05, send)

        def told():
            _, values = devices.status('camera/front/device/image_raw')
            return 0.0 <= float(values['age p50 (ms)']) <= float(values['age p99 (ms)']) < 1e3

        graph.wait_for(told, 'ages')


def test_every_image_says_whether_the_camera_still_sees(devices):
    states = devices.graph.collect(CameraState, 'camera/state')
    devices.graph.wait_for(devices.graph.connected, 'the state')

    def seen(pixels):
        states.forget()
        sent = devices.send('back', pixels)
        devices.graph.wait_for(lambda: states and states[-1].header == sent.header, 'its state')
        assert states[-1].camera == 'back'
        return states[-1].same_stamp, states[-1].same_pixels

    first, second = noise(128, 128), noise(256, 256)
    seen(second)
    assert [seen(first), seen(first), seen(first), seen(second)] == [
        (1, 1),
        (1, 2),
        (1, 3),
        (1, 1),
    ]
    devices.count -= 1
    assert seen(second) == (2, 2)


def test_an_inactive_node_is_silent_and_comes_back():
    with Graph.open() as graph:
        devices = Devices(graph, lockstep=True)
        devices.served('front', noise(8, 8))

        def change(transition):
            request = ChangeState.Request(transition=Transition(id=transition))
            return graph.call(ChangeState, 'camera/change_state', request).success

        assert change(Transition.TRANSITION_DEACTIVATE)
        topic = '/cell/camera/front/device/image_raw'
        graph.wait_for(lambda: not graph.probe.count_subscribers(topic), 'its silence')
        assert change(Transition.TRANSITION_CLEANUP)
        assert change(Transition.TRANSITION_CONFIGURE)
        assert change(Transition.TRANSITION_ACTIVATE)
        graph.wait_for(graph.connected, 'the node')
        devices.served('front', noise(8, 8))


def test_a_senseless_size_ends_the_process_with_a_reason():
    with Graph.open() as graph:
        process = graph.start('camera', {'image_size': 0})
        graph.wait_for(lambda: not process.alive, 'its end')
        assert process.process.returncode == 1
        assert 'image_size 0, must be positive' in process.output()
