"""The simulated arm as a Sawyer on a ROS 1 graph of its own; a test lets its time pass."""

import threading
from typing import Any

from chef_cell.core import intera
from chef_cell.drivers.intera.definitions import INTERA
from chef_cell.drivers.intera.interface import (
    COMMAND_TIMEOUT,
    JOINT_COMMAND,
    JOINT_LIMITS,
    JOINT_STATES,
)
from chef_cell.drivers.ros1.codec import Codec
from chef_cell.drivers.ros1.master import Master
from chef_cell.drivers.ros1.node import Node
from chef_cell.sim.cell import SimCell

DEADLINE = 20.0  # s
#: What a Sawyer reports for a joint at rest (rad/s).
REST = 0.001


class EmulatedSawyer:
    """Publishes joint states at 100 Hz of its own time, and obeys joint commands.

    Args:
        cell: a simulated cell that was reset.
        clock_offset: how much the robot's clock is ahead of ours (s).
    """

    PERIOD = 0.01  # s

    def __init__(self, cell: SimCell, clock_offset: float = 0.0) -> None:
        self.cell = cell
        self.time = 0.0  # s, by our clock
        self.received: list[Any] = []
        self.codec = Codec(INTERA)
        self.master = Master('127.0.0.1', 0)
        self._offset = clock_offset
        self._arbiter = intera.JointCommandArbiter()
        self._arrived = threading.Condition()
        self._node = Node('sawyer', self.master.uri, self.codec, '127.0.0.1')
        self.states = self._node.advertise(JOINT_STATES.name, JOINT_STATES.kind, queue=10)
        self.limits = self._node.advertise(JOINT_LIMITS.name, JOINT_LIMITS.kind, latch=True)
        self.commands = self._node.subscribe(
            JOINT_COMMAND.name, JOINT_COMMAND.kind, self._on_command
        )
        self._node.subscribe(
            COMMAND_TIMEOUT.name,
            COMMAND_TIMEOUT.kind,
            lambda message: self._arbiter.set_timeout(message.data),
        )

    def publish(self) -> None:
        """Tell the joint states of now."""
        reading = self.cell.arm.read()
        message = self.codec.classes(JOINT_STATES.kind)()
        time_ns = round((self.time + self._offset) * 1e9)
        message.header.stamp.sec = time_ns // 1_000_000_000
        message.header.stamp.nanosec = time_ns % 1_000_000_000
        message.name = ['head_pan', *intera.ARM_JOINTS, 'torso_t0']
        message.position = [0.0, *reading.position, 0.0]
        message.velocity = [REST, *(v or REST for v in reading.velocity), REST]
        message.effort = [0.0, *reading.torque, 0.0]
        self.states.publish(message)

    def step(self) -> None:
        """Let one period of the joint loop pass."""
        reading = self.cell.arm.read()
        velocity = self._arbiter.joint_velocity(self.time, reading.position, enabled=True)
        self.cell.step_joint(velocity, None)
        self.time += self.PERIOD

    def wait_for_command(self, count: int) -> None:
        """Wait until so many commands have come."""
        with self._arrived:
            come = self._arrived.wait_for(lambda: len(self.received) >= count, DEADLINE)
        assert come, f'{len(self.received)} of {count} commands in {DEADLINE} s'

    def close(self) -> None:
        """Leave, and end the master."""
        self._node.close()
        self.master.close()

    def _on_command(self, message: Any) -> None:
        with self._arrived:
            self.received.append(message)
            fields = (message.position, message.velocity, message.acceleration)
            command = intera.JointCommand(message.mode, message.names, *fields)
            self._arbiter.accept(command, self.time)
            self._arrived.notify_all()
