"""The tracker in a painted cell: what it sees, and that it knows what it does not see."""

import numpy as np
import pytest

from chef_cell.core.readings import COLOURS
from chef_cell.testing import painted_cell
from chef_cell.testing.conformance import ObjectTrackerLaws, Rig
from chef_cell.tracking.refinement import RefinementSettings
from chef_cell.tracking.segmentation import ColourSettings
from chef_cell.tracking.track import JudgementSettings
from chef_cell.tracking.tracker import CameraTracker

ALL = len(COLOURS)
TOLERANCE = 0.003  # m, at 128 pixels, of which one is 2 mm there


def tracker_of(scene):
    return CameraTracker(scene.shapes, ColourSettings(), RefinementSettings(), JudgementSettings())


def update(tracker, scene, stamp=0.0, covers=None, cameras=None, searches=ALL):
    images = scene.images(covers)
    seen = {name: images[name] for name in cameras or images}
    return tracker.update(stamp, seen, scene.calibrations, searches)


def assert_right(scene, reading):
    for colour in COLOURS:
        assert reading.valid[colour], colour
        assert scene.error(reading.poses, colour) < TOLERANCE, colour


def test_nothing_is_known_before_the_first_image(small_scene):
    tracker = tracker_of(small_scene)
    assert not any(tracker.read().valid.values())
    assert set(tracker.problems.values()) == {'not seen yet'}


def test_objects_are_found_with_their_covariance(scene):
    tracker = tracker_of(scene)
    reading = update(tracker, scene, 3.0)
    assert_right(scene, reading)
    assert tracker.problems == dict.fromkeys(COLOURS, '')
    for colour in COLOURS:
        covariance = reading.covariances[colour]
        spread = np.sqrt(np.linalg.eigvalsh(covariance))
        assert 0.0 < spread[0] < spread[-1] < 0.2
        assert reading.stamps[colour] == 3.0
        error = reading.poses[colour][:3] - scene.poses[colour][:3]
        assert error @ np.linalg.solve(covariance[:3, :3], error) < 16.0  # 3.5 sigma of three


def test_one_lost_object_is_looked_for_in_each_update(small_scene):
    tracker = tracker_of(small_scene)
    counts = [
        sum(update(tracker, small_scene, 0.05 * i, searches=1).valid.values()) for i in range(3)
    ]
    assert counts == [1, 2, 3]


def test_moving_objects_are_followed(small_scene):
    tracker = tracker_of(small_scene)
    update(tracker, small_scene)
    for step in range(10):
        small_scene.poses['red'][:3] += (0.003, 0.001, 0.004)
        small_scene.poses['green'] = painted_cell.pose(0.66, 0.06, 0.075, angle=0.4 + 0.1 * step)
        reading = update(tracker, small_scene, 0.05 * step, searches=0)
        assert_right(small_scene, reading)


def test_orientations_do_not_jump_between_symmetric_ones(small_scene):
    tracker = tracker_of(small_scene)
    last = update(tracker, small_scene).poses['green'][3:]
    for step in range(18):  # a cube looks the same after 1.57 rad
        small_scene.poses['green'] = painted_cell.pose(0.66, 0.06, 0.075, angle=0.4 + 0.1 * step)
        quaternion = update(tracker, small_scene, 0.05 * step).poses['green'][3:]
        assert abs(quaternion @ last) > np.cos(0.5 * 0.25)
        last = quaternion


def test_an_object_that_jumps_is_found_again(small_scene):
    tracker = tracker_of(small_scene)
    update(tracker, small_scene)
    small_scene.poses['blue'] = painted_cell.pose(0.62, -0.1, 0.08, (1.0, 0.0, 0.0), np.pi / 2)
    reading = update(tracker, small_scene, 0.05)
    assert_right(small_scene, reading)


