"""Only processes through which images pass share memory; all others cannot be hung by it."""

import contextlib
import os
import signal
from pathlib import Path

import pytest

from chef_cell.nodes.transport import control_environment, control_transport
from chef_cell.testing.ros_harness import Graph

ROOT = Path(__file__).parents[2]
SHARED = {
    'FASTRTPS_DEFAULT_PROFILES_FILE': '/cell/config/fastdds.xml',
    'FASTDDS_DEFAULT_PROFILES_FILE': '/cell/config/fastdds.xml',
    'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
}


def test_our_profile_has_one_beside_it_without_shared_memory():
    assert control_environment(SHARED) == {
        'FASTRTPS_DEFAULT_PROFILES_FILE': '/cell/config/fastdds_control.xml',
        'FASTDDS_DEFAULT_PROFILES_FILE': '/cell/config/fastdds_control.xml',
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SYSTEM_DEFAULT',
    }
    assert (ROOT / 'config/fastdds_control.xml').is_file()


@pytest.mark.parametrize(
    'other',
    [
        {'ROS_AUTOMATIC_DISCOVERY_RANGE': 'SUBNET'},
        {'FASTRTPS_DEFAULT_PROFILES_FILE': '/home/me/mine.xml'},
    ],
)
def test_other_machines_and_other_profiles_are_left_alone(other):
    assert control_environment({**SHARED, **other}) == {}


def test_without_any_profile_nothing_is_chosen():
    assert control_environment({'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST'}) == {}


def test_the_environment_comes_back(monkeypatch):
    for name, value in SHARED.items():
        monkeypatch.setenv(name, value)
    before = dict(os.environ)
    with control_transport():
        assert os.environ['FASTRTPS_DEFAULT_PROFILES_FILE'].endswith('fastdds_control.xml')
    assert dict(os.environ) == before


def threads(pid):
    """Names of the threads of a process; Fast DDS names its own after their transport."""
    names = []
    for task in Path(f'/proc/{pid}/task').iterdir():
        with contextlib.suppress(FileNotFoundError):  # it ended meanwhile
            names.append((task / 'comm').read_text().strip())
    return names


@pytest.fixture
def graph():
    with Graph.open() as graph:
        yield graph


@pytest.mark.parametrize(('node', 'shares'), [('wrist', False), ('viewer', True)])
def test_only_processes_with_images_share_memory(graph, node, shares):
    process = graph.start(node)
    graph.wait_for(graph.connected, 'the node')
    names = threads(process.pid)
    assert any(name.startswith('dds.udp') for name in names)
    assert any(name.startswith('dds.shm') for name in names) == shares
    assert process.stop(signal.SIGINT) == 0
