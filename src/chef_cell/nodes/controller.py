"""Controller node: task commands at 20 Hz held over a joint-velocity loop at 100 Hz.

Which command may be followed is decided by `core.command`, how it is by `core.velocity`. Images
must stay out of this process: they would share its interpreter with the joint loop.
"""

import itertools
import sys
import time
from functools import partial
from typing import Any

from builtin_interfaces.msg import Time
from rclpy.duration import Duration
from sensor_msgs.msg import JointState

from chef_cell.core.command import CommandGate, GateSettings
from chef_cell.core.joint_loop import AT_REST, JointLoop
from chef_cell.core.lockstep import StampGate
from chef_cell.core.velocity import CartesianController, ControllerSettings
from chef_cell.nodes import messages, ros
from chef_cell.nodes.controller_report import ControllerReport
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.phases import COMMANDS
from chef_cell.sim.kinematics import ArmKinematics
from chef_interfaces.msg import EpisodeState, GripperCommand, SafetyState, TaskCommand, Tick
from intera_core_msgs.msg import JointCommand

PERIOD = 0.01  # s, joint loop
TICKS_PER_COMMAND = 5
INPUTS = ('joints', 'tick', 'safety', 'command')  # the last only where a command is due


class ControllerNode(ros.CellNode):
    """Answers every tick of the joint loop with one joint-velocity command."""

    urgent = True

    def __init__(self) -> None:
        super().__init__('controller')
        self._lockstep = self.declare_parameter('lockstep', False).value
        self._gate = CommandGate(ros.declare_settings(self, GateSettings))
        settings = ros.declare_settings(self, ControllerSettings)
        self._loop = JointLoop(self._gate, CartesianController(ArmKinematics(), settings, PERIOD))
        self._report = ControllerReport(self, PERIOD)
        self._stamps = StampGate(INPUTS)
        self._tick = Tick()
        self._count = itertools.count()
        self._joint_commands = self.create_publisher(
            JointCommand, '/robot/limb/right/joint_command', ros.COMMANDER_QOS
        )
        self._grips = self.create_publisher(GripperCommand, 'gripper/command', ros.COMMAND_QOS)
        qos = ros.sensor_qos(self._lockstep)
        self.create_subscription(JointState, '/robot/joint_states', self._on_joints, qos)
        self.create_subscription(SafetyState, 'safety', self._on_safety, ros.STATE_QOS)
        self._phase = EpisodeState.IDLE
        for phase, topic in COMMANDS.items():
            heard = partial(self._on_command, phase)
            self.create_subscription(TaskCommand, topic, heard, ros.COMMAND_QOS)
        if self._lockstep:
            self.create_subscription(Tick, 'tick', self._on_tick, ros.COMMAND_QOS)
        else:
            self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
            ros.every(self, PERIOD, self._run_joint_loop)

    def _on_joints(self, message: JointState) -> None:
        try:
            position = messages.arm_from_message(message).position
        except ValueError as error:
            position = None
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
        self._loop.on_joints(position, self._time(message))
        self._arrived('joints', message)

    def _on_safety(self, message: SafetyState) -> None:
        ok, stop = message.level == SafetyState.OK, message.level == SafetyState.EPISODE_STOP
        worse = self._gate.on_safety(ok, self._time(message), may_retreat=stop)
        if worse and not self._lockstep:
            self._halt()  # now, not at the next tick
        self._arrived('safety', message)

    def _on_command(self, phase: int, message: TaskCommand) -> None:
        if self._phase in COMMANDS and self._phase != phase:
            return  # another commander's turn
        self._gate.on_command(messages.task_command_from_message(message), self._time(message))
        if self._gate.problem:
            self.get_logger().error(f'refused: {self._gate.problem}', throttle_duration_sec=1.0)
        self._arrived('command', message)

    def _on_episode(self, message: EpisodeState) -> None:
        if message.phase != self._phase:  # the last command was for what is over now
            self._gate.on_episode(False, time.monotonic())
        self._phase = message.phase
        self._gate.on_episode(message.phase in COMMANDS, time.monotonic())

    def _on_tick(self, message: Tick) -> None:
        self._tick = message
        self._gate.on_episode(bool(message.episode_id), self._time(message))
        self._arrived('tick', message)

    def _time(self, message: Any) -> float:
        """Time of arrival: the stamp in lockstep, a clock that never jumps in real time."""
        return ros.seconds(message.header.stamp) if self._lockstep else time.monotonic()

    def _arrived(self, name: str, message: Any) -> None:
        """In lockstep, answer the tick once all inputs of its instant are there."""
        if not self._lockstep:
            return
        self._stamps.put(name, ros.nanoseconds(message.header.stamp))
        tick = self._tick
        inputs = INPUTS if tick.command_due else INPUTS[:-1]
        if self._stamps.take(ros.nanoseconds(tick.header.stamp), inputs):
            self._loop.begin(tick.episode_id)
            self._step(ros.seconds(tick.header.stamp), tick.header.stamp, tick.command_due)

    def _run_joint_loop(self) -> None:
        due = next(self._count) % TICKS_PER_COMMAND == 0
        self._step(time.monotonic(), self.get_clock().now().to_msg(), due)

    def _step(self, now: float, stamp: Time, command_due: bool) -> None:
        self._report.tick()
        decision, output = self._loop.step(now)
        if command_due:
            self._grips.publish(messages.gripper_command(decision.command, stamp))
        self._joint_commands.publish(messages.velocity_to_message(output.joint_velocity, stamp))
        if command_due:
            self._report.publish(decision, output, stamp)

    def _halt(self) -> None:
        now = self.get_clock().now().to_msg()
        self._joint_commands.publish(messages.velocity_to_message(AT_REST.joint_velocity, now))

    def diagnose(self) -> dict[str, Health]:
        """Return why the arm stops, and how regular the joint loop is."""
        return self._report.health(self._lockstep)

    def stop(self) -> None:
        """Leave the arm at rest: the last command is zero velocity."""
        self._halt()
        self._joint_commands.wait_for_all_acked(Duration(seconds=0.2))


def main() -> int:
    """Run the node."""
    return ros.run(ControllerNode)


if __name__ == '__main__':
    sys.exit(main())
