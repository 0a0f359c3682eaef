"""A Sawyer over TCPROS keeps the laws of the arm's port, and is spoken to as a Sawyer must be."""

import contextlib
import threading

import numpy as np
import pytest

from chef_cell.core.intera import ARM_JOINTS, CommandError, JointCommand, Mode
from chef_cell.core.limits import SAWYER
from chef_cell.drivers.intera.arm import ArmSettings, SawyerArm, SilentRobotError
from chef_cell.drivers.intera.interface import JOINT_STATES
from chef_cell.drivers.ros1.node import Node
from chef_cell.sim.cell import SimCell
from chef_cell.testing.conformance import ArmLaws, Rig
from chef_cell.testing.emulated_sawyer import DEADLINE, EmulatedSawyer


@pytest.fixture(scope='module')
def cell():
    return SimCell('1')


class Loop:
    """A Sawyer and an arm that talks to it; time passes when told to."""

    def __init__(self, cell, clock_offset=0.0):
        cell.reset(0)
        self.sawyer = EmulatedSawyer(cell, clock_offset)
        self.node = Node('driver', self.sawyer.master.uri, self.sawyer.codec, '127.0.0.1')
        self.heard = threading.Condition()
        self.messages, self.limits = [], []
        self.arm = SawyerArm(
            self.node, ArmSettings(), self._on_joints, self.limits.append, lambda: self.sawyer.time
        )
        assert self.node.wait_registered(DEADLINE)
        self.wait(lambda: self.sawyer.states.subscribers and self.sawyer.commands.publishers)
        self.tell()

    def _on_joints(self, data):
        with self.heard:
            self.messages.append(self.sawyer.codec.decode(JOINT_STATES.kind, data))
            self.heard.notify_all()

    def wait(self, condition):
        with self.heard:
            done = lambda: self.heard.wait_for(condition, 0.005)  # noqa: E731
            assert any(done() for _ in range(int(DEADLINE / 0.005)))

    def tell(self):
        count = len(self.messages) + 1
        self.sawyer.publish()
        with self.heard:
            assert self.heard.wait_for(lambda: len(self.messages) >= count, DEADLINE)

    def let_pass(self, seconds):
        self.sawyer.wait_for_command(self.arm.guard.accepted)
        for _ in range(round(seconds / self.sawyer.PERIOD)):
            self.sawyer.step()
        self.tell()

    def close(self):
        self.node.close()
        self.sawyer.close()


@pytest.fixture
def loop(cell):
    made = Loop(cell)
    yield made
    made.close()


class TestSawyerArm(ArmLaws):
    @pytest.fixture(autouse=True)
    def _loops(self, cell):
        self.cell, self.loops = cell, []
        yield
        for loop in self.loops:
            loop.close()

    def rig(self):
        loop = Loop(self.cell, clock_offset=1234.5)
        self.loops.append(loop)
        return Rig(loop.arm, loop.let_pass)


def test_stamps_are_told_by_our_clock(cell):
    with contextlib.closing(Loop(cell, clock_offset=777.0)) as loop:
        loop.let_pass(0.05)
        assert loop.arm.read().stamp == pytest.approx(0.05)
        stamp = loop.messages[-1].header.stamp
        assert stamp.sec + 1e-9 * stamp.nanosec == pytest.approx(0.05)


def test_an_arm_at_rest_has_no_velocity(loop):
    """A Sawyer reports a milliradian per second then."""
    loop.sawyer.cell.data.qvel[:] = 0.0
    loop.tell()
    assert not loop.arm.read().velocity.any()
    assert loop.messages[-1].velocity[0] == 0.001  # the head is passed on as it is


def test_the_robot_is_told_the_timeout_and_holds_by_itself(loop):
    loop.arm.command_velocity(np.full(7, 0.2))
    loop.let_pass(0.2)
    assert loop.arm.read().velocity.min() > 0.1
    loop.let_pass(1.0)
    assert np.abs(loop.arm.read().velocity).max() < 0.01


def test_only_what_the_mode_needs_is_sent(loop):
    stale = [3.0] * 7
    loop.arm.command(JointCommand(Mode.VELOCITY, ARM_JOINTS, stale, [0.1] * 7))
    loop.arm.command(JointCommand(Mode.POSITION, ARM_JOINTS[::-1], stale, [0.1] * 7))
    loop.sawyer.wait_for_command(2)
    velocity, position = loop.sawyer.received
    assert (velocity.mode, list(velocity.position), list(velocity.velocity)) == (2, [], [0.1] * 7)
    assert (position.mode, len(position.position), list(position.velocity)) == (1, 7, [])


def test_limits_are_the_narrower_of_robot_and_model(loop):
    message = loop.sawyer.codec.classes('intera_core_msgs/JointLimits')()
    message.joint_names = ['head_pan', *ARM_JOINTS]
    message.position_lower = [-1.0, *SAWYER.lower]
    message.position_upper = [1.0, *SAWYER.upper]
    message.velocity = [1.0, *([0.05] * 7)]
    message.accel = [1.0, *SAWYER.acceleration]
    message.effort = [1.0] * 8
    loop.sawyer.limits.publish(message)
    loop.wait(lambda: loop.limits)
    assert loop.limits[0].velocity == (0.05,) * 7
    assert loop.limits[0].lower == SAWYER.lower
    loop.arm.command_velocity(np.full(7, -1.0))
    loop.sawyer.wait_for_command(1)
    assert list(loop.sawyer.received[0].velocity) == [-0.05] * 7


def test_a_silent_robot_is_not_commanded(loop):
    loop.sawyer.time += 0.2  # and no joint states
    with pytest.raises(SilentRobotError, match=r'0\.200 s old'):
        loop.arm.command_velocity(np.zeros(7))
    loop.tell()
    loop.arm.command_velocity(np.zeros(7))


def test_a_robot_never_heard_is_not_commanded(loop):
    early = Node('early', loop.sawyer.master.uri, loop.sawyer.codec, '127.0.0.1')
    with contextlib.closing(early) as node:
        arm = SawyerArm(node, ArmSettings())
        with pytest.raises(SilentRobotError, match='no joint states'):
            arm.command_velocity(np.zeros(7))


def test_torques_are_refused(loop):
    with pytest.raises(CommandError, match='mode 3'):
        loop.arm.command(JointCommand(Mode.TORQUE, ARM_JOINTS))


@pytest.mark.parametrize('values', [{'command_timeout': 0.0}, {'stale_after': -1.0}])
def test_settings_that_make_no_sense_are_refused(values):
    with pytest.raises(ValueError, match='allowed: 0 to'):
        ArmSettings(**values)
