"""How nodes find out that all of them hear each other."""

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node
from std_msgs.msg import String

from chef_cell.nodes.parameters import declared
from chef_cell.nodes.wire import STATE_QOS, every


class RollCall:
    """Says on the latched topic `connected` when this node and all of its `peers` are connected.

    Until then a message may be published before a subscriber is known, and is lost to it: in
    lockstep everybody would wait for ever. Publisher and subscription of `connected` are made
    last; DDS announces the endpoints of a process in the order in which they were made, so who
    knows those two of a peer knows all of its endpoints.
    """

    TOPIC = 'connected'
    _PERIOD = 0.05  # s

    def __init__(self, node: Node) -> None:
        descriptor = ParameterDescriptor(
            description='nodes that must be connected to this one', dynamic_typing=True
        )
        self._node = node
        self._peers = set(declared(node, 'peers', None, descriptor) or ())
        self._publisher = node.create_publisher(String, self.TOPIC, STATE_QOS)
        node.create_subscription(String, self.TOPIC, lambda _: None, STATE_QOS)
        self._timer = every(node, self._PERIOD, self._look)

    def _look(self) -> None:
        topic = self._publisher.topic_name
        here = self._node.get_namespace()
        publishers = self._node.get_publishers_info_by_topic(topic)
        subscriptions = self._node.get_subscriptions_info_by_topic(topic)
        known = [
            {end.node_name for end in ends if end.node_namespace == here}
            for ends in (publishers, subscriptions)
        ]
        if self._peers <= known[0] & known[1]:
            self._publisher.publish(String(data=self._node.get_name()))
            self._timer.cancel()
