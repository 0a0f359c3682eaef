"""Carry topics and services between a ROS 1 and a ROS 2 graph, in one process.

Messages from ROS 1 are published from the ROS 1 node's own thread: one hop less, and the states of
a robot wait for nobody. They are carried as bytes; nobody makes objects of them on the way.
"""

import functools
import importlib
import logging
import struct
import threading
from collections.abc import Callable
from typing import Any

from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile

from chef_cell.drivers.intera.definitions import INTERA
from chef_cell.drivers.intera.interface import Topic
from chef_cell.drivers.ros1 import node as ros1
from chef_cell.drivers.ros1.codec import Codec, DecodeError
from chef_cell.drivers.ros1.transcode import LITTLE_ENDIAN, Transcoder
from chef_cell.nodes import ros

#: How long a service of the other graph may take (s).
SERVICE_TIMEOUT = 5.0
#: Takes the stamp of a message (s), returns the one to send it on with, or None to send nothing.
Restamp = Callable[[float], float | None]
_STAMP = struct.Struct('<iI')


@functools.cache
def ros2_class(name: str) -> type:
    """Return the ROS 2 class of a message, request or response named package/Type."""
    package, _, kind = name.partition('/')
    for half in ('Request', 'Response'):
        if kind.endswith(half):
            service = getattr(importlib.import_module(f'{package}.srv'), kind.removesuffix(half))
            return getattr(service, half)
    return getattr(importlib.import_module(f'{package}.msg'), kind)


def ros2_codec() -> Codec:
    """Return a codec that makes ROS 2 messages."""
    return Codec(INTERA, ros2_class)


class Relay:
    """Carries messages both ways between a ROS 2 node and a ROS 1 node."""

    def __init__(self, node: Node, robot: ros1.Node) -> None:
        self._node = node
        self._robot = robot
        self._transcoder = Transcoder(INTERA)
        self._log = _Log(node)
        logging.getLogger('chef_cell.ros1').addHandler(self._log)

    def to_ros1(self, topic: Topic, qos: QoSProfile, restamp: Restamp | None = None) -> None:
        """Carry a topic from ROS 2, subscribed with `qos`, to ROS 1."""
        encode = functools.partial(self._transcoder.from_cdr, topic.kind)
        publisher = self._robot.advertise(
            topic.name, topic.kind, topic.latched, topic.queue, encode
        )
        self._subscribe(topic, qos, _carrier(publisher.publish, restamp))

    def to_ros2(self, topic: Topic, restamp: Restamp | None = None) -> None:
        """Carry a topic from ROS 1 to ROS 2."""
        decode = functools.partial(self._transcoder.to_cdr, topic.kind)
        carry = _carrier(self._ros2_publisher(topic).publish, restamp)
        self._robot.subscribe(topic.name, topic.kind, carry, decode)

    def publisher(self, topic: Topic) -> Callable[[bytes | bytearray], None]:
        """Return what publishes messages in ROS 2 that it is given as the bytes of ROS 1."""
        publisher = self._ros2_publisher(topic)
        return lambda data: publisher.publish(self._transcoder.to_cdr(topic.kind, bytes(data)))

    def listen(self, topic: Topic, qos: QoSProfile, callback: Callable[[bytearray], None]) -> None:
        """Take a topic of ROS 2 as the bytes of ROS 1."""
        decode = functools.partial(self._transcoder.from_cdr, topic.kind)
        self._subscribe(topic, qos, lambda data: callback(decode(data)))

    def serve(self, name: str, kind: str) -> None:
        """Offer a ROS 2 service in ROS 1; calls wait in threads of their own."""
        package, _, service = kind.partition('/')
        made = getattr(importlib.import_module(f'{package}.srv'), service)
        client = self._node.create_client(made, name)

        def answer(request: Any) -> Any:
            if not client.service_is_ready():
                raise TimeoutError(f'nobody serves {name} in ROS 2')
            done = threading.Event()
            future = client.call_async(request)
            future.add_done_callback(lambda _: done.set())
            if not done.wait(SERVICE_TIMEOUT):
                raise TimeoutError(f'{name} took longer than {SERVICE_TIMEOUT} s')
            return future.result()

        self._robot.serve(name, kind, answer)

    def close(self) -> None:
        """Leave the ROS 1 graph. Nothing is carried after it."""
        self._robot.close()
        logging.getLogger('chef_cell.ros1').removeHandler(self._log)

    def _subscribe(self, topic: Topic, qos: QoSProfile, callback: Callable[[bytes], None]) -> None:
        """Take the bytes of a topic of ROS 2; bytes that are no such message end nothing."""

        def take(data: bytes) -> None:
            try:
                callback(data)
            except DecodeError as error:
                self._node.get_logger().error(
                    f'{topic.name}: refused: {error}', throttle_duration_sec=1.0
                )

        self._node.create_subscription(ros2_class(topic.kind), topic.name, take, qos, raw=True)

    def _ros2_publisher(self, topic: Topic) -> Publisher:
        qos = ros.STATE_QOS if topic.latched else ros.SENSOR_PUBLISHER_QOS
        return self._node.create_publisher(ros2_class(topic.kind), topic.name, qos)


class _Log(logging.Handler):
    """Shows what the ROS 1 side has to say among the node's own words."""

    def __init__(self, node: Node) -> None:
        super().__init__(logging.INFO)
        logging.getLogger('chef_cell.ros1').setLevel(logging.INFO)
        self._logger = node.get_logger()

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        if record.levelno >= logging.ERROR:
            self._logger.error(text)
        elif record.levelno >= logging.WARNING:
            self._logger.warning(text)
        else:
            self._logger.info(text)


def _carrier(publish: Callable[[bytes], None], restamp: Restamp | None) -> Callable[[bytes], None]:
    """Return what sends CDR on; with `restamp` the messages must begin with a header."""
    if restamp is None:
        return publish

    def carry(data: bytes) -> None:
        at = len(LITTLE_ENDIAN)
        if len(data) < at + _STAMP.size:
            raise DecodeError(f'{len(data)} bytes end before the stamp of their header')
        sec, nanosec = _STAMP.unpack_from(data, at)
        stamp = sec + 1e-9 * nanosec
        changed = restamp(stamp)
        if changed is None:
            return
        if changed != stamp:
            time = divmod(round(changed * 1e9), 10**9)
            data = data[:at] + _STAMP.pack(*time) + data[at + _STAMP.size :]
        publish(data)

    return carry
