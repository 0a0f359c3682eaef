"""Safety node: the latch in a process of its own, working from its first to its last breath.

It says nothing before the first wrench: to the controller a silent latch means stop.
"""

import sys
import time

from builtin_interfaces.msg import Time
from geometry_msgs.msg import WrenchStamped
from std_srvs.srv import Trigger

from chef_cell.core.lockstep import StampGate
from chef_cell.core.safety import SafetyLatch
from chef_cell.core.safety_causes import SafetySettings
from chef_cell.nodes import messages, ros
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.phases import COMMANDS
from chef_cell.nodes.safety_inputs import SafetyInputs
from chef_cell.nodes.verdicts import Verdicts
from chef_interfaces.msg import EpisodeState, Tick

#: Period of the heartbeat in real time (s).
HEARTBEAT = 0.02


class SafetyNode(ros.CellNode):
    """Judges all that is measured, commanded and said; publishes the verdict."""

    urgent = True

    def __init__(self) -> None:
        super().__init__('safety')
        self._lockstep = self.declare_parameter('lockstep', False).value
        settings = ros.declare_settings(self, SafetySettings)
        self._latch = SafetyLatch(settings, real_time=not self._lockstep)
        self._verdicts = Verdicts(self)
        self._wrench = WrenchStamped()
        self._heard = False
        self._tick: Tick | None = None
        self._gate = StampGate(('wrench', 'tick'))
        self._inputs = SafetyInputs(self, self._latch, self._lockstep, self._publish_change)
        qos = ros.sensor_qos(self._lockstep)
        self.create_subscription(WrenchStamped, 'wrist/wrench', self._on_wrench, qos)
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        self.create_service(Trigger, '~/rearm', self._rearm)
        if self._lockstep:
            self.create_subscription(Tick, 'tick', self._on_tick, ros.COMMAND_QOS)
            self._publish(Time())
        else:
            ros.every(self, HEARTBEAT, self._beat)

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
            self._inputs.on_tick(ros.nanoseconds(stamp))
            self._judge()

    def _judge(self) -> None:
        reading = messages.wrench_from_message(self._wrench)
        self._latch.on_wrench(reading, self._inputs.now(reading.stamp))
        self._verdicts.stamp = self._wrench.header.stamp
        self._publish(self._wrench.header.stamp)

    def _on_episode(self, message: EpisodeState) -> None:
        if message.phase not in COMMANDS:
            self._latch.end_episode(message.episode_id)
        elif not self._lockstep:
            self._latch.start_episode(message.episode_id, time.monotonic())
            self._latch.on_heartbeat('session', time.monotonic())

    def _beat(self) -> None:
        if not self._heard:
            self.get_logger().info('waiting for the first wrench', throttle_duration_sec=5.0)
            return
        self._inputs.count_publishers()
        self._inputs.look_at_clock()
        self._latch.tick(time.monotonic())
        self._publish(self._verdicts.stamp)

    def _publish_change(self, stamp: Time | None) -> None:
        """Publish at once when something stamped so, or without a stamp, changed the level."""
        if self._latch.state.level != self._verdicts.level:
            self._publish(stamp or self._verdicts.stamp)

    def _publish(self, stamp: Time) -> None:
        self._verdicts.publish(self._latch.state, stamp)

    def _rearm(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        self._inputs.count_publishers()
        causes = self._latch.rearm(self._inputs.now(ros.seconds(self._verdicts.stamp)))
        response.success = not causes
        response.message = '; '.join(causes) or 'rearmed'
        self.get_logger().info(f'rearm: {response.message}')
        self._publish(self._verdicts.stamp)
        return response

    def diagnose(self) -> dict[str, Health]:
        """Return what the latch says, and why."""
        return {'latch': self._verdicts.health()}


def main() -> int:
    """Run the node."""
    return ros.run(SafetyNode)


if __name__ == '__main__':
    sys.exit(main())
