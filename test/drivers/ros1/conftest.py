"""A ROS 1 graph on loopback: a master, and nodes that end with the test."""

import contextlib
import threading
import time

import pytest

from chef_cell.drivers.ros1.codec import Codec
from chef_cell.drivers.ros1.definitions import Definitions
from chef_cell.drivers.ros1.master import Master
from chef_cell.drivers.ros1.node import Node

DEFINITIONS = Definitions(
    {
        'std_msgs/Header': 'uint32 seq\ntime stamp\nstring frame_id',
        'std_msgs/Float64': 'float64 data',
        'test/Blob': 'uint8[] data',
        'test/Stamped': 'Header header\nint32 value',
    },
    {'test/Add': 'int32 a\nint32 b\n---\nint32 sum'},
)
DEADLINE = 20.0  # s
_PAUSE = threading.Event()  # never set


class Ros1Graph:
    def __init__(self, stack):
        self._stack = stack
        self.master = self._master(0)
        self.port = int(self.master.uri.rstrip('/').rpartition(':')[2])
        self.codec = Codec(DEFINITIONS)

    def _master(self, port):
        master = Master('127.0.0.1', port)
        self._stack.callback(master.close)
        return master

    def node(self, name, codec=None):
        node = Node(name, f'http://127.0.0.1:{self.port}', codec or self.codec, '127.0.0.1')
        self._stack.callback(node.close)
        return node

    def stop_master(self):
        self.master.close()

    def start_master(self):
        self.master = self._master(self.port)

    def number(self, value):
        return self.codec.classes('std_msgs/Float64')(data=value)

    @staticmethod
    def wait_for(condition, what):
        end = time.monotonic() + DEADLINE
        while not condition():
            assert time.monotonic() < end, f'{what} did not come true in {DEADLINE} s'
            _PAUSE.wait(0.002)  # leaves the interpreter to the node's threads


@pytest.fixture
def ros1():
    with contextlib.ExitStack() as stack:
        yield Ros1Graph(stack)
