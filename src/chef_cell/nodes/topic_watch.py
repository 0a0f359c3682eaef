"""Subscribe to whatever topics appear that match a pattern, without decoding what they carry."""

import functools
from collections.abc import Callable, Iterable
from pathlib import PurePosixPath
from typing import Any

from rclpy.node import Node
from rclpy.qos import DurabilityPolicy, QoSProfile, ReliabilityPolicy

from chef_cell.nodes import ros
from chef_cell.nodes.definitions import UnknownTypeError, bag_qos, definition, message_class
from chef_trainer.episodes import Channel

PERIOD = 0.25  # s, between looks at the graph
#: Messages of a topic that may wait for this process: 10 s of a 100 Hz topic.
DEPTH = 1000


class TopicWatch:
    """Calls `on_topic` once per topic found, and `on_message` with every serialised message.

    Args:
        node: the node that subscribes; relative patterns lie in its namespace.
        patterns: names, in which * stands for one part of a path.
        on_topic: receives the topic, ready for an episode file.
        on_message: receives topic, data and the publisher's number of the message, which is None
            where several publishers count side by side.
    """

    def __init__(
        self,
        node: Node,
        patterns: Iterable[str],
        on_topic: Callable[[Channel, bool], None],
        on_message: Callable[[str, bytes, int | None], None],
    ) -> None:
        self._node = node
        self._patterns = tuple(absolute(pattern, node.get_namespace()) for pattern in patterns)
        self._on_topic, self._on_message = on_topic, on_message
        self._alone: dict[str, bool] = {}
        self._unknown: set[str] = set()
        ros.every(node, PERIOD, self.look)

    def look(self) -> None:
        """Subscribe to new topics; count publishers."""
        for topic, types in self._node.get_topic_names_and_types():
            if topic in self._alone:
                self._alone[topic] = self._node.count_publishers(topic) <= 1
            elif topic not in self._unknown and matches(topic, self._patterns):
                self._try(topic, types[0])

    def subscribe(self, topic: str, type_name: str, offered: QoSProfile, type_hash: str) -> None:
        """Subscribe with the reliability and durability offered; raises UnknownTypeError."""
        qos = (bag_qos(offered),)
        channel = Channel(topic, type_name, definition(type_name), qos, type_hash)
        kind = message_class(type_name)
        latched = offered.durability == DurabilityPolicy.TRANSIENT_LOCAL
        self._alone[topic] = True
        self._on_topic(channel, latched)
        self._node.create_subscription(
            kind,
            topic,
            functools.partial(self._receive, topic),
            QoSProfile(
                depth=DEPTH, reliability=offered.reliability, durability=offered.durability
            ),
            raw=True,
        )

    def _try(self, topic: str, type_name: str) -> None:
        publishers = self._node.get_publishers_info_by_topic(topic)
        if not publishers:
            return
        profiles = [publisher.qos_profile for publisher in publishers]
        # What all publishers offer.
        weakest = min(profiles, key=lambda p: p.reliability == ReliabilityPolicy.RELIABLE)
        try:
            self.subscribe(topic, type_name, weakest, str(publishers[0].topic_type_hash))
        except UnknownTypeError as error:
            self._unknown.add(topic)
            self._node.get_logger().error(f'{topic} is not recorded: {error}')

    def _receive(self, topic: str, data: bytes, info: dict[str, Any]) -> None:
        number = info['publication_sequence_number'] if self._alone[topic] else None
        self._on_message(topic, data, number)


def absolute(pattern: str, namespace: str) -> str:
    """Return the pattern as an absolute one."""
    return pattern if pattern.startswith('/') else f'{namespace.rstrip("/")}/{pattern}'


def matches(topic: str, patterns: Iterable[str]) -> bool:
    """Whether a topic matches one of the absolute patterns, part by part."""
    return any(PurePosixPath(topic).match(pattern) for pattern in patterns)
