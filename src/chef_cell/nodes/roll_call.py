"""How nodes find out that all of them hear each other."""

from collections.abc import Callable

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from std_msgs.msg import String

from chef_cell.nodes.parameters import declared
from chef_cell.nodes.wire import STATE_QOS, every


class RollCall:
    """Says on the latched topic `connected` when this node and all of its `peers` are connected.

    Until then a message may be published before a subscriber is known, and is lost to it: in
    lockstep everybody would wait for ever. Publisher and subscription of `connected` are made
    last; DDS announces the endpoints of a process in the order in which they were made, so who
    knows those two of a peer knows all of its endpoints.

    One node's word says nothing of the way back: between two nodes a message is safe in both
    directions only when both have spoken.

    Args:
        node: who is connected to its peers.
        prepare: for a node that subscribes to what it finds: called when all peers are known,
            before they can know this node. Of two peers only one may have it, or each would wait
            for the other.
    """

    TOPIC = 'connected'
    #: For who listens to all nodes: one latched message of each.
    LISTENER_QOS = QoSProfile(
        depth=100,
        reliability=ReliabilityPolicy.RELIABLE,
        durability=DurabilityPolicy.TRANSIENT_LOCAL,
    )
    _PERIOD = 0.05  # s

    def __init__(self, node: Node, prepare: Callable[[], None] | None = None) -> None:
        descriptor = ParameterDescriptor(
            description='nodes that must be connected to this one', dynamic_typing=True
        )
        self._node = node
        self._prepare = prepare
        self._peers = set(declared(node, 'peers', None, descriptor) or ())
        self._publisher: Publisher | None = None
        if prepare is None:
            self._publisher = self._appear()
        self._timer = every(node, self._PERIOD, self._look)

    def _appear(self) -> Publisher:
        """Make the last endpoints of this node."""
        publisher = self._node.create_publisher(String, self.TOPIC, STATE_QOS)
        self._node.create_subscription(String, self.TOPIC, lambda _: None, STATE_QOS)
        return publisher

    def _look(self) -> None:
        if not self._peers <= self._known():
            return
        if self._publisher is None:
            assert self._prepare
            self._prepare()
            self._publisher = self._appear()
        self._publisher.publish(String(data=self._node.get_name()))
        self._timer.cancel()

    def _known(self) -> set[str]:
        """Names of the nodes in this namespace whose endpoints are all known here."""
        topic = self._node.resolve_topic_name(self.TOPIC)
        here = self._node.get_namespace()
        publishers = self._node.get_publishers_info_by_topic(topic)
        subscriptions = self._node.get_subscriptions_info_by_topic(topic)
        known = [
            {end.node_name for end in ends if end.node_namespace == here}
            for ends in (publishers, subscriptions)
        ]
        return known[0] & known[1]
