"""What the controller tells of itself: why it stops, and how regular its loop is."""

import time
from collections import deque

from builtin_interfaces.msg import Time
from rclpy.node import Node

from chef_cell.core.command import Decision
from chef_cell.core.timing import PeriodStatistics, summarise
from chef_cell.core.velocity import ControlOutput
from chef_cell.nodes import messages, ros
from chef_cell.nodes.diagnostics import Health
from chef_interfaces.msg import ControllerState

#: Periods of the loop on which its health is judged: 10 s.
_KEPT = 1000


class ControllerReport:
    """Publishes controller/state.

    Args:
        node: the controller.
        period: of the joint loop (s).
    """

    def __init__(self, node: Node, period: float) -> None:
        self._log = node.get_logger()
        self._periods = PeriodStatistics(period)
        self._recent: deque[float] = deque(maxlen=_KEPT)
        self._state = ControllerState()
        self._told = 0  # deadlines missed up to the last report of health
        self._publisher = node.create_publisher(
            ControllerState, 'controller/state', ros.COMMAND_QOS
        )

    def tick(self) -> None:
        """The joint loop runs."""
        self._periods.tick(time.monotonic())

    def publish(self, decision: Decision, output: ControlOutput, stamp: Time) -> None:
        """Publish what was decided and done at `stamp`."""
        before, reason = self._state.stop_reason, decision.reason
        if reason != before:
            self._log.info(f'{before or "moving"} -> {reason or "moving"}')
        state = messages.controller_state(reason, output, stamp)
        periods = self._periods.take()
        self._recent.extend(periods)
        state.period_ms = [1e3 * period for period in periods]
        state.missed_deadlines = self._periods.missed
        self._state = state
        self._publisher.publish(state)

    def health(self, lockstep: bool) -> dict[str, Health]:
        """Return why the arm stops, and the periods of the last 10 s; in lockstep none is late."""
        loop = summarise(list(self._recent), self._periods.missed)
        late, self._told = loop.missed - self._told, loop.missed
        periods = {
            f'period {name} (ms)': 1e3 * getattr(loop, name) for name in ('p50', 'p99', 'max')
        }
        problem = f'{late} deadlines missed' if late and not lockstep else ''
        reason = self._state.stop_reason
        return {
            'arm': Health.of(self._state, '' if reason == 'idle' else reason),
            'loop': Health(problem, {**periods, 'deadlines missed': loop.missed}),
        }
