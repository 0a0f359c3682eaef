"""The simulated cell in real time over real DDS: watchdog, position mode, images beside it."""

import contextlib
import json

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from sensor_msgs.msg import Image
from std_msgs.msg import Bool, Empty, Float64

from chef_cell.core.intera import ARM_JOINTS
from chef_cell.core.limits import SAWYER
from chef_cell.nodes import messages, ros
from chef_cell.testing.bridge_probe import STEADY, BridgeProbe
from chef_cell.testing.ros_harness import Graph
from intera_core_msgs.msg import IOComponentCommand, JointCommand

CAMERA = 'basket_front_left'
#: Stamps are ROS time of the same machine; far more than a joint lags behind its command.
MOVING, STILL = 0.05, 0.01  # rad/s


@pytest.fixture(scope='module')
def cell():
    with Graph.open() as graph:
        probe = BridgeProbe(graph, cameras=f'[{CAMERA}]')
        probe.timeout = graph.publisher(Float64, '/robot/limb/right/joint_command_timeout')
        probe.speed = graph.publisher(Float64, '/robot/limb/right/set_speed_ratio')
        probe.io = graph.publisher(IOComponentCommand, '/io/end_effector/right_gripper/command')
        probe.images = graph.collect(Image, f'camera/{CAMERA}/device/image_raw')
        graph.wait_for(graph.connected, 'the bridge')
        yield probe


@pytest.fixture(autouse=True)
def scene(cell):
    cell.timeout.publish(Float64(data=0.2))
    assert cell.reset().success
    cell.joints.forget()
    cell.graph.wait_for(lambda: cell.joints, 'joint states')


def speed(cell):
    """Largest measured joint speed (rad/s), of a sample yet to come if need be."""
    cell.graph.wait_for(lambda: cell.joints, 'joint states')
    return np.abs(messages.arm_from_message(cell.joints[-1]).velocity).max()


@contextlib.contextmanager
def repeated(cell, period, send):
    timer = cell.graph.every(period, send)
    try:
        yield
    finally:
        timer.cancel()


def now(cell):
    return cell.graph.probe.get_clock().now().nanoseconds * 1e-9


def keep_driving(cell, velocity=STEADY):
    """Drive at 20 Hz until the arm moves; return the time of the last command (s)."""
    with repeated(cell, 0.05, lambda: cell.drive(velocity)):
        cell.graph.wait_for(lambda: speed(cell) > MOVING, 'motion')
    cell.drive(velocity)
    return now(cell)


def test_the_arm_keeps_pace_with_wall_time(cell):
    cell.speed.publish(Float64(data=0.1))
    joint, pace = 6, 0.1 * SAWYER.velocity[6]
    start = messages.arm_from_message(cell.joints[-1]).position[joint]
    command = JointCommand(mode=JointCommand.POSITION_MODE, names=['right_j6'])
    command.position = [float(start - 3.0 * np.sign(start))]
    cell.joint_command.publish(command)
    cell.graph.wait_for(lambda: speed(cell) > 0.95 * pace, 'full speed')
    cell.joints.forget()
    cell.graph.wait_for(lambda: len(cell.joints) > 100, 'a second of joint states')
    stamps = np.array([ros.seconds(message.header.stamp) for message in cell.joints])
    assert (np.diff(stamps) > 0.0).all()
    # A loaded machine delays single periods; they are made up for.
    assert 0.009 < np.median(np.diff(stamps)) < 0.015
    moved = abs(np.ptp(cell.positions()[:, joint]))
    assert moved / (stamps[-1] - stamps[0]) == pytest.approx(pace, rel=0.1)


@pytest.mark.parametrize('timeout', [0.2, 0.6])
def test_silence_longer_than_the_timeout_stops_the_arm(cell, timeout):
    cell.timeout.publish(Float64(data=timeout))
    cell.joints.forget()
    last_command = keep_driving(cell)
    cell.graph.wait_for(lambda: speed(cell) < STILL, 'a standing arm')
    moving = [
        ros.seconds(message.header.stamp)
        for message in cell.joints
        if np.abs(messages.arm_from_message(message).velocity).max() > MOVING
    ]
    # Half the speed is left 0.07 s after the stop. The command may be taken some ms late.
    assert timeout < moving[-1] - last_command < timeout + 0.3


