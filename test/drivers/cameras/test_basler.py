"""The Basler driver against pylon's emulator: laws of the port, settings, losses."""

import itertools

import cv2
import numpy as np
import pytest
from pypylon import pylon

from chef_cell.core.camera_account import BackOff
from chef_cell.core.camera_settings import parse_device
from chef_cell.drivers.cameras.basler import BaslerCamera
from chef_cell.drivers.cameras.camera import GrabbedCamera
from chef_cell.drivers.cameras.source import CameraError, DamagedImageError
from chef_cell.testing.conformance import CameraLaws, Rig

DEADLINE = 20.0  # s
SMALL = 'rate=100 size=320x200'


def camera(line):
    device = parse_device(line)
    return GrabbedCamera(device.name, BaslerCamera(device), back_off=BackOff(0.01, 0.01))


class TestBaslerCamera(CameraLaws):
    @pytest.fixture(autouse=True)
    def _cameras(self):
        self.cameras = []
        yield
        for made in self.cameras:
            made.close()

    def rig(self):
        made = camera(f'front basler:0815-0000 {SMALL}')
        self.cameras.append(made)
        assert made.wait_for(lambda: not made.problem, DEADLINE), made.problem

        def let_pass(seconds):
            end = made.read().stamp + seconds
            assert made.wait_for(lambda: made.read().stamp > end, DEADLINE)

        return Rig(made, let_pass)


@pytest.fixture
def source():
    """Make an open source of a line of settings."""
    made = []

    def make(options, serial='0815-0001'):
        opened = BaslerCamera(parse_device(f'front basler:{serial} {options}'))
        made.append(opened)
        opened.open()
        return opened

    yield make
    for one in made:
        one.close()


def node_map(source):
    return source._camera.GetNodeMap()


def value(source, name):
    return node_map(source).GetNode(name).GetValue()


def test_settings_reach_the_camera_and_nothing_is_automatic(source):
    opened = source(
        'rate=40 exposure=0.008 gain=6 format=BayerGB8 binning=2 size=640x400 offset=16x8 '
        'packet_size=8192 packet_delay=500'
    )
    expected = {
        'ExposureAuto': 'Off', 'GainAuto': 'Off', 'ExposureTime': 8000.0, 'Gain': 6.0,
        'PixelFormat': 'BayerGB8', 'BinningHorizontal': 2, 'BinningVertical': 2, 'Width': 640,
        'Height': 400, 'OffsetX': 16, 'OffsetY': 8, 'GevSCPSPacketSize': 8192, 'GevSCPD': 500,
        'AcquisitionFrameRateAbs': 40.0,
    }  # fmt: skip
    assert {name: pytest.approx(value(opened, name), abs=1e-3) for name in expected} == expected
    assert opened.grab().pixels.shape == (400, 640, 3)


def test_a_region_without_an_offset_lies_in_the_middle(source):
    opened = source('size=1000x500')
    assert value(opened, 'OffsetX') == (value(opened, 'WidthMax') - 1000) // 2
    assert value(opened, 'OffsetY') == (value(opened, 'HeightMax') - 500) // 2


def test_what_an_earlier_program_left_is_overwritten(source):
    source('binning=2 size=200x100 offset=50x50').close()
    assert source('size=4096x4096').grab().pixels.shape == (4096, 4096, 3)


def test_colours_are_told_apart(source, tmp_path):
    """The emulator shows a picture from disk through the colour filter of its sensor."""
    picture = np.zeros((64, 96, 3), np.uint8)
    picture[:, :48], picture[:, 48:] = (220, 30, 10), (10, 40, 200)  # red, blue
    cv2.imwrite(str(tmp_path / 'picture.png'), picture[..., ::-1])
    opened = source('size=96x64 format=BayerGR8')
    opened._camera.StopGrabbing()
    features = node_map(opened)
    features.GetNode('TestImageSelector').SetValue('Off')
    features.GetNode('ImageFilename').SetValue(str(tmp_path))
    features.GetNode('ImageFileMode').SetValue('On')
    opened._camera.StartGrabbing(pylon.GrabStrategy_LatestImageOnly)
    pixels = opened.grab().pixels
    np.testing.assert_allclose(pixels[32, 10], (220, 30, 10), atol=3)
    np.testing.assert_allclose(pixels[32, 80], (10, 40, 200), atol=3)


@pytest.mark.parametrize(
    ('options', 'words'),
    [
        ('exposure=10 gain=60', 'Gain 60.0, allowed: 0 to 48'),
        ('format=YUV', 'PixelFormat YUV, allowed: Mono8, .*BayerRG8'),
        ('size=9000x100', 'Width 9000, allowed: 1 to 4096 in steps of 1'),
        ('size=100x100 offset=4000x0', 'OffsetX 4000, allowed: 0 to 3996'),
        ('white_balance=1.5,1,2', 'the camera has no BalanceRatioSelector'),
    ],
)
def test_what_the_camera_does_not_take_is_told_with_what_it_does(source, options, words):
    with pytest.raises(CameraError, match=words):
        source(options)


def test_a_camera_that_is_not_there_is_told_with_those_that_are(source):
    with pytest.raises(CameraError, match='serial number 7; pylon sees 0815-0000, 0815-0001'):
        source('', serial='7')


def test_a_damaged_image_is_counted_and_the_next_one_is_served():
    made = camera('front basler:0815-0001 rate=20 size=320x200')
    try:
        assert made.wait_for(lambda: not made.problem, DEADLINE), made.problem
        features = node_map(made._source)
        # Several, because a busy machine passes over what is not the newest.
        features.GetNode('ForceFailedBufferCount').SetValue(15)
        features.GetNode('ForceFailedBuffer').Execute()
        assert made.wait_for(lambda: made.take(1.0)['damaged'], DEADLINE)
        after = made.read().stamp
        assert made.wait_for(lambda: made.read().stamp > after, DEADLINE)
        assert made.take(1.0)['opened'] == 1
        assert not made.problem
    finally:
        made.close()


def test_many_damaged_images_in_a_row_open_the_camera_anew():
    made = camera(f'front basler:0815-0001 {SMALL}')
    try:
        assert made.wait_for(lambda: not made.problem, DEADLINE), made.problem
        features = node_map(made._source)
        features.GetNode('ForceFailedBufferCount').SetValue(1000)
        features.GetNode('ForceFailedBuffer').Execute()
        assert made.wait_for(
            lambda: made.take(1.0)['opened'] == 2 and not made.problem, DEADLINE
        ), made.take(1.0)
        assert made.take(1.0)['damaged'] >= 20
    finally:
        made.close()


def test_an_unplugged_camera_is_opened_again():
    made = camera(f'front basler:0815-0002 {SMALL}')
    try:
        assert made.wait_for(lambda: not made.problem, DEADLINE), made.problem
        problems = set()

        def back():
            problems.add(made.problem)
            return made.take(1.0)['opened'] == 2 and not made.problem

        node_map(made._source).GetNode('FirePnPCallback').Execute()
        assert made.wait_for(back, DEADLINE), problems
        assert 'Basler 0815-0002 was unplugged' in problems
    finally:
        made.close()


def test_numbers_of_images_go_on(source):
    opened = source('rate=200 size=64x64')
    numbers = []
    while len(numbers) < 10:
        try:
            numbers.append(opened.grab().number)
        except DamagedImageError:
            continue
    assert all(later > earlier for earlier, later in itertools.pairwise(numbers))
