"""The nodes that stop the arm go first, where the system lets them; without that they run too."""

import os
import signal
import subprocess
import sys

import pytest

from chef_cell.nodes.priority import PRIORITY
from chef_cell.testing.ros_harness import Graph

REFUSED = """
import os, resource
from chef_cell.nodes.priority import go_first
resource.setrlimit(resource.RLIMIT_RTPRIO, (0, 0))
if os.geteuid() == 0:
    os.setuid(65534)
print(go_first(), os.sched_getscheduler(0) == os.SCHED_OTHER)
"""
ASKED = 'from chef_cell.nodes.priority import go_first; print(go_first())'


def printed(program):
    """What a Python of its own prints."""
    return subprocess.run(
        [sys.executable, '-c', program], capture_output=True, text=True, check=True
    ).stdout.strip()


def test_a_refusal_is_told_and_changes_nothing():
    words = printed(REFUSED)
    assert words.startswith(f'no real-time priority {PRIORITY} (')
    assert words.endswith('True')


@pytest.mark.parametrize(('node', 'urgent'), [('safety', True), ('viewer', False)])
def test_only_what_the_stop_waits_for_goes_first(node, urgent):
    with Graph.open() as graph:
        process = graph.start(node)
        graph.wait_for(graph.connected, 'the node')
        expected = os.SCHED_RR if urgent and not printed(ASKED) else os.SCHED_OTHER
        assert os.sched_getscheduler(process.pid) == expected
        assert process.stop(signal.SIGINT) == 0