def test_a_stop_in_motion_holds_until_reset_and_enabled(cell):
    keep_driving(cell)
    cell.stop.publish(Empty())
    with repeated(cell, 0.05, cell.drive):
        cell.graph.wait_for(lambda: speed(cell) < STILL, 'a standing arm')
        cell.enable.publish(Bool(data=True))
        cell.states.forget()
        cell.graph.wait_for(lambda: len(cell.states) > 10, 'states')
        assert all(state.stopped and not state.enabled for state in cell.states)
        cell.reset_robot.publish(Empty())
        cell.graph.wait_for(lambda: not cell.states[-1].stopped, 'the reset')
        assert speed(cell) < STILL
        cell.enable.publish(Bool(data=True))
        cell.graph.wait_for(lambda: speed(cell) > MOVING, 'motion')


def test_a_position_command_is_pursued_without_repetition(cell):
    start = messages.arm_from_message(cell.joints[-1]).position
    goal = start + np.array([0.3, -0.2, 0.1, 0.2, -0.3, 0.2, 0.4])
    cell.speed.publish(Float64(data=1.0))
    # The velocity array holds what an earlier message left in it: it must not be looked at.
    command = JointCommand(mode=JointCommand.POSITION_MODE, names=ARM_JOINTS)
    command.position, command.velocity = goal.tolist(), [float('nan')] * 7
    cell.joint_command.publish(command)

    def there():
        return np.abs(messages.arm_from_message(cell.joints[-1]).position - goal).max() < 0.01

    cell.graph.wait_for(there, 'the goal')


def test_a_position_set_through_the_io_protocol_closes_the_gripper(cell):
    command = IOComponentCommand(time=Time(sec=1), op='set')
    command.args = json.dumps({'signals': {'position_m': {'data': [0.0]}}})
    with repeated(cell, 0.1, lambda: cell.io.publish(command)):
        cell.graph.wait_for(lambda: cell.grippers[-1].position > 200.0, 'a closed gripper')


def test_sensors_go_on_while_a_scene_is_made(cell):
    cell.joints.forget()
    cell.wrenches.forget()
    with repeated(cell, 0.05, cell.drive):
        assert cell.reset(seed=11, triplet='2').success
    gaps = np.diff(cell.wrenches.times)
    assert len(cell.wrenches) > 5
    # But for one pause: making an OpenGL context stops every thread, before the episode runs.
    others = np.sort(gaps)[:-1]
    assert others.max() < 0.5 * sum(others)
    stamps = [ros.nanoseconds(message.header.stamp) for message in cell.joints]
    assert (np.diff(stamps) > 0).all()


def test_images_come_at_their_rate_and_do_not_hold_up_the_joint_loop(cell):
    lost = cell.counts()
    cell.images.forget()
    cell.joints.forget()
    cell.graph.wait_for(lambda: len(cell.images) > 20, 'images')
    counts = cell.counts()
    stamps = [ros.seconds(message.header.stamp) for message in cell.images]
    dropped = counts['images dropped'] - lost['images dropped']
    if not dropped:
        assert np.median(np.diff(stamps)) == pytest.approx(0.05, rel=0.2)
    assert len(cell.joints) > 3 * len(cell.images)
    # An image shows a state that the joints told, too (but for those that were on their way).
    joint_stamps = {ros.seconds(message.header.stamp) for message in cell.joints}
    assert {stamp for stamp in stamps if stamp >= min(joint_stamps)} <= joint_stamps


def test_a_robot_may_start_disabled():
    with Graph.open() as graph:
        cell = BridgeProbe(graph, enabled=False)
        with repeated(cell, 0.05, cell.drive):
            graph.wait_for(lambda: len(cell.joints) > 30, 'joint states')
            assert not cell.states[-1].enabled
            assert speed(cell) < STILL
            cell.enable.publish(Bool(data=True))
            graph.wait_for(lambda: speed(cell) > MOVING, 'motion')
