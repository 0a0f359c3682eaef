"""Safety node: the latch in a process of its own, working from its first to its last breath.

It says nothing before the first wrench: to the controller a silent latch means stop.
"""

import sys
import time

from builtin_interfaces.msg import Time
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from chef_cell.core.lockstep import StampGate
from chef_cell.core.safety import SafetyLatch, SafetySettings
from chef_cell.nodes import messages, ros
from chef_interfaces.msg import EpisodeState, SafetyState, TaskCommand, Tick

#: Period of the heartbeat in real time (s).
HEARTBEAT = 0.02


class SafetyNode(ros.CellNode):
    """Judges every wrench, joint state and command; publishes the verdict."""

    def __init__(self) -> None:
        super().__init__('safety')
        self._lockstep = self.declare_parameter('lockstep', False).value
        self._latch = SafetyLatch(ros.declare_settings(self, SafetySettings))
        self._state = SafetyState()
        self._since = 0.0
        self._wrench = WrenchStamped()
        self._heard = False
        self._tick: Tick | None = None
        self._gate = StampGate(('wrench', 'tick'))
        self._publisher = self.create_publisher(SafetyState, 'safety', ros.STATE_QOS)
        qos = ros.sensor_qos(self._lockstep)
        self.create_subscription(WrenchStamped, 'wrist/wrench', self._on_wrench, qos)
        self.create_subscription(JointState, '/robot/joint_states', self._on_joints, qos)
        self.create_subscription(TaskCommand, 'command', self._on_command, ros.COMMAND_QOS)
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        self.create_service(Trigger, '~/rearm', self._rearm)
        if self._lockstep:
            self.create_subscription(Tick, 'tick', self._on_tick, ros.COMMAND_QOS)
            self._publish(Time())
        else:
            ros.every(self, HEARTBEAT, self._beat)

    def _now(self, stamp: float) -> float:
        """The latch's clock: stamps in lockstep, where real time means nothing."""
        return stamp if self._lockstep else time.monotonic()

    def _on_wrench(self, message: WrenchStamped) -> None:
        self._wrench, self._heard = message, True
        if self._lockstep:
            self._gate.put('wrench', ros.nanoseconds(message.header.stamp))
            self._judge_together()
        else:
            self._judge()

    def _on_tick(self, message: Tick) -> None:
        self._tick = message
        self._gate.put('tick', ros.nanoseconds(message.header.stamp))
        self._judge_together()

    def _judge_together(self) -> None:
        """Judge a wrench once the tick has told its episode: messages may overtake each other."""
        if self._tick is None:
            return
        stamp = self._tick.header.stamp
        if self._gate.take(ros.nanoseconds(stamp)):
            self._latch.start_episode(self._tick.episode_id, ros.seconds(stamp))
            self._judge()

    def _judge(self) -> None:
        reading = messages.wrench_from_message(self._wrench)
        self._latch.on_wrench(reading, self._now(reading.stamp))
        self._state.header.stamp = self._wrench.header.stamp
        self._publish(self._wrench.header.stamp)

    def _on_joints(self, message: JointState) -> None:
        stamp = ros.seconds(message.header.stamp)
        try:
            self._latch.on_joints(messages.arm_from_message(message), self._now(stamp))
        except ValueError as error:
            self.get_logger().error(str(error), throttle_duration_sec=1.0)
            self._latch.on_malformed('joint_states', stamp, self._now(stamp))
        self._publish_change(message.header.stamp)

    def _on_command(self, message: TaskCommand) -> None:
        command = messages.task_command_from_message(message)
        self._latch.on_command(command, self._now(command.stamp))
        self._publish_change(message.header.stamp)

    def _on_episode(self, message: EpisodeState) -> None:
        if message.phase != EpisodeState.RUNNING:
            self._latch.end_episode(message.episode_id)
        elif not self._lockstep:
            self._latch.start_episode(message.episode_id, time.monotonic())

    def _beat(self) -> None:
        if not self._heard:
            self.get_logger().info('waiting for the first wrench', throttle_duration_sec=5.0)
            return
        self._latch.tick(time.monotonic())
        self._publish(self._state.header.stamp)

    def _publish_change(self, stamp: Time) -> None:
        if self._latch.state.level != self._state.level:
            self._publish(stamp)

    def _publish(self, stamp: Time) -> None:
        """Publish the verdict; `stamp` is that of the sample that was judged last."""
        verdict, state = self._latch.state, self._state
        if verdict.since != self._since:
            self._since = verdict.since
            state.since = stamp if verdict.level else Time()
        # Two calls, because rclpy refuses two severities from one line, by raising.
        if verdict.level > state.level:
            self.get_logger().error(f'stop: {verdict}')
        elif verdict.level < state.level:
            self.get_logger().info('released')
        state.level = int(verdict.level)
        state.reason = verdict.text
        state.source = verdict.source
        state.value = float(verdict.value)
        state.limit = float(verdict.limit)
        state.episode_id = verdict.episode_id
        self._publisher.publish(state)

    def _rearm(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        causes = self._latch.rearm(self._now(ros.seconds(self._state.header.stamp)))
        response.success = not causes
        response.message = '; '.join(causes) or 'rearmed'
        self.get_logger().info(f'rearm: {response.message}')
        self._publish(self._state.header.stamp)
        return response


def main() -> int:
    """Run the node."""
    return ros.run(SafetyNode)


if __name__ == '__main__':
    sys.exit(main())
