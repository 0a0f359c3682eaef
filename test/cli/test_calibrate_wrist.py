"""`chef calibrate wrist` with a Sawyer over ROS 1 and a sensor on a serial line, both emulated.

The Sawyer is the simulated cell behind the Intera server. Its sensor carries no weight, so the
sensor on the line is told what it would feel with a tool of known weight.
"""

import re
import subprocess
import sys
from pathlib import Path

import mujoco
import numpy as np
import pytest
import yaml
from sensor_msgs.msg import JointState

from chef_cell.cli.parameter_file import write_parameters
from chef_cell.cli.wrist_samples import TILTS
from chef_cell.core.wrench import rotation
from chef_cell.drivers.intera.interface import PARAMETERS
from chef_cell.graph import GraphError
from chef_cell.nodes import messages
from chef_cell.sim import contacts
from chef_cell.sim.cell import SimCell
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.testing.emulated_ft300 import EmulatedFt300
from chef_cell.testing.ros_harness import Graph
from chef_cell.testing.sawyer_server import START, start_server

CONFIG = Path(__file__).parents[2] / 'config'
MASS, CENTRE = 1.1, np.array([0.004, -0.003, 0.065])
BIAS = np.array([3.0, -7.0, 12.0, 0.1, 0.02, -0.3])
SENSOR = np.array([np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)])
NEUTRAL = np.array(PARAMETERS['/named_poses/right/poses/neutral'])


def test_the_motion_is_clear_of_everything_in_the_cell():
    cell = SimCell('1')
    cell.reset(0)
    robot = cell.addresses.robot_geoms
    for before, after in zip(TILTS, (*TILTS[1:], TILTS[0]), strict=True):
        for share in np.linspace(0.0, 1.0, 9):
            offset = (1.0 - share) * np.array(before) + share * np.array(after)
            posture = NEUTRAL.copy()
            posture[4:] += offset
            cell.data.qpos[cell.addresses.arm_position] = posture
            mujoco.mj_forward(cell.model, cell.data)
            touching = contacts.touching_pairs(cell.data)
            assert not [pair for pair in touching if robot & set(pair)], (before, after, share)


def test_a_tool_is_weighed(tmp_path):
    config = tmp_path / 'real.yaml'
    config.write_text((CONFIG / 'real.yaml').read_text())
    with Graph.open() as graph:
        joints = graph.collect(JointState, '/robot/joint_states')
        server = start_server(graph)
        graph.wait_for(lambda: joints, 'the arm', START)
        kinematics, random = ArmKinematics(), np.random.default_rng(0)

        def feel():
            posture = messages.arm_from_message(joints[-1]).position
            wrist = kinematics.wrist_pose(posture)[3:]
            weight = (rotation(wrist) @ rotation(SENSOR)).T @ [0.0, 0.0, -9.80665 * MASS]
            exact = BIAS + np.concatenate([weight, np.cross(CENTRE, weight)])
            return exact + random.normal(size=6) * np.repeat([0.3, 0.005], 3)

        device = EmulatedFt300(tmp_path / 'ft300', feel)
        command = [sys.executable, '-m', 'chef_cell.cli.main', 'calibrate', 'wrist', '--yes']
        command += ['--speed', '0.5', '--readings', '20', '--write', str(config)]
        command += ['--set', f'intera_driver.master_uri=http://127.0.0.1:{server.port}']
        command += ['--set', f'ft300_driver.port={tmp_path / "ft300"}']
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as done:
            graph.wait_for(lambda: done.poll() is not None, 'the end of the calibration', 240.0)
            said = done.stdout.read().decode()
        device.close()
    assert done.returncode == 0, said
    found = yaml.safe_load(config.read_text())['wrist']['ros__parameters']
    assert found['tool_mass'] == pytest.approx(MASS, abs=0.03)
    np.testing.assert_allclose(found['tool_centre'], CENTRE, atol=0.003)
    np.testing.assert_allclose(found['bias_force'], BIAS[:3], atol=0.3)
    assert 'mass below the sensor (kg)' in said


def test_numbers_are_put_into_a_file_whose_comments_stay(tmp_path):
    path = tmp_path / 'real.yaml'
    path.write_text((CONFIG / 'real.yaml').read_text())
    write_parameters(path, 'wrist', {'tool_mass': 1.25, 'bias_force': [1.0, -2.5, 0.0]})

    before = (CONFIG / 'real.yaml').read_text()
    after = path.read_text()
    expected = re.sub(r'tool_mass: 0.0 ', 'tool_mass: 1.25 ', before, count=1)
    expected = expected.replace('bias_force: [0.0, 0.0, 0.0]', 'bias_force: [1.0, -2.5, 0.0]')
    assert after == expected
    assert not list(tmp_path.glob('.*'))


def test_a_file_without_the_section_is_left_alone(tmp_path):
    path = tmp_path / 'real.yaml'
    path.write_text('safety:\n  ros__parameters:\n    force_limit: 20.0\n')
    with pytest.raises(GraphError, match='has no section wrist:'):
        write_parameters(path, 'wrist', {'tool_mass': 1.25})
    assert path.read_text().startswith('safety:')
