"""A graph of real nodes, and a probe that plays the parts of the cell that are not under test."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState

from chef_cell.core.readings import ArmReading, TaskCommand, WrenchReading
from chef_cell.nodes import messages, ros
from chef_cell.testing.ros_harness import Graph, NodeProcess
from chef_interfaces.msg import ControllerState, EpisodeState
from chef_interfaces.msg import TaskCommand as TaskCommandMessage

#: A posture in the middle of the workspace (rad).
POSTURE = np.array([0.0, -0.5186, -0.5294, 1.2209, 0.4086, 1.0783, 0.0])

# Neither the probe nor a busy machine is a real-time program: their samples come late by more
# than the time-outs of a cell. Tests of silence only wait a little longer.
SAFETY = {
    'wrench_timeout': 1.5,
    'joint_timeout': 1.5,
    'command_timeout': 2.0,
    'controller_timeout': 2.0,
    'command_behind': 5.0,
    'missed_deadlines': 1000,
}
CONTROLLER = {'safety_timeout': 1.5, 'joint_timeout': 1.5, 'command_timeout': 1.5}


@pytest.fixture
def graph() -> Iterator[Graph]:
    with Graph.open() as opened:
        yield opened


class Feed:
    """Sensors, policy and session of a cell in real time; change an attribute to inject a fault.

    `force` (N) is published as the compensated wrench, None publishes none; likewise `position`
    and `command`. `missed` is the count of deadlines that a controller reports; None unless a
    test plays the controller too.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.force: float | None = 1.0
        self.position: np.ndarray | None = POSTURE
        self.command: TaskCommand | None = TaskCommand(0.0, np.array([0.03, 0.0, 0.0]), 0.2, 1.0)
        self.command_ahead = 0.0  # s, of the stamp
        self.missed: int | None = None
        self.speed = 0.0  # rad/s, measured, of each joint
        self.repeats = True  # whether the session goes on saying what it said
        sensor = ros.SENSOR_PUBLISHER_QOS
        self._states = graph.publisher(ControllerState, 'controller/state')
        self._wrench = graph.publisher(WrenchStamped, 'wrist/wrench', sensor)
        self._joints = graph.publisher(JointState, '/robot/joint_states', sensor)
        self.commands = graph.publisher(TaskCommandMessage, 'command')
        self._episodes = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
        self._phase = EpisodeState.IDLE
        self._episode_id = ''
        graph.every(0.01, self._send_sensors)
        graph.every(0.05, self._send_command)
        graph.every(1.0, lambda: self.repeats and self._send_episode())

    def start_safety(self, **limits: Any) -> NodeProcess:
        """Start the real latch."""
        return self.graph.start('safety', {**SAFETY, **limits})

    def start_controller(self) -> NodeProcess:
        """Start the real controller."""
        return self.graph.start('controller', CONTROLLER)

    def run_episode(self, episode_id: str) -> None:
        """Say that an episode runs."""
        self._phase, self._episode_id = EpisodeState.RUNNING, episode_id
        self._send_episode()

    def end_episode(self) -> None:
        """Say that it has ended."""
        self._phase = EpisodeState.ENDED
        self._send_episode()

    def send_joints(self, message: JointState) -> None:
        """Publish one joint state as it is."""
        self._joints.publish(message)

    def _send_sensors(self) -> None:
        stamp = self.graph.probe.get_clock().now().to_msg()
        if self.position is not None:
            reading = ArmReading(0.0, self.position, np.full(7, self.speed), np.zeros(7))
            self._joints.publish(messages.arm_to_message(reading, stamp))
        if self.force is not None:
            wrench = WrenchReading(0.0, np.array([self.force, 0.0, 0.0]), np.zeros(3))
            self._wrench.publish(messages.wrench_to_message(wrench, stamp, 'ft300_sensor'))

    def _send_command(self) -> None:
        if self.missed is not None:
            self._states.publish(ControllerState(missed_deadlines=self.missed))
        if self.command is not None:
            now_ns = self.graph.probe.get_clock().now().nanoseconds
            stamp = ros.to_stamp(now_ns + round(self.command_ahead * 1e9))
            self.commands.publish(messages.task_command_to_message(self.command, stamp))

    def _send_episode(self) -> None:
        self._episodes.publish(EpisodeState(phase=self._phase, episode_id=self._episode_id))


@pytest.fixture
def feed(graph: Graph) -> Feed:
    return Feed(graph)
