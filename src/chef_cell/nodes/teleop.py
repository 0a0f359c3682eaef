"""Teleoperation node: a person gives the task commands that else a policy gives.

It takes the policy node's place in the graph. Both at once are two commanders, which the safety
latch takes for a fault.
"""

import dataclasses
import importlib
import sys
import time

from builtin_interfaces.msg import Time
from std_srvs.srv import SetBool

from chef_cell.core.teleop import (
    DEVICES,
    HUMAN,
    DeviceError,
    HandSource,
    Teleoperator,
    TeleopSettings,
    Verdict,
)
from chef_cell.nodes import messages, ros
from chef_cell.nodes.fault_switch import FaultSwitch
from chef_interfaces.msg import EpisodeState, PolicyState, SafetyState, TaskCommand, Tick

#: Classes that read the devices, each in a module of its device's name in the room of drivers.
_READERS = dict(zip(DEVICES, ('Keyboard', 'Gamepad', 'SpaceMouse'), strict=True))


@dataclasses.dataclass(frozen=True)
class TeleopNodeSettings(TeleopSettings):
    """Parameters of the node."""

    lockstep: bool = False
    device: str = 'keyboard'
    rate_hz: float = 20.0

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.device not in DEVICES:
            raise ValueError(f'device = {self.device!r}, allowed: {", ".join(DEVICES)}')


class TeleopNode(ros.ManagedNode):
    """Sends one task command per control period of a running episode.

    In lockstep a tick is answered in the next period of the wall clock: simulated time waits for
    the person, and never runs ahead of real time.
    """

    def __init__(self) -> None:
        super().__init__('teleop')
        self._source: HandSource | None = None
        self._tick: Tick | None = None
        self._running = self._fault = ''
        self._halted = False
        self._sent = 0

    def setup(self) -> None:
        """Open the device; a DeviceError says what to do if that is impossible."""
        self._settings = settings = ros.declare_settings(self, TeleopNodeSettings)
        self._operator = Teleoperator(settings)
        # Only the driver that is asked for is imported: each has a library of its own.
        driver = importlib.import_module(f'chef_cell.drivers.{settings.device}')
        self._source = getattr(driver, _READERS[settings.device])(settings)
        self._commands = self.create_publisher(TaskCommand, 'command', ros.COMMANDER_QOS)
        self._states = self.create_publisher(PolicyState, 'policy', ros.STATE_QOS)
        self._end_episode = self.create_client(SetBool, 'session/end_episode')
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        self.create_subscription(SafetyState, 'safety', self._on_safety, ros.STATE_QOS)
        FaultSwitch(self)
        if settings.lockstep:
            self.create_subscription(Tick, 'tick', self._on_tick, ros.COMMAND_QOS)
        ros.every(self, 1.0 / settings.rate_hz, self._on_period)

    def start(self) -> None:
        """Say that a person is ready."""
        self._publish_state(self.get_clock().now().to_msg())

    def teardown(self) -> None:
        """Release the device."""
        if self._source is not None:
            self._source.close()
            self._source = None

    def _on_episode(self, episode: EpisodeState) -> None:
        running = episode.episode_id if episode.phase == EpisodeState.RUNNING else ''
        if running and running != self._running:
            self._operator.start()
            self._halted, self._sent = False, 0
        self._running = running

    def _on_safety(self, verdict: SafetyState) -> None:
        """A fault silences the person until the next episode: rearming must not resume it."""
        self._halted |= verdict.level == SafetyState.FAULT

    def _on_tick(self, tick: Tick) -> None:
        self._tick = tick if tick.command_due else None

    def _on_period(self) -> None:
        if self._source is None or self._fault:
            return
        try:
            hand = self._source.read(time.monotonic())
        except DeviceError as error:
            self._fault = str(error)
            self.get_logger().error(self._fault)
            self._publish_state(self.get_clock().now().to_msg())
            return
        if not self.active:
            return  # but what was typed meanwhile is gone
        if hand.verdict != Verdict.GO_ON and self._running:
            self._end_episode.call_async(SetBool.Request(data=hand.verdict == Verdict.KEEP))
        stamp = self._due()
        command = self._operator.command(hand, ros.seconds(stamp or Time()))
        if stamp is not None and not self._halted:
            self._commands.publish(messages.task_command_to_message(command, stamp))
            self._sent += 1
            self._publish_state(stamp)

    def _due(self) -> Time | None:
        """The stamp of the command that is due now, if one is."""
        if not self._running:
            return None
        if not self._settings.lockstep:
            return self.get_clock().now().to_msg()
        tick = self._tick
        if tick is None or tick.episode_id != self._running:
            return None
        self._tick = None
        return tick.header.stamp

    def _publish_state(self, stamp: Time) -> None:
        state = PolicyState(ready=not self._fault, name=HUMAN, path=self._settings.device)
        state.header.stamp = stamp
        state.commands, state.fault = self._sent, self._fault
        self._states.publish(state)


def main() -> int:
    """Run the node."""
    return ros.run(TeleopNode)


if __name__ == '__main__':
    sys.exit(main())
