"""Programs for a Sawyer run on ROS 2 with our own interface, and meet the errors they know."""

import errno
import subprocess
import sys
from pathlib import Path

import pytest

from chef_cell.intera_interface import RobotParams, wait_for
from chef_cell.intera_interface.waiting import NODE_ENDED
from chef_cell.testing.ros_harness import Graph

PROGRAM = Path(__file__).parents[1] / 'nodes' / 'sdk_program.py'


def test_the_program_that_the_vendors_sdk_runs_runs_here_too():
    """It is the one of test_vendor_sdk.py, here with our interface."""
    with Graph.open() as graph:
        graph.start('mujoco_bridge')
        graph.start('position_kinematics')
        done = subprocess.run(
            [sys.executable, str(PROGRAM)],
            env=graph.environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.endswith('ok everything\n')


def test_waiting_ends_with_the_condition_or_with_the_errors_that_programs_know():
    calls = []
    assert wait_for(lambda: len(calls) == 3, rate=1000, body=lambda: calls.append(1))
    assert not wait_for(lambda: False, timeout=0.0, raise_on_error=False)
    with pytest.raises(OSError, match='no robot') as late:
        wait_for(lambda: False, timeout=0.0, timeout_msg='no robot')
    assert late.value.errno == errno.ETIMEDOUT
    NODE_ENDED.set()
    try:
        with pytest.raises(OSError, match='Shutdown') as ended:
            wait_for(lambda: False, timeout=-1.0)
        assert ended.value.errno == errno.ESHUTDOWN
    finally:
        NODE_ENDED.clear()


def test_a_robot_knows_its_parts():
    robot = RobotParams()
    assert robot.get_limb_names() == ['right']
    assert robot.get_joint_names('right')[0] == 'right_j0'
    assert robot.get_joint_names('left') == []
    assert robot.get_robot_name() == 'sawyer'
    assert robot.get_camera_names() == []
