"""What every implementation of a device's port must do, simulated or real.

A test subclasses the laws of a port and says in `rig` how to make one and how its time passes:

    class TestSimWrist(WristLaws):
        def rig(self):
            cell = SimCell('1')
            cell.reset(0)
            return Rig(cell.wrist, lambda seconds: ...)

pytest then collects the laws by their names; nothing here depends on it.
"""

import dataclasses
from collections.abc import Callable
from typing import Any, Generic, TypeVar

import numpy as np

from chef_cell.core.ports import Arm, Camera, Gripper, ObjectTracker, Wrist
from chef_cell.core.readings import COLOURS, Grasp

Port = TypeVar('Port')

#: A command is repeated this often (s): devices stop when they are not spoken to.
COMMAND_PERIOD = 0.05
BAD_NUMBERS = (np.nan, np.inf, -np.inf)


@dataclasses.dataclass(frozen=True)
class Rig(Generic[Port]):
    """A port under test, and how to let time (s) pass for it."""

    port: Port
    let_pass: Callable[[float], None]


class DeviceLaws(Generic[Port]):
    """Laws of everything that can be read."""

    def rig(self) -> Rig[Port]:
        """Return a fresh rig."""
        raise NotImplementedError

    def test_stamps_never_go_back_and_follow_time(self) -> None:
        rig: Rig[Any] = self.rig()
        stamps = []
        for _ in range(4):
            stamps.append(rig.port.read().stamp)
            rig.let_pass(0.1)
        assert all(np.isfinite(stamps))
        assert (np.diff(stamps) >= 0.0).all(), stamps
        assert 0.1 < stamps[-1] - stamps[0] < 1.0, stamps

    def test_a_reading_is_a_snapshot(self) -> None:
        rig: Rig[Any] = self.rig()
        reading = rig.port.read()
        before = _flat(reading)
        self.disturb(rig)
        rig.port.read()
        np.testing.assert_array_equal(_flat(reading), before)

    def disturb(self, rig: Rig[Any]) -> None:
        """Make the device's readings change; by default time alone must do."""
        rig.let_pass(0.2)


class ArmLaws(DeviceLaws[Arm]):
    """Laws of `ports.Arm`."""

    speed = 0.2  # rad/s
    duration = 0.5  # s

    def disturb(self, rig: Rig[Arm]) -> None:
        """Move."""
        self.drive(rig, np.full(7, self.speed))

    def drive(self, rig: Rig[Arm], velocity: np.ndarray, duration: float | None = None) -> None:
        """Command a velocity for a while."""
        for _ in range(round((duration or self.duration) / COMMAND_PERIOD)):
            rig.port.command_velocity(velocity)
            rig.let_pass(COMMAND_PERIOD)

    def test_a_reading_has_seven_finite_joints(self) -> None:
        reading = self.rig().port.read()
        for name in ('position', 'velocity', 'torque'):
            values = getattr(reading, name)
            assert values.shape == (7,), name
            assert values.dtype == np.float64, name
            assert np.isfinite(values).all(), name

    def test_each_joint_moves_the_way_it_is_told_and_no_other_does(self) -> None:
        rig = self.rig()
        for joint in range(7):
            for sign in (1.0, -1.0):
                before = rig.port.read().position
                velocity = np.zeros(7)
                velocity[joint] = sign * self.speed
                self.drive(rig, velocity)
                measured = rig.port.read().velocity[joint]
                self.drive(rig, np.zeros(7), 1.0)
                moved = rig.port.read().position - before
                expected = sign * self.speed * self.duration
                assert abs(moved[joint] - expected) < 0.2 * abs(expected), (joint, sign, moved)
                assert np.abs(np.delete(moved, joint)).max() < 0.02, (joint, sign, moved)
                assert sign * measured > 0.5 * self.speed, (joint, sign, measured)

    def test_zero_velocity_stops(self) -> None:
        rig = self.rig()
        self.drive(rig, np.full(7, self.speed))
        assert np.abs(rig.port.read().velocity).max() > 0.5 * self.speed
        self.drive(rig, np.zeros(7), 1.0)
        assert np.abs(rig.port.read().velocity).max() < 0.05 * self.speed

    def test_a_command_is_taken_by_value(self) -> None:
        rig = self.rig()
        start = rig.port.read().position
        velocity = np.zeros(7)
        rig.port.command_velocity(velocity)
        velocity += self.speed
        rig.let_pass(0.1)
        assert np.abs(rig.port.read().position - start).max() < 0.01

    def test_commands_that_make_no_sense_are_refused_and_have_no_effect(self) -> None:
        rig = self.rig()
        start = rig.port.read().position
        rig.port.command_velocity(np.zeros(7))
        bad = [np.where(np.arange(7) == 3, number, self.speed) for number in BAD_NUMBERS]
        bad += [np.full(6, self.speed), np.full(8, self.speed), np.full((1, 7), self.speed)]
        for velocity in bad:
            assert_refused(rig.port.command_velocity, velocity)
        rig.let_pass(0.1)
        assert np.abs(rig.port.read().position - start).max() < 0.01


