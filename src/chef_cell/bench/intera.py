"""What the way between ROS 1 and ROS 2 costs: round trip and share of a core.

    python -m chef_cell.bench.intera [--seconds 20]

Server: a ROS 1 client sends joint commands at 100 Hz; they cross intera_server to ROS 2, where
this process answers each with a message that crosses back. Driver: the same from ROS 2 through
intera_driver to a ROS 1 robot and back. Meanwhile three topics of the robot cross at 100 Hz each:
500 messages a second with commands and answers. The share of a core is that of the node's process,
from /proc.
"""

import argparse
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import rclpy
from rclpy.executors import ExternalShutdownException
from rclpy.experimental import EventsExecutor
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions
from rich.console import Console
from rich.table import Table

from chef_cell.cli.domain import reserved_domain
from chef_cell.cli.paths import config_folder
from chef_cell.cli.session import cell_environment
from chef_cell.core.intera import ARM_JOINTS
from chef_cell.drivers.intera.definitions import INTERA
from chef_cell.drivers.intera.interface import ARM_STATES, JOINT_COMMAND, Topic
from chef_cell.drivers.ros1 import node as ros1
from chef_cell.drivers.ros1.codec import Codec
from chef_cell.drivers.ros1.master import Master
from chef_cell.nodes import ros
from chef_cell.nodes.ros1_relay import ros2_class

PERIOD = 0.01  # s
#: Topics that cross all the time, each at 100 Hz; the last one carries the answers, too.
_NAMES = ('/joint_states', '/endpoint_state', '/tip_states')
LOAD = tuple(topic for topic in ARM_STATES if topic.name.endswith(_NAMES))
ECHO = LOAD[-1]
#: Per second: the load, the commands and their answers.
MESSAGES = round((len(LOAD) + 2) / PERIOD)
_TICK = os.sysconf('SC_CLK_TCK')
_START = 60.0  # s
#: A number of a trip becomes a velocity that the driver lets through (rad/s).
_SCALE = 1e-6

Publish = Callable[[Any], None]


class Trips:
    """Numbers each command, and takes the time until its answer."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self._sent: list[float] = []
        self._first = 0
        self._lock = threading.Lock()

    @property
    def sent(self) -> int:
        """Commands sent since the beginning."""
        return len(self._sent) - self._first

    def begin(self) -> None:
        """Forget the trips so far."""
        with self._lock:
            self.times.clear()
            self._first = len(self._sent)

    def command(self, make: Callable[[str], type]) -> Any:
        """Return the next command, its number hidden in a velocity."""
        message = make(JOINT_COMMAND.kind)()
        message.mode, message.names = 2, list(ARM_JOINTS)
        message.velocity = [_SCALE * len(self._sent)] * len(ARM_JOINTS)
        self._sent.append(time.perf_counter())
        return message

    @staticmethod
    def answer(command: Any, make: Callable[[str], type]) -> Any:
        """Return the answer to a command."""
        return make(ECHO.kind)(names=[str(round(command.velocity[0] / _SCALE))])

    def receive(self, message: Any) -> None:
        """Note the arrival of an answer."""
        now = time.perf_counter()
        with self._lock:
            number = int(message.names[0]) if message.names else -1
            if number >= self._first:
                self.times.append(now - self._sent[number])


@contextmanager
def ros2_node() -> Iterator[Node]:
    """A ROS 2 node that spins in a thread of its own."""
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = Node('bench_intera')
    executor = EventsExecutor()
    executor.add_node(node)
    done = threading.Event()

    def spin() -> None:
        try:
            while not done.is_set():
                executor.spin_once(timeout_sec=0.05)
        except ExternalShutdownException:
            return

    thread = threading.Thread(target=spin)
    thread.start()
    try:
        yield node
    finally:
        done.set()
        thread.join()
        node.destroy_node()
        rclpy.shutdown()


@contextmanager
def process(name: str, **parameters: Any) -> Iterator[int]:
    """One of our nodes; yields its process id."""
    command = [sys.executable, '-m', f'chef_cell.nodes.{name}', '--ros-args']
    for key, value in parameters.items():
        command += ['-p', f'{key}:={value}']
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as running:
        try:
            yield running.pid
        finally:
            running.terminate()


def ros2_publishers(node: Node) -> dict[Topic, Publish]:
    """Publishers of all that a robot says, in ROS 2."""
    return {
        topic: node.create_publisher(
            ros2_class(topic.kind),
            topic.name,
            ros.STATE_QOS if topic.latched else ros.SENSOR_PUBLISHER_QOS,
        ).publish
        for topic in LOAD
    }


def ros1_publishers(node: ros1.Node) -> dict[Topic, Publish]:
    """Publishers of all that a robot says, in ROS 1."""
    return {
        topic: node.advertise(topic.name, topic.kind, topic.latched, topic.queue).publish
        for topic in LOAD
    }


def measure_server(seconds: float) -> tuple[Trips, float]:
    """Client in ROS 1, robot in ROS 2; returns the trips and the server's share of a core."""
    trips, codec = Trips(), Codec(INTERA)
    port = _free_port()
    with ros2_node() as node, process('intera_server', port=port) as pid:
        states = ros2_publishers(node)
        node.create_subscription(
            ros2_class(JOINT_COMMAND.kind),
            JOINT_COMMAND.name,
            lambda message: states[ECHO](trips.answer(message, ros2_class)),
            ros.COMMAND_QOS,
        )
        client = ros1.Node('bench', f'http://127.0.0.1:{port}', codec, '127.0.0.1')
        try:
            client.subscribe(ECHO.name, ECHO.kind, trips.receive)
            commands = client.advertise(JOINT_COMMAND.name, JOINT_COMMAND.kind)
            share = _drive(
                trips, states, ros2_class, lambda: commands.publish(trips.command(codec.classes)),
                pid, seconds,
            )  # fmt: skip
        finally:
            client.close()
    return trips, share


