"""How many there are who may publish a command."""

from typing import Any

from rclpy.event_handler import QoSLivelinessChangedInfo, SubscriptionEventCallbacks
from rclpy.node import Node
from rclpy.qos import QoSProfile

from chef_cell.nodes.wire import COMMANDER_QOS


class Commanders:
    """Counts the publishers of a command that are alive.

    Discovery misses a process that was killed only after 20 s, so that a policy that is started
    anew would be a second commander until then. Therefore our commanders offer to be missed after
    the lease of `COMMANDER_QOS`. A stranger who offers nothing counts as long as he is known, and
    beside him one of ours does too, dead or alive: a process that gets no time seems dead.

    Args:
        node: who counts; must be spinning.
        kind: message type of the command.
        topic: its name.
    """

    def __init__(self, node: Node, kind: type, topic: str) -> None:
        self._node = node
        self._topic = node.resolve_topic_name(topic)
        self._alive = 0
        # Only those who offer the lease are matched. What they say is read elsewhere.
        node.create_subscription(
            kind,
            topic,
            _ignore,
            QoSProfile(
                depth=1,
                reliability=COMMANDER_QOS.reliability,
                liveliness=COMMANDER_QOS.liveliness,
                liveliness_lease_duration=COMMANDER_QOS.liveliness_lease_duration,
            ),
            raw=True,
            event_callbacks=SubscriptionEventCallbacks(
                liveliness=self._on_liveliness, use_default_callbacks=False
            ),
        )

    def count(self) -> int:
        """Return the number of publishers; of those who offer the lease, the living or one."""
        known = self._node.count_publishers(self._topic)
        if known <= 1:
            return known
        ends = self._node.get_publishers_info_by_topic(self._topic)
        lease = COMMANDER_QOS.liveliness_lease_duration
        ours = sum(end.qos_profile.liveliness_lease_duration <= lease for end in ends)
        return len(ends) - ours + max(self._alive, min(ours, 1))

    def _on_liveliness(self, event: QoSLivelinessChangedInfo) -> None:
        self._alive = event.alive_count


def _ignore(_: Any) -> None:
    """A subscription must have a callback."""
