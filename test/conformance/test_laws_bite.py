"""A law is worth something only if a device that breaks it fails."""

import dataclasses

import numpy as np
import pytest

from chef_cell.core.readings import ArmReading
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.testing.conformance import ArmLaws, Rig
from chef_cell.testing.conformance_models import KinematicsLaws


class IdealArm:
    """Joints that do at once what they are told."""

    def __init__(self):
        self.time = 0.0
        self.position = np.zeros(7)
        self.velocity = np.zeros(7)

    def read(self):
        return ArmReading(self.time, self.position.copy(), self.velocity.copy(), np.zeros(7))

    def command_velocity(self, velocity):
        if velocity.shape != (7,) or not np.isfinite(velocity).all():
            raise ValueError(f'{velocity}')
        self.velocity = velocity.copy()

    def let_pass(self, seconds):
        self.time += seconds
        self.position = self.position + seconds * self.velocity


class Mirrored(IdealArm):
    def command_velocity(self, velocity):
        super().command_velocity(velocity * np.array([1, 1, 1, -1, 1, 1, 1]))


class Coupled(IdealArm):
    def command_velocity(self, velocity):
        super().command_velocity(velocity + 0.2 * np.roll(velocity, 1))


class Trusting(IdealArm):
    def command_velocity(self, velocity):
        self.velocity = np.nan_to_num(velocity[:7]).ravel()


class Unstoppable(IdealArm):
    def command_velocity(self, velocity):
        if velocity.any():
            super().command_velocity(velocity)


class Sharing(IdealArm):
    def read(self):
        return ArmReading(self.time, self.position, self.velocity, np.zeros(7))

    def let_pass(self, seconds):
        self.time += seconds
        self.position += seconds * self.velocity


class Aliasing(IdealArm):
    def command_velocity(self, velocity):
        super().command_velocity(velocity)
        self.velocity = velocity


class BackInTime(IdealArm):
    def read(self):
        return dataclasses.replace(super().read(), stamp=-self.time)


def broken_laws(laws):
    """Names of the laws that fail."""
    broken = set()
    for name in dir(laws):
        if name.startswith('test_'):
            try:
                getattr(laws, name)()
            except AssertionError:
                broken.add(name.removeprefix('test_'))
    return broken


@pytest.mark.parametrize(
    ('kind', 'law'),
    [
        (Mirrored, 'each_joint_moves_the_way_it_is_told_and_no_other_does'),
        (Coupled, 'each_joint_moves_the_way_it_is_told_and_no_other_does'),
        (Trusting, 'commands_that_make_no_sense_are_refused_and_have_no_effect'),
        (Unstoppable, 'zero_velocity_stops'),
        (Sharing, 'a_reading_is_a_snapshot'),
        (Aliasing, 'a_command_is_taken_by_value'),
        (BackInTime, 'stamps_never_go_back_and_follow_time'),
    ],
)
def test_an_arm_that_breaks_a_law_is_found(kind, law):
    class Laws(ArmLaws):
        def rig(self):
            arm = kind()
            return Rig(arm, arm.let_pass)

    assert law in broken_laws(Laws())


def test_an_ideal_arm_keeps_all_laws():
    class Laws(ArmLaws):
        def rig(self):
            arm = IdealArm()
            return Rig(arm, arm.let_pass)

    assert not broken_laws(Laws())


class WrongJacobian(ArmKinematics):
    def wrist_jacobian(self, position):
        return super().wrist_jacobian(position)[[3, 4, 5, 0, 1, 2]]


class FlippedQuaternion(ArmKinematics):
    def tool_pose(self, position):
        return super().tool_pose(position) * np.array([1, 1, 1, -1, -1, -1, -1])


@pytest.mark.parametrize(
    ('kind', 'law'),
    [
        (WrongJacobian, 'the_jacobian_is_the_derivative_of_the_wrist_pose'),
        (FlippedQuaternion, 'poses_are_poses'),
    ],
)
def test_kinematics_that_break_a_law_are_found(kind, law):
    class Laws(KinematicsLaws):
        def kinematics(self):
            return kind()

    assert broken_laws(Laws()) == {law}
