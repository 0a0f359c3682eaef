"""The action run_session: sessions on request, one at a time."""

from collections.abc import Callable
from typing import Any

from rclpy.action import ActionServer, CancelResponse, GoalResponse
from rclpy.action.server import ServerGoalHandle
from rclpy.node import Node

from chef_cell.core.schedule import ScheduleError, SessionPlan
from chef_cell.nodes.session_run import SessionRun
from chef_interfaces.action import RunSession
from chef_interfaces.msg import EpisodeState


class SessionAction:
    """Serves run_session on `node`.

    A goal stays in the state ACCEPTED while its session runs, and is executed when it is over:
    an execute callback that waits would keep rclpy's events executor spinning.

    Args:
        begin: begins the run of a plan. Its second argument is told every state of an episode,
            its third when the session is over.
    """

    def __init__(
        self,
        node: Node,
        begin: Callable[
            [SessionPlan, Callable[[EpisodeState], None], Callable[[SessionRun], None]], SessionRun
        ],
    ) -> None:
        self._node = node
        self._begin = begin
        self._run: SessionRun | None = None
        self._server = ActionServer(
            node,
            RunSession,
            'run_session',
            lambda handle: RunSession.Result(),
            goal_callback=self._on_goal,
            handle_accepted_callback=self._on_accepted,
            cancel_callback=self._on_cancel,
        )

    def _on_goal(self, goal: RunSession.Goal) -> GoalResponse:
        try:
            _plan(goal)
        except ScheduleError as error:
            self._node.get_logger().error(f'session refused: {error}')
            return GoalResponse.REJECT
        if self._run is not None:
            self._node.get_logger().error('session refused: one is running')
            return GoalResponse.REJECT
        return GoalResponse.ACCEPT

    def _on_accepted(self, handle: ServerGoalHandle) -> None:
        def report(state: EpisodeState) -> None:
            feedback = RunSession.Feedback(episode=state)
            if self._run is not None:
                episodes = self._run.result.episodes
                feedback.episodes_done = len(episodes)
                feedback.successes = sum(episode.success for episode in episodes)
            handle.publish_feedback(feedback)

        def finish(run: SessionRun) -> None:
            self._run = None
            handle.execute(lambda _: _conclude(handle, run))

        self._run = self._begin(_plan(handle.request), report, finish)

    def _on_cancel(self, _: Any) -> CancelResponse:
        if self._run is not None:
            self._run.cancel('cancelled')
        return CancelResponse.ACCEPT


def _plan(goal: RunSession.Goal) -> SessionPlan:
    policies = tuple(goal.policies) or ('',)
    return SessionPlan(tuple(goal.triplets), policies, goal.episodes, goal.seed)


def _conclude(handle: ServerGoalHandle, run: SessionRun) -> RunSession.Result:
    result = run.result
    if handle.is_cancel_requested:
        handle.canceled()
    elif result.stopped_by:
        handle.abort()
    else:
        handle.succeed()
    return RunSession.Result(
        session_id=result.session_id,
        directory=str(run.directory),
        episodes=len(result.episodes),
        successes=sum(episode.success for episode in result.episodes),
        stopped_by=result.stopped_by,
    )
