"""Session node: plays a queue of episodes, judges each, and writes down what came out."""

import sys
from collections.abc import Callable
from pathlib import Path

from std_srvs.srv import SetBool

from chef_cell.core.schedule import ScheduleError, SessionPlan
from chef_cell.core.session import EpisodeSettings
from chef_cell.nodes import ros
from chef_cell.nodes.cell_client import CellClient
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.session_action import SessionAction
from chef_cell.nodes.session_run import SessionRun
from chef_cell.nodes.session_settings import Patience, SessionSettings
from chef_cell.nodes.session_stop import BAD_INPUT, INTERRUPTED, SessionStoppedError
from chef_cell.session_folder import new_session_folder
from chef_cell.sim.kinematics import ArmKinematics
from chef_interfaces.msg import EpisodeState

#: How often a session looks around and goes on (s).
BEAT = 0.01
#: How often the state of the episode is repeated (s).
REPEAT = 1.0


class SessionNode(ros.ManagedNode):
    """Serves the action run_session; exit codes on start: 0 done, 2 bad input, 3 fault."""

    def __init__(self) -> None:
        super().__init__('session')
        self._run: SessionRun | None = None
        self._state = EpisodeState()

    def setup(self) -> None:
        """Connect to the other nodes."""
        self._settings = ros.declare_settings(self, SessionSettings)
        self._episode = ros.declare_settings(self, EpisodeSettings)
        self._patience = ros.declare_settings(self, Patience)
        self._kinematics = ArmKinematics()
        self._states = self.create_publisher(EpisodeState, 'episode', ros.STATE_QOS)
        self._client = CellClient(self, self._settings.lockstep, self._episode.period_ns)
        self._action = SessionAction(self, self._begin)
        self.create_service(SetBool, 'session/end_episode', self._on_end)
        ros.every(self, BEAT, self._beat)
        ros.every(self, REPEAT, self._repeat)

    def start(self) -> None:
        """Announce an idle cell; run the session of the parameters if asked to."""
        self._announce(EpisodeState())
        settings = self._settings
        if not settings.run_on_start:
            return
        try:
            plan = SessionPlan(
                settings.triplets, settings.policies, settings.episodes, settings.seed
            )
        except ScheduleError as error:
            self.get_logger().error(str(error))
            self.finished, self.exit_code = True, BAD_INPUT
        else:
            self._begin(plan, lambda state: None, self._finish)

    def stop(self) -> None:
        """End the episode under way, so that the recorder can finish its file."""
        if self._run is not None:
            self._run.stop(SessionStoppedError('interrupted', INTERRUPTED, 'abort'))
            self._run = None
        super().stop()

    def _begin(
        self,
        plan: SessionPlan,
        report: Callable[[EpisodeState], None],
        finish: Callable[[SessionRun], None],
    ) -> SessionRun:
        def announce(state: EpisodeState) -> None:
            self._announce(state)
            report(state)

        directory, name = Path(self._settings.directory), self._settings.session_id
        self._on_over = finish
        self._run = SessionRun(
            plan,
            directory / name if name else new_session_folder(directory),
            self._client,
            self._kinematics,
            self._episode,
            self._patience,
            self._settings.lockstep,
            self._settings.required,
            announce,
            self._settings.reset == 'scripted',
            self._settings.reset_attempts,
        )
        return self._run

    def _announce(self, state: EpisodeState) -> None:
        self._state = state
        self._states.publish(state)

    def diagnose(self) -> dict[str, Health]:
        """Return the episode; one that a fault has ended is a problem."""
        state = self._state
        return {'episode': Health.of(state, state.reason if state.outcome == 'fault' else '')}

    def _finish(self, run: SessionRun) -> None:
        self.finished, self.exit_code = True, run.exit_code

    def _on_end(self, request: SetBool.Request, response: SetBool.Response) -> SetBool.Response:
        """A person ends the episode: true judges it as it stands, false discards it."""
        response.success = self._run is not None and self._run.end_episode(request.data)
        response.message = '' if response.success else 'no episode is running'
        return response

    def _beat(self) -> None:
        run = self._run
        if run is not None and run.advance():
            if run.result.stopped_by:
                self.get_logger().error(f'session stopped: {run.result.stopped_by}')
            self._run = None
            self._on_over(run)

    def _repeat(self) -> None:
        if self._run is not None:
            self._run.publish()


def main() -> int:
    """Run the node."""
    return ros.run(SessionNode)


if __name__ == '__main__':
    sys.exit(main())
