"""A Sawyer's arm behind the port of a cell."""

import dataclasses
import threading
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from chef_cell.core.intera import ARM_JOINTS, CommandError, JointCommand, Mode
from chef_cell.core.joint_guard import JointGuard, intersection, without_dead_band
from chef_cell.core.limits import SAWYER, JointLimits
from chef_cell.core.readings import ArmReading
from chef_cell.core.robot_clock import RobotClock
from chef_cell.drivers.intera.interface import (
    COMMAND_TIMEOUT,
    JOINT_COMMAND,
    JOINT_LIMITS,
    JOINT_STATES,
    Topic,
)
from chef_cell.drivers.intera.joint_bytes import JointBytes, JointReader, command_bytes
from chef_cell.drivers.ros1.node import Node
from chef_cell.drivers.ros1.topics import Publisher

#: Stamp (s), positions, velocities, efforts.
_Told = tuple[float, list[float], list[float], list[float]]
_VELOCITY = 1  # which array of a joint state it is


@dataclasses.dataclass(frozen=True)
class ArmSettings:
    """How the arm is spoken to."""

    command_timeout: float = 0.2  # s, silence after which the robot holds its position
    stale_after: float = 0.1  # s, commands are refused when the joint states are older

    def __post_init__(self) -> None:
        for name, upper in (('command_timeout', 1.0), ('stale_after', 10.0)):
            if not 0.0 < getattr(self, name) <= upper:
                raise ValueError(f'{name} {getattr(self, name)} s, allowed: 0 to {upper} s')


class SilentRobotError(RuntimeError):
    """The robot has not told its joint states, or not lately."""


class SawyerArm:
    """Seven joints of a Sawyer; implements `core.ports.Arm`.

    Joint states come in the node's own thread, and are passed on there. Measured velocities that
    the robot can't tell from rest are zero; stamps are told by our clock. Commands are kept within
    the robot's limits and the model's, whichever are narrower.

    Args:
        robot: a node in the robot's graph.
        settings: how the arm is spoken to.
        on_joints: takes each joint state, corrected, in the bytes of ROS 1.
        on_limits: takes the limits whenever the robot tells its own.
        now: our clock (s), the one that stamps are told by.
    """

    def __init__(
        self,
        robot: Node,
        settings: ArmSettings,
        on_joints: Callable[[bytearray], None] = lambda _: None,
        on_limits: Callable[[JointLimits], None] = lambda _: None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self.guard = JointGuard(SAWYER)
        self._settings = settings
        self._on_joints = on_joints
        self._on_limits = on_limits
        self._now = now
        self._clock = RobotClock()
        self._told: _Told | None = None
        self._heard = -np.inf
        self._first = threading.Event()
        self._names: tuple[str, ...] = ()
        self._indices: list[int] = []
        self._classes = robot.codec.classes
        self._commands = _advertise(robot, JOINT_COMMAND, bytearray)
        self._timeout = _advertise(robot, COMMAND_TIMEOUT)
        self._timeout.publish(self._classes(COMMAND_TIMEOUT.kind)(data=settings.command_timeout))
        robot.subscribe(JOINT_LIMITS.name, JOINT_LIMITS.kind, self._receive_limits)
        reader = JointReader(arrays=3)  # position, velocity, effort
        robot.subscribe(JOINT_STATES.name, JOINT_STATES.kind, self._receive_joints, reader.read)

    @property
    def age(self) -> float:
        """Time since the robot told its joint states (s)."""
        return self._now() - self._heard

    def wait(self, timeout: float) -> bool:
        """Wait for the first joint states (s); returns whether they came."""
        return self._first.wait(timeout)

    def read(self) -> ArmReading:
        """Return the newest joint state; raises SilentRobotError before the first."""
        stamp, *values = self._newest()
        return ArmReading(stamp, *map(np.array, values))

    def command_velocity(self, velocity: np.ndarray) -> None:
        """Command joint velocities (rad/s, (7,)).

        Raises:
            CommandError: not finite, or not of shape (7,); a ValueError.
            SilentRobotError: the joint states are missing or stale.
        """
        if np.shape(velocity) != (len(ARM_JOINTS),):
            raise CommandError(f'joint velocity has shape {np.shape(velocity)}, expected (7,)')
        self.command(JointCommand(Mode.VELOCITY, ARM_JOINTS, velocity=velocity.tolist()))

    def command(self, command: JointCommand) -> None:
        """Send a command of any mode but torque, within the limits; raises as above."""
        _, position, *_ = self._newest()
        if self.age > self._settings.stale_after:
            raise SilentRobotError(f'joint states are {self.age:.3f} s old')
        checked = self.guard.check(command, position)
        self._commands.publish(command_bytes(checked, self._now()))

    def set_timeout(self, timeout: float) -> None:
        """Set the silence (s) after which the robot holds its position."""
        self._timeout.publish(self._classes(COMMAND_TIMEOUT.kind)(data=timeout))

    def _newest(self) -> _Told:
        if self._told is None:
            raise SilentRobotError('no joint states of the robot yet')
        return self._told

    def _receive_joints(self, message: JointBytes) -> None:
        if message.names != self._names:
            self._names = message.names
            known = set(ARM_JOINTS) <= set(self._names)
            self._indices = [self._names.index(joint) for joint in ARM_JOINTS] if known else []
        if not self._indices:
            return  # of another part of the robot
        self._heard = self._now()
        stamp = self._clock.local(message.stamp, self._heard)
        message.stamp_with(stamp)
        position, velocity, effort = (
            [values[index] for index in self._indices] for values in message.arrays
        )
        for joint, index in enumerate(self._indices):
            velocity[joint] = without_dead_band(velocity[joint])
            message.change(_VELOCITY, index, velocity[joint])
        self._told = stamp, position, velocity, effort
        self._first.set()
        self._on_joints(message.data)

    def _receive_limits(self, message: Any) -> None:
        order = [list(message.joint_names).index(joint) for joint in ARM_JOINTS]
        fields = (message.position_lower, message.position_upper, message.velocity, message.accel)
        told = JointLimits(*(tuple(values[index] for index in order) for values in fields))
        self.guard.limits = intersection(SAWYER, told)
        self._on_limits(self.guard.limits)


def _advertise(
    robot: Node, topic: Topic, encode: Callable[[Any], bytearray] | None = None
) -> Publisher:
    return robot.advertise(topic.name, topic.kind, topic.latched, topic.queue, encode)
