"""The vendor's own SDK drives the simulated cell.

Needs an interpreter with rospy and intera_interface, named by INTERA_SDK_PYTHON; how to make one
is in src/chef_cell/docs/real_cell.md. Without it these tests are skipped, and the independent
client of test_intera_server.py stands in.
"""

import os
import subprocess
from pathlib import Path

import pytest

from chef_cell.testing.ros_harness import Graph
from chef_cell.testing.sawyer_server import start_server

PYTHON = os.environ.get('INTERA_SDK_PYTHON')


@pytest.mark.skipif(not PYTHON, reason='INTERA_SDK_PYTHON names no interpreter with the SDK')
def test_the_sdk_drives_the_cell_unchanged():
    with Graph.open() as graph:
        graph.start('position_kinematics')
        port = start_server(graph).port
        program = Path(__file__).with_name('sdk_program.py')
        environment = {
            'ROS_MASTER_URI': f'http://127.0.0.1:{port}',
            'ROS_IP': '127.0.0.1',
            'PATH': os.environ['PATH'],
            'HOME': os.environ.get('HOME', '/'),
            'PYTHONPATH': os.environ.get('INTERA_SDK_PATH', ''),
        }
        done = subprocess.run(
            [PYTHON, '-W', 'ignore', str(program)],
            env=environment,
            capture_output=True,
            text=True,
            timeout=200,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert done.stdout.endswith('ok everything\n')
