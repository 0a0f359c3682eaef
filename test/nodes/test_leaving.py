"""A node leaves nothing running when its work is over."""

import subprocess
import sys

from chef_cell.testing.ros_harness import DEADLINE, Graph

_PROGRAM = """
import pathlib
from chef_cell.nodes import ros

class Brief(ros.ManagedNode):
    def __init__(self):
        super().__init__('brief')

    def start(self):
        self.finished = True

def dds_threads():
    names = [path.read_text().strip() for path in pathlib.Path('/proc/self/task').glob('*/comm')]
    return sorted(name for name in names if name.startswith('dds'))

make = lambda: (Brief(), print('during:', *dds_threads()))[0]
print('code:', ros.run(make))
print('after:', *dds_threads())
"""


def test_no_thread_of_the_middleware_is_left():
    """One that is still there when the libraries leave may keep the process from ending."""
    with Graph.open() as graph:
        done = subprocess.run(
            [sys.executable, '-c', _PROGRAM],
            env=graph.environment,
            capture_output=True,
            text=True,
            timeout=DEADLINE,
        )
    during, code, after = (line for line in done.stdout.splitlines() if ':' in line)
    assert 'dds.ev' in during, done.stderr
    assert (code, after) == ('code: 0', 'after:'), done.stderr
