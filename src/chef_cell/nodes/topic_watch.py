"""Subscribe to whatever topics appear that a rule names, and take what they carry unopened."""

import time
from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any, NamedTuple

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy
from rclpy.subscription import Subscription

from chef_cell.core.topic_rules import TopicRule
from chef_cell.nodes import ros
from chef_cell.nodes.definitions import UnknownTypeError, bag_qos, definition, message_class
from chef_cell.nodes.image_treatment import IMAGE, treatment
from chef_trainer.episodes import Channel, Encode

#: Time between looks at the graph (s).
PERIOD = 0.25
#: Messages of a topic that may wait for this process: 10 s of a 100 Hz topic ...
DEPTH = 1000
#: ... or 2 s of a 60 Hz camera, which are 110 MB at 640x480.
IMAGE_DEPTH = 120


class Stream(NamedTuple):
    """A topic found, and how it enters a file."""

    source: str  # the topic on the graph
    channel: Channel  # in the file: of compressed images, under another name
    encode: Encode | None
    latched: bool
    rule: TopicRule


class Received(NamedTuple):
    """One message off the wire."""

    arrival_ns: int  # when the middleware had it, system clock
    topic: str  # of the stream's channel
    data: bytes
    number: int | None  # the publisher's; None where several count side by side


class TopicWatch:
    """Finds topics, and collects their messages when asked to.

    The subscriptions belong to a node that no executor spins: an executor would wake Python for
    each single message, which cost this process five times more than `take`, a hundred times a
    second. Nothing is late for it: the middleware says when a message arrived.

    Args:
        node: the node that looks; relative patterns lie in its namespace.
        rules: which topics; the first rule that matches counts.
        on_stream: receives each topic found, before its first message.
    """

    def __init__(
        self,
        node: Node,
        rules: Iterable[TopicRule],
        on_stream: Callable[[Stream], None],
    ) -> None:
        self._node = node
        self._ears = Node(
            f'{node.get_name()}_ears',
            namespace=node.get_namespace(),
            context=node.context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._rules = tuple(rules)
        self._on_stream = on_stream
        self._subscriptions: dict[str, tuple[Subscription, type, str]] = {}
        self._alone: dict[str, bool] = {}
        self._ignored: set[str] = set()
        ros.every(node, PERIOD, self.look)

    def look(self) -> None:
        """Subscribe to new topics; count publishers."""
        for topic, types in self._node.get_topic_names_and_types():
            if topic in self._alone:
                self._alone[topic] = self._node.count_publishers(topic) <= 1
            elif topic not in self._ignored:
                rule = self._rule(topic)
                if rule is None:
                    self._ignored.add(topic)
                else:
                    self._try(topic, types[0], rule)

    def take(self) -> list[Received]:
        """Return what has arrived since the last call, in the order of arrival."""
        received = []
        for source, (subscription, kind, topic) in self._subscriptions.items():
            alone, handle = self._alone[source], subscription.handle
            while (message := handle.take_message(kind, True)) is not None:
                data, info = message
                number = info['publication_sequence_number'] if alone else None
                arrival_ns = info['received_timestamp'] or time.time_ns()  # not all say when
                received.append(Received(arrival_ns, topic, data, number))
        received.sort(key=itemgetter(0))
        return received

    def subscribe(
        self, topic: str, type_name: str, offered: QoSProfile, type_hash: str, rule: TopicRule
    ) -> None:
        """Subscribe with the reliability and durability offered.

        Raises UnknownTypeError, and ValueError when the rule does not suit the type.
        """
        qos = (bag_qos(offered),)
        channel, encode = treatment(
            Channel(topic, type_name, definition(type_name), qos, type_hash), rule
        )
        kind = message_class(type_name)
        latched = offered.durability == DurabilityPolicy.TRANSIENT_LOCAL
        self._on_stream(Stream(topic, channel, encode, latched, rule))
        profile = QoSProfile(
            depth=IMAGE_DEPTH if type_name == IMAGE else DEPTH,
            reliability=offered.reliability,
            durability=offered.durability,
        )
        subscription = self._ears.create_subscription(kind, topic, _never, profile, raw=True)
        self._subscriptions[topic] = subscription, kind, channel.topic
        self._alone[topic] = True

    def close(self) -> None:
        """Stop listening."""
        self._subscriptions.clear()
        self._ears.destroy_node()

    def _rule(self, topic: str) -> TopicRule | None:
        namespace = self._node.get_namespace()
        return next((rule for rule in self._rules if rule.matches(topic, namespace)), None)

    def _try(self, topic: str, type_name: str, rule: TopicRule) -> None:
        publishers = self._node.get_publishers_info_by_topic(topic)
        if not publishers:
            return
        profiles = [publisher.qos_profile for publisher in publishers]
        # What all publishers offer.
        weakest = min(profiles, key=lambda p: p.reliability == ReliabilityPolicy.RELIABLE)
        try:
            type_hash = str(publishers[0].topic_type_hash)
            self.subscribe(topic, type_name, weakest, type_hash, rule)
        except (UnknownTypeError, ValueError) as error:
            self._ignored.add(topic)
            self._node.get_logger().error(f'{topic} is not recorded: {error}')


def _never(_: Any) -> None:
    """The callback of a subscription that nobody spins."""
