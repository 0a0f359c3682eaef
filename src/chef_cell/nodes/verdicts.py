"""The verdict of the latch as a message, and what it says in the log."""

from builtin_interfaces.msg import Time
from rclpy.node import Node

from chef_cell.core.safety import SafetyVerdict
from chef_cell.nodes import ros
from chef_cell.nodes.diagnostics import Health
from chef_interfaces.msg import SafetyState


class Verdicts:
    """Publishes the latch's verdict on `safety`."""

    def __init__(self, node: Node) -> None:
        self._log = node.get_logger()
        self._state = SafetyState()
        self._since = 0.0
        self._publisher = node.create_publisher(SafetyState, 'safety', ros.STATE_QOS)

    @property
    def level(self) -> int:
        """Level published last."""
        return self._state.level

    @property
    def stamp(self) -> Time:
        """Stamp of the newest wrench that was judged."""
        return self._state.header.stamp

    @stamp.setter
    def stamp(self, stamp: Time) -> None:
        self._state.header.stamp = stamp

    def health(self) -> Health:
        """Return the verdict published last."""
        fault = self._state.level == SafetyState.FAULT
        return Health.of(self._state, self._state.reason, stops=fault)

    def publish(self, verdict: SafetyVerdict, stamp: Time) -> None:
        """Publish the verdict; `stamp` is that of the sample that was judged last."""
        state = self._state
        if verdict.since != self._since:
            self._since = verdict.since
            state.since = stamp if verdict.level else Time()
        # Two calls, because rclpy refuses two severities from one line, by raising.
        if verdict.level > state.level:
            self._log.error(f'stop: {verdict}')
        elif verdict.level < state.level:
            self._log.info('released')
        state.level = int(verdict.level)
        state.reason = verdict.text
        state.source = verdict.source
        state.value = float(verdict.value)
        state.limit = float(verdict.limit)
        state.episode_id = verdict.episode_id
        self._publisher.publish(state)
