"""Reset node: the scripted reset between episodes, one task command per control period.

It speaks on `reset/command`, which the controller follows only in the phase SCRIPTED_RESET; the
session, which announces that phase, judges the latch, begins another try and calls a person.
"""

import dataclasses
import sys

import numpy as np
from builtin_interfaces.msg import Time

from chef_cell.core.reset.script import ScriptedReset
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.nodes import messages, ros
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.phases import COMMANDS
from chef_cell.nodes.reset_inputs import ResetInputs
from chef_cell.sim.objects import UnknownObjectError, resolve_triplet
from chef_cell.sim.scripted_reset import solids
from chef_interfaces.msg import EpisodeState, ResetState, TaskCommand


@dataclasses.dataclass(frozen=True)
class ResetNodeSettings(ResetSettings):
    """Parameters of the node."""

    lockstep: bool = False
    rate_hz: float = 20.0  # of the commands
    max_age: float = 0.5  # s; older readings stop the reset (real time)


class ResetNode(ros.ManagedNode):
    """Plays a `ScriptedReset` while the session asks for one.

    In lockstep the ticks are the clock, in real time a timer is, as for the policy.
    """

    def __init__(self) -> None:
        super().__init__('reset')
        self._script: ScriptedReset | None = None
        self._state = ResetState()

    def setup(self) -> None:
        """Subscribe to everything that a reset sees."""
        self._settings = settings = ros.declare_settings(self, ResetNodeSettings)
        self._inputs = ResetInputs(self, settings.lockstep, self._try_tick)
        self._commands = self.create_publisher(
            TaskCommand, COMMANDS[EpisodeState.SCRIPTED_RESET], ros.COMMANDER_QOS
        )
        self._states = self.create_publisher(ResetState, 'reset', ros.STATE_QOS)
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        if not settings.lockstep:
            ros.every(self, 1.0 / settings.rate_hz, self._on_period)

    def start(self) -> None:
        """Say that nothing is under way."""
        self._publish_state(Time())

    def _on_episode(self, episode: EpisodeState) -> None:
        if episode.phase != EpisodeState.SCRIPTED_RESET:
            self._script = None
        elif episode.episode_id != self._state.reset_id:
            self._begin(episode)

    def _begin(self, episode: EpisodeState) -> None:
        self._state = ResetState(reset_id=episode.episode_id)
        try:
            shapes = solids(resolve_triplet(episode.triplet))
        except UnknownObjectError as error:
            self._state.done, self._state.reason = True, str(error)
        else:
            entropy = [episode.seed, *episode.episode_id.encode()]
            self._script = ScriptedReset(shapes, self._settings, np.random.default_rng(entropy))
        self._publish_state(episode.header.stamp)
        self._try_tick()

    def _try_tick(self) -> None:
        """In lockstep: act once everything the tick announced is there, until it is done."""
        inputs, script = self._inputs, self._script
        if self._settings.lockstep and script is not None and not script.done:
            ours = inputs.tick.episode_id == self._state.reset_id
            if ours and inputs.complete():
                self._act(inputs.tick.header.stamp)

    def _on_period(self) -> None:
        """In real time: act on the newest readings; stand still once it is done."""
        now = self.get_clock().now()
        if self._inputs.fresh(now.nanoseconds * 1e-9, self._settings.max_age):
            self._act(now.to_msg())

    def _act(self, stamp: Time) -> None:
        script = self._script
        if script is None or not self.active:
            return
        activity, command = script.phase, script.step(self._inputs.view(ros.seconds(stamp)))
        if not (script.done and self._settings.lockstep):
            self._commands.publish(messages.task_command_to_message(command, stamp))
        if activity != script.phase or script.done != self._state.done:
            self._publish_state(stamp)

    def _publish_state(self, stamp: Time) -> None:
        state, script = self._state, self._script
        state.header.stamp = stamp
        if script is not None:
            state.activity, state.failed_tries = script.phase, len(script.failures)
            state.done, state.reason = script.done, script.failure
            state.success = script.done and not script.failure
        self._states.publish(state)

    def diagnose(self) -> dict[str, Health]:
        """Return how the reset stands; one that needs a person is a problem."""
        return {'reset': Health.of(self._state, self._state.reason)}


def main() -> int:
    """Run the node."""
    return ros.run(ResetNode)


if __name__ == '__main__':
    sys.exit(main())
