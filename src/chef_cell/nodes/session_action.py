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

    Args:
        begin: makes the run of a plan; its second argument is told every state of an episode.
    """

    def __init__(
        self,
        node: Node,
        begin: Callable[[SessionPlan, Callable[[EpisodeState], None]], SessionRun],
    ) -> None:
        self._node = node
        self._begin = begin
        self._run: SessionRun | None = None
        self._server = ActionServer(
            node,
            RunSession,
            'run_session',
            self._execute,
            goal_callback=self._on_goal,
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

    def _on_cancel(self, _: Any) -> CancelResponse:
        if self._run is not None:
            self._run.cancel('cancelled')
        return CancelResponse.ACCEPT

    async def _execute(self, handle: ServerGoalHandle) -> RunSession.Result:
        def report(state: EpisodeState) -> None:
            result = run.result
            feedback = RunSession.Feedback(episode=state, episodes_done=len(result.episodes))
            feedback.successes = sum(episode.success for episode in result.episodes)
            handle.publish_feedback(feedback)

        run = self._run = self._begin(_plan(handle.request), report)
        try:
            result = await run.run()
        finally:
            self._run = None
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


def _plan(goal: RunSession.Goal) -> SessionPlan:
    policies = tuple(goal.policies) or ('',)
    return SessionPlan(tuple(goal.triplets), policies, goal.episodes, goal.seed)