class GripperLaws(DeviceLaws[Gripper]):
    """Laws of `ports.Gripper`; the fingers must be open and free when the rig is made."""

    stroke_time = 2.0  # s, enough to close at full speed

    def disturb(self, rig: Rig[Gripper]) -> None:
        """Close."""
        self.drive(rig, 1.0, 0.5)

    def drive(self, rig: Rig[Gripper], velocity: float, duration: float | None = None) -> None:
        """Command a closing speed for a while."""
        for _ in range(round((duration or self.stroke_time) / COMMAND_PERIOD)):
            rig.port.command_velocity(velocity)
            rig.let_pass(COMMAND_PERIOD)

    def test_a_reading_is_in_range(self) -> None:
        rig = self.rig()
        for velocity in (0.0, 1.0, -1.0):
            self.drive(rig, velocity)
            reading = rig.port.read()
            assert 0.0 <= reading.position <= 255.0
            assert np.isfinite(reading.velocity)
            assert isinstance(reading.grasp, Grasp)

    def test_positive_closes_and_negative_opens(self) -> None:
        rig = self.rig()
        assert rig.port.read().position < 30.0
        self.drive(rig, 1.0, 0.4)
        closing = rig.port.read()
        assert closing.position > 30.0
        assert closing.velocity > 0.0
        self.drive(rig, 1.0)
        assert rig.port.read().position > 200.0
        self.drive(rig, -1.0, 0.4)
        assert rig.port.read().velocity < 0.0
        self.drive(rig, -1.0)
        assert rig.port.read().position < 30.0

    def test_zero_holds(self) -> None:
        rig = self.rig()
        self.drive(rig, 1.0, 0.5)
        self.drive(rig, 0.0, 0.5)
        held = rig.port.read().position
        self.drive(rig, 0.0, 0.5)
        assert abs(rig.port.read().position - held) <= 3.0

    def test_free_fingers_grasp_nothing(self) -> None:
        rig = self.rig()
        self.drive(rig, 1.0, 0.4)
        assert rig.port.read().grasp is Grasp.NONE

    def test_commands_that_make_no_sense_are_refused_and_have_no_effect(self) -> None:
        rig = self.rig()
        self.drive(rig, 0.0, 0.5)
        start = rig.port.read().position
        for velocity in (*BAD_NUMBERS, 1.01, -1.01, 255.0):
            assert_refused(rig.port.command_velocity, velocity)
        rig.let_pass(0.2)
        assert abs(rig.port.read().position - start) <= 3.0


class WristLaws(DeviceLaws[Wrist]):
    """Laws of `ports.Wrist`."""

    def test_a_reading_is_finite(self) -> None:
        reading = self.rig().port.read()
        for values in (reading.force, reading.torque):
            assert values.shape == (3,)
            assert values.dtype == np.float64
            assert np.isfinite(values).all()


class CameraLaws(DeviceLaws[Camera]):
    """Laws of `ports.Camera`."""

    def test_a_reading_is_an_rgb_image_of_constant_size(self) -> None:
        rig = self.rig()
        first = rig.port.read().pixels
        rig.let_pass(0.1)
        assert first.dtype == np.uint8
        assert first.ndim == 3
        assert first.shape[2] == 3
        assert rig.port.read().pixels.shape == first.shape
        assert first.std() > 1.0, 'the image is blank'

    def test_a_camera_has_a_name(self) -> None:
        assert self.rig().port.name


class ObjectTrackerLaws(DeviceLaws[ObjectTracker]):
    """Laws of `ports.ObjectTracker`."""

    def test_a_reading_has_a_pose_of_each_colour(self) -> None:
        reading = self.rig().port.read()
        assert set(reading.poses) == set(reading.valid) == set(COLOURS)
        for colour in COLOURS:
            assert_pose(reading.poses[colour])
            assert isinstance(reading.valid[colour], bool)


def assert_pose(pose: np.ndarray) -> None:
    """Fail unless `pose` is (7,): finite, a unit quaternion, its first non-zero positive."""
    assert pose.shape == (7,), pose
    assert np.isfinite(pose).all(), pose
    assert abs(np.linalg.norm(pose[3:]) - 1.0) < 1e-6, pose
    assert pose[3:][np.abs(pose[3:]) > 1e-9][0] > 0.0, pose


def assert_refused(call: Callable[..., object], *arguments: Any) -> None:
    """Fail unless the call raises ValueError."""
    try:
        call(*arguments)
    except ValueError:
        return
    raise AssertionError(f'{arguments} was taken')


def _flat(value: Any) -> np.ndarray:
    """All numbers of a reading in one array."""
    if dataclasses.is_dataclass(value):
        value = [getattr(value, field.name) for field in dataclasses.fields(value)]
    elif isinstance(value, dict):
        value = [value[key] for key in sorted(value)]
    if isinstance(value, list):
        return np.concatenate([np.empty(0), *map(_flat, value)])
    return np.array(value, np.float64).ravel()