def measure_driver(seconds: float) -> tuple[Trips, float]:
    """Cell in ROS 2, robot in ROS 1; returns the trips and the driver's share of a core."""
    trips, codec = Trips(), Codec(INTERA)
    master = Master('127.0.0.1', 0)
    robot = ros1.Node('sawyer', master.uri, codec, '127.0.0.1')
    try:
        states = ros1_publishers(robot)
        robot.subscribe(
            JOINT_COMMAND.name,
            JOINT_COMMAND.kind,
            lambda message: states[ECHO](trips.answer(message, codec.classes)),
        )
        with ros2_node() as node, process('intera_driver', master_uri=master.uri) as pid:
            node.create_subscription(
                ros2_class(ECHO.kind), ECHO.name, trips.receive, ros.sensor_qos(lockstep=False)
            )
            commands = node.create_publisher(
                ros2_class(JOINT_COMMAND.kind), JOINT_COMMAND.name, ros.COMMAND_QOS
            )
            share = _drive(
                trips, states, codec.classes, lambda: commands.publish(trips.command(ros2_class)),
                pid, seconds,
            )  # fmt: skip
    finally:
        robot.close()
        master.close()
    return trips, share


def _drive(
    trips: Trips,
    states: dict[Topic, Publish],
    make: Callable[[str], type],
    command: Callable[[], None],
    pid: int,
    seconds: float,
) -> float:
    """Publish all states and one command every period; returns the node's share of a core."""
    messages = {topic: _sample(topic, make) for topic in LOAD}
    end = time.monotonic() + _START
    while not trips.times:
        _tick(messages, states, make, command)
        time.sleep(PERIOD)
        if time.monotonic() > end:
            raise TimeoutError(f'no answer within {_START} s')
    trips.begin()
    used, start = _used(pid), time.monotonic()
    for tick in range(round(seconds / PERIOD)):
        _tick(messages, states, make, command)
        time.sleep(max(0.0, start + (tick + 1) * PERIOD - time.monotonic()))
    share = (_used(pid) - used) / (time.monotonic() - start)
    time.sleep(0.5)  # for the last answers
    return share


def _tick(
    messages: dict[Topic, Any],
    states: dict[Topic, Publish],
    make: Callable[[str], type],
    command: Callable[[], None],
) -> None:
    now = time.time_ns()
    for topic, message in messages.items():
        if hasattr(message, 'header'):
            stamp = make('builtin_interfaces/Time')
            message.header.stamp = stamp(sec=now // 10**9, nanosec=now % 10**9)
        states[topic](message)
    command()


def _sample(topic: Topic, make: Callable[[str], type]) -> Any:
    message = make(topic.kind)()
    if topic.kind == 'sensor_msgs/JointState':
        message.name = ['head_pan', *ARM_JOINTS, 'torso_t0']
        message.position = message.velocity = message.effort = [0.1] * len(message.name)
    if topic == ECHO:
        state = make('intera_core_msgs/EndpointState')
        message.states = [state(), state()]
    return message


def _used(pid: int) -> float:
    """Processor time of a process so far (s)."""
    with open(f'/proc/{pid}/stat') as file:
        fields = file.read().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def _free_port() -> int:
    with socket.create_server(('127.0.0.1', 0)) as free:
        return int(free.getsockname()[1])


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--seconds', type=float, default=20.0, help='for each. Default: 20')
    options = parser.parse_args()
    columns = ('way', 'p50 (ms)', 'p90', 'p99', 'max', 'answers', 'share of a core (%)')
    table = Table(*columns, title=f'{MESSAGES} messages a second')
    with reserved_domain() as domain:
        os.environ.update(cell_environment(config_folder(), domain))
        for name, measure in (('server', measure_server), ('driver', measure_driver)):
            trips, share = measure(options.seconds)
            times = np.percentile(1e3 * np.array(trips.times), (50, 90, 99, 100))
            answers = f'{len(trips.times)} of {trips.sent}'
            table.add_row(name, *(f'{t:.2f}' for t in times), answers, f'{100 * share:.1f}')
    Console().print(table)
    return 0


if __name__ == '__main__':
    sys.exit(main())