def test_a_hidden_object_keeps_its_last_pose_and_its_age(small_scene):
    tracker = tracker_of(small_scene)
    before = update(tracker, small_scene, 1.0)
    everything = [(0, 0), (160, 0), (160, 160), (0, 160)]
    reading = update(
        tracker, small_scene, 2.0, dict.fromkeys(small_scene.calibrations, everything)
    )
    assert reading.stamp == 2.0
    for colour in COLOURS:
        assert not reading.valid[colour]
        assert tracker.problems[colour] == 'seen by 0 cameras, at least 2 allowed'
        assert reading.stamps[colour] == 1.0
        np.testing.assert_array_equal(reading.poses[colour], before.poses[colour])


@pytest.mark.parametrize('seed', range(2))
def test_covers_never_lead_to_a_wrong_pose_that_is_valid(small_scene, seed):
    """Things in front wander through all images, and the objects move meanwhile."""
    rng = np.random.default_rng(seed)
    tracker = tracker_of(small_scene)
    update(tracker, small_scene)
    places = rng.uniform(30, 130, (3, 2))
    valid = 0
    for step in range(20):
        places += rng.normal(0.0, 8.0, places.shape)
        covers = {
            name: [place + corner for corner in ((-14, -80), (14, -80), (16, 14), (-16, 14))]
            for name, place in zip(small_scene.calibrations, places, strict=True)
        }
        small_scene.poses['red'][:3] += rng.normal(0.0, 0.003, 3)
        reading = update(tracker, small_scene, 0.05 * step, covers, searches=1)
        for colour in COLOURS:
            if reading.valid[colour]:
                valid += 1
                assert small_scene.error(reading.poses, colour) < 0.008, (step, colour)
    assert valid > 20, 'the covers hide nearly everything: the test shows nothing'


def test_one_camera_is_not_enough_and_says_so(small_scene):
    tracker = tracker_of(small_scene)
    update(tracker, small_scene)
    reading = update(tracker, small_scene, 0.05, cameras=('left',))
    assert not any(reading.valid.values())
    assert tracker.problems['green'] == 'seen by 1 cameras, at least 2 allowed'


def test_two_cameras_do(small_scene):
    reading = update(tracker_of(small_scene), small_scene, cameras=('left', 'back'))
    assert_right(small_scene, reading)


def test_another_object_of_that_colour_does_not_mislead(small_scene):
    """A red thing of another shape, or a second one, is no valid pose."""
    tracker = tracker_of(small_scene)
    small_scene.shapes = {**small_scene.shapes, 'red': painted_cell.box(0.09, 0.08, 0.02)}
    reading = update(tracker, small_scene)
    assert not reading.valid['red']
    assert reading.valid['green']


def test_without_cameras_nothing_is_seen(small_scene):
    tracker = tracker_of(small_scene)
    reading = tracker.update(1.0, {}, small_scene.calibrations)
    assert not any(reading.valid.values())


def test_images_of_another_size_are_refused(small_scene):
    tracker = tracker_of(small_scene)
    images = {'left': np.zeros((10, 12, 3), np.uint8)}
    with pytest.raises(ValueError, match=r'left: image of shape \(10, 12, 3\), calibrated for'):
        tracker.update(0.0, images, small_scene.calibrations)


def test_a_loss_is_told_with_its_reason(small_scene):
    tracker = tracker_of(small_scene)
    update(tracker, small_scene, 1.0)
    reading = tracker.lose(2.0, 'no images')
    assert reading.stamp == 2.0
    assert not any(reading.valid.values())
    assert set(tracker.problems.values()) == {'no images'}
    assert_right(small_scene, update(tracker, small_scene, 2.05))


class TestCameraTracker(ObjectTrackerLaws):
    """It keeps the laws of its port."""

    @pytest.fixture(autouse=True)
    def _scene(self, small_scene):
        self.scene = small_scene

    def rig(self):
        scene, tracker = self.scene, tracker_of(self.scene)
        time = 0.0
        update(tracker, scene, time)

        def let_pass(seconds):
            nonlocal time
            for _ in range(round(seconds / 0.05)):
                time += 0.05
                scene.poses['red'][0] += 0.001
                update(tracker, scene, time)

        return Rig(tracker, let_pass)
