"""Policy node: one task command per control period of a running episode."""

import sys
import time
from functools import partial
from typing import Any

from builtin_interfaces.msg import Time
from std_msgs.msg import String

from chef_cell.core.actor import Actor
from chef_cell.core.policy_slot import Candidate, Offer, PolicySlot
from chef_cell.nodes import messages, ros
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.fault_switch import FaultSwitch
from chef_cell.nodes.policy_loader import PolicyLoader, PolicySettings, opener
from chef_cell.sim.kinematics import ArmKinematics
from chef_interfaces.msg import EpisodeState, PolicyState, TaskCommand, Tick


class PolicyNode(ros.ManagedNode):
    """Feeds the newest readings to the policy; swaps policies between two episodes only.

    In lockstep the ticks are the clock: a command is due once every reading the policy needs
    carries the tick's stamp. In real time a timer is, and readings may be `max_age` old.
    """

    images = True

    def __init__(self) -> None:
        super().__init__('policy')
        self._tick: Tick | None = None
        self._state = PolicyState()
        self._inference_ms = 0.0
        self._loader: PolicyLoader | None = None

    def setup(self) -> None:
        """Load the first policy; subscribe to everything a policy may ask for."""
        self._settings = settings = ros.declare_settings(self, PolicySettings)
        slot = PolicySlot(Offer(settings.rate_hz, settings.cameras), opener(self, settings))
        self._actor = Actor(slot, ArmKinematics())
        self._commands = self.create_publisher(TaskCommand, 'command', ros.COMMANDER_QOS)
        self._states = self.create_publisher(PolicyState, 'policy', ros.STATE_QOS)
        self._specs = self.create_publisher(String, 'policy/spec', ros.STATE_QOS)
        self._inputs = messages.READINGS | messages.camera_readings(settings.cameras)
        qos = ros.sensor_qos(settings.lockstep)
        for name, (kind, topic, _) in self._inputs.items():
            self.create_subscription(kind, topic, partial(self._on_reading, name), qos)
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        FaultSwitch(self)
        if settings.lockstep:
            self.create_subscription(Tick, 'tick', self._on_tick, ros.COMMAND_QOS)
        else:
            ros.every(self, 1.0 / settings.rate_hz, self._on_period)
        if settings.policy:
            self._take(slot.prepare(settings.policy))
            if slot.last_error:
                raise ValueError(slot.last_error)
        self._loader = PolicyLoader(self, slot.prepare, self._take)

    def start(self) -> None:
        """Say which policy is ready."""
        self._publish_state()

    def pause(self) -> None:
        """Stay silent until the next episode: going on must not resume this one."""
        self._actor.halted = True
        self._publish_state()

    def teardown(self) -> None:
        """Stop answering load requests."""
        if self._loader is not None:
            self._loader.close()
            self._loader = None

    def _take(self, candidate: Candidate) -> None:
        if not self._actor.take(candidate):
            self.get_logger().error(f'policy refused: {candidate.error}')
        self._publish_state()

    def _on_episode(self, episode: EpisodeState) -> None:
        running = episode.episode_id if episode.phase == EpisodeState.RUNNING else ''
        if running == self._actor.running:
            return
        if running:
            self._actor.start(running, episode.triplet, episode.policy_sha256)
            self._try_tick()
        else:
            self._actor.end()
        self._publish_state()

    def _on_reading(self, name: str, message: Any) -> None:
        read = partial(self._inputs[name][2], message)
        self._actor.put(name, ros.nanoseconds(message.header.stamp), read)
        self._try_tick()

    def _on_tick(self, tick: Tick) -> None:
        self._tick = tick if tick.command_due else None
        self._try_tick()

    def _try_tick(self) -> None:
        """In lockstep: act once everything the tick announced has arrived."""
        tick = self._tick
        if tick is None or tick.episode_id != self._actor.running:
            return
        if self._actor.ready(ros.nanoseconds(tick.header.stamp)):
            self._tick = None
            self._act(tick.header.stamp)

    def _on_period(self) -> None:
        """In real time: act on the newest readings; between two episodes, say how old they are."""
        now = self.get_clock().now()
        self._actor.check_ages(now.nanoseconds, self._settings.max_age)
        self._act(now.to_msg())

    def _act(self, stamp: Time) -> None:
        if not self.active:
            return
        begun = time.perf_counter()
        command = self._actor.act(ros.nanoseconds(stamp))
        if command is not None:
            self._commands.publish(messages.task_command_to_message(command, stamp))
            self._inference_ms = (time.perf_counter() - begun) * 1e3
        self._publish_state(stamp)

    def _publish_state(self, stamp: Time | None = None) -> None:
        known = self._state.sha256
        self._state = messages.policy_state(self._actor, stamp or self.get_clock().now().to_msg())
        current = self._actor.slot.current
        if current is not None and current.sha256 != known:
            self._specs.publish(String(data=current.spec.to_json()))
        self._state.ready &= self.active
        self._state.inference_ms = self._inference_ms
        if not self._settings.lockstep:
            ages = self._actor.ages(ros.nanoseconds(self._state.header.stamp))
            self._state.readings, self._state.ages = list(ages), list(ages.values())
        self._states.publish(self._state)

    def diagnose(self) -> dict[str, Health]:
        """Return the state published last."""
        return {'policy': Health.of(self._state, self._state.fault)}


def main() -> int:
    """Run the node."""
    return ros.run(PolicyNode)


if __name__ == '__main__':
    sys.exit(main())
