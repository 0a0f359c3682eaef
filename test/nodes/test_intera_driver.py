"""The driver in front of a Sawyer looks like the simulated cell's bridge.

The Sawyer is the simulated cell behind the Intera server, in a ROS 2 graph of its own; the two
graphs meet only over ROS 1.
"""

import contextlib
import types

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Empty, Float64

from chef_cell.core.intera import ARM_JOINTS
from chef_cell.core.limits import SAWYER
from chef_cell.nodes import messages, ros
from chef_cell.nodes.intera_driver import DriverSettings
from chef_cell.testing.ros_harness import Graph
from chef_cell.testing.sawyer_server import START, start_server
from intera_core_msgs.msg import (
    EndpointState,
    EndpointStates,
    JointCommand,
    JointLimits,
    RobotAssemblyState,
)

LIMB = '/robot/limb/right/'


@pytest.fixture(scope='module')
def cell():
    with contextlib.ExitStack() as stack:
        robot = stack.enter_context(Graph.open())
        sawyer = start_server(robot)
        graph = stack.enter_context(Graph.open())
        driver = graph.start('intera_driver', {'master_uri': f'http://127.0.0.1:{sawyer.port}'})
        made = types.SimpleNamespace(
            robot=robot,
            bridge=sawyer.bridge,
            server=sawyer.server,
            port=sawyer.port,
            graph=graph,
            driver=driver,
            joints=graph.collect(JointState, '/robot/joint_states'),
            states=graph.collect(RobotAssemblyState, '/robot/state', ros.STATE_QOS),
            limits=graph.collect(JointLimits, '/robot/joint_limits', ros.STATE_QOS),
            endpoints=graph.collect(EndpointState, LIMB + 'endpoint_state'),
            tips=graph.collect(EndpointStates, LIMB + 'tip_states'),
            command=graph.publisher(JointCommand, LIMB + 'joint_command'),
            timeout=graph.publisher(Float64, LIMB + 'joint_command_timeout'),
            enable=graph.publisher(Bool, '/robot/set_super_enable'),
            stop=graph.publisher(Empty, '/robot/set_super_stop'),
            reset=graph.publisher(Empty, '/robot/set_super_reset'),
            diagnostics=graph.collect(DiagnosticArray, '/diagnostics'),
        )
        graph.wait_for(
            lambda: graph.connected() and made.joints and made.states and made.limits,
            'the robot',
            START,
        )
        yield made


def arm(cell):
    return messages.arm_from_message(cell.joints[-1])


def until(cell, what, condition, body):
    timer = cell.graph.every(0.01, body)
    try:
        cell.graph.wait_for(condition, what)
    finally:
        timer.cancel()


def drive(cell, velocity):
    stamp = cell.graph.probe.get_clock().now().to_msg()
    cell.command.publish(messages.velocity_to_message(np.full(7, velocity), stamp))


def test_everything_the_bridge_says_comes_from_the_robot_too(cell):
    cell.graph.wait_for(lambda: cell.endpoints and cell.tips, 'endpoints')
    assert list(cell.joints[-1].name) == ['head_pan', *ARM_JOINTS, 'torso_t0']
    assert tuple(cell.limits[-1].velocity) == SAWYER.velocity
    assert cell.endpoints[-1].header.frame_id == 'base'
    assert cell.tips[-1].names == ['right_hand', 'right_gripper_tip']
    assert cell.states[-1].enabled


def test_the_arm_obeys_and_stops_by_itself(cell):
    start = arm(cell).position
    until(
        cell, 'motion', lambda: (arm(cell).position - start).min() > 0.03, lambda: drive(cell, 0.1)
    )
    cell.graph.wait_for(lambda: np.abs(arm(cell).velocity).max() < 0.01, 'the watchdog')
    until(
        cell,
        'the way back',
        lambda: (arm(cell).position - start).max() < 0.02,
        lambda: drive(cell, -0.1),
    )


def test_stamps_are_of_our_clock(cell):
    now = cell.graph.probe.get_clock().now().nanoseconds * 1e-9
    assert abs(arm(cell).stamp - now) < 60.0
    stamps = [ros.seconds(message.header.stamp) for message in cell.joints]
    assert (np.diff(stamps) >= 0.0).all()


def test_the_robot_is_stopped_and_freed_from_here(cell):
    until(cell, 'the stop', lambda: cell.states[-1].stopped, lambda: cell.stop.publish(Empty()))
    until(
        cell, 'the reset', lambda: not cell.states[-1].stopped, lambda: cell.reset.publish(Empty())
    )
    assert not cell.states[-1].enabled
    until(
        cell,
        'the robot enabled',
        lambda: cell.states[-1].enabled,
        lambda: cell.enable.publish(Bool(data=True)),
    )


def test_a_bad_command_goes_no_further(cell):
    until(
        cell,
        'the refusal',
        lambda: 'is not finite' in cell.driver.output(),
        lambda: drive(cell, float('nan')),
    )
    assert 'refused' not in cell.bridge.output()


def health(cell):
    for array in reversed(cell.diagnostics):
        for status in array.status:
            if status.name == 'intera_driver: robot':
                return status
    return None


def test_bytes_that_are_no_command_end_nothing(cell):
    # An encapsulation, a stamp, and a length of 151 million.
    cut_off = bytes([0, 1, 0, 0, *[9] * 12])
    said = 'joint_command: refused: '
    until(
        cell,
        'the refusal',
        lambda: said in cell.driver.output(),
        lambda: cell.command.publish(cut_off),
    )
    assert cell.driver.alive


def test_a_robot_that_is_switched_off_and_on_is_found_again(cell):
    assert cell.server.stop() == 0
    cell.graph.wait_for(
        lambda: health(cell) is not None and health(cell).level == DiagnosticStatus.ERROR,
        'the error',
    )
    assert cell.driver.alive
    cell.robot.start('intera_server', {'port': cell.port})
    cell.joints.forget()
    cell.graph.wait_for(lambda: len(cell.joints) > 10, 'the robot again')
    start = arm(cell).position
    until(
        cell, 'motion', lambda: (arm(cell).position - start).min() > 0.02, lambda: drive(cell, 0.1)
    )
    cell.graph.wait_for(lambda: health(cell).level == DiagnosticStatus.OK, 'the all-clear')


def test_the_driver_ends_when_asked_to(cell):
    assert cell.driver.stop() == 0


def test_a_robot_does_not_wait():
    with pytest.raises(ValueError, match='a real robot does not wait'):
        DriverSettings(lockstep=True)
