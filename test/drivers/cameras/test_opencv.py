"""Videos and sequences of images in a camera's place, and system cameras that are not there."""

import cv2
import numpy as np
import pytest

from chef_cell.core.camera_account import BackOff
from chef_cell.core.camera_settings import parse_device
from chef_cell.drivers.cameras.camera import GrabbedCamera, SilentCameraError
from chef_cell.drivers.cameras.opencv import VideoDevice, VideoFile
from chef_cell.drivers.cameras.source import CameraError
from chef_cell.testing.conformance import CameraLaws, Rig

DEADLINE = 20.0  # s
FRAMES = 5
RED, BLUE = (200, 40, 20), (20, 60, 220)


def picture(index):
    """Red on the left, blue on the right, and a bright bar that wanders (64, 96, 3)."""
    pixels = np.empty((64, 96, 3), np.uint8)
    pixels[:, :48], pixels[:, 48:] = RED, BLUE
    pixels[:, 10 * index : 10 * index + 5] = 255
    return pixels


@pytest.fixture
def sequence(tmp_path):
    """A pattern of numbered images."""
    for index in range(FRAMES):
        cv2.imwrite(str(tmp_path / f'frame_{index:04}.png'), picture(index)[..., ::-1])
    return tmp_path / 'frame_%04d.png'


@pytest.fixture
def video(tmp_path):
    """A video."""
    path = tmp_path / 'camera.avi'
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*'MJPG'), 50.0, (96, 64))
    for index in range(FRAMES):
        writer.write(picture(index)[..., ::-1])
    writer.release()
    return path


@pytest.fixture
def camera():
    """Make a camera that plays a file."""
    made = []

    def make(path, **options):
        source = VideoFile(parse_device(f'front file:{path} rate=100'))
        made.append(GrabbedCamera('front', source, back_off=BackOff(0.01, 0.01), **options))
        return made[-1]

    yield make
    for one in made:
        one.close()


def playing(camera):
    assert camera.wait_for(lambda: not camera.problem, DEADLINE), camera.problem
    return camera


class TestVideo(CameraLaws):
    @pytest.fixture(autouse=True)
    def _camera(self, camera, video):
        self.make = lambda: playing(camera(video))

    def rig(self):
        made = self.make()

        def let_pass(seconds):
            end = made.read().stamp + seconds
            assert made.wait_for(lambda: made.read().stamp > end, DEADLINE)

        return Rig(made, let_pass)


def test_colours_and_order_are_those_of_the_file_and_it_begins_again(camera, sequence):
    seen = []
    made = camera(sequence, on_image=seen.append)
    assert made.wait_for(lambda: len(seen) > FRAMES + 1, DEADLINE)
    for index, reading in enumerate(seen[: FRAMES + 2]):
        np.testing.assert_array_equal(reading.pixels, picture(index % FRAMES))


def test_before_the_first_image_there_is_nothing_to_read(camera, tmp_path):
    made = camera(tmp_path / 'absent.avi')
    assert made.wait_for(lambda: 'absent.avi' in made.problem, DEADLINE)
    with pytest.raises(SilentCameraError, match=r'front: .*absent\.avi is no video'):
        made.read()


def test_a_camera_that_comes_back_is_opened_again(camera, sequence):
    made = playing(camera(sequence))
    hidden = sequence.with_name('hidden')
    hidden.mkdir()
    files = sorted(sequence.parent.glob('frame_*.png'))
    for file in files:
        file.rename(hidden / file.name)
    assert made.wait_for(lambda: made.problem, DEADLINE)
    assert 'no images any more' in made.problem or 'no video' in made.problem
    before = made.read()
    for file in files:
        (hidden / file.name).rename(file)
    assert made.wait_for(lambda: not made.problem, DEADLINE), made.problem
    assert made.read().stamp > before.stamp
    assert made.take(1.0)['opened'] >= 2


def test_whoever_takes_the_images_may_fail_and_is_told(camera, video):
    def refuse(reading):
        raise ValueError('no room')

    made = camera(video, on_image=refuse)
    assert made.wait_for(lambda: 'ValueError: no room' in made.problem, DEADLINE)


def test_a_device_that_is_not_there_is_told():
    device = VideoDevice(parse_device('front v4l2:/dev/video_absent'))
    with pytest.raises(CameraError, match='/dev/video_absent can not be opened'):
        device.open()
    device.close()
