"""The simulated cell shows a Sawyer's manners over real DDS (in lockstep)."""

import json
import math

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rosgraph_msgs.msg import Clock
from std_msgs.msg import Bool, Empty
from std_srvs.srv import SetBool

from chef_cell.core.intera import ARM_JOINTS
from chef_cell.core.limits import SAWYER
from chef_cell.nodes import messages, ros
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.testing.bridge_probe import STEADY, LockstepProbe
from chef_cell.testing.ros_harness import Graph
from intera_core_msgs.msg import (
    EndpointState,
    EndpointStates,
    IOComponentCommand,
    IODeviceConfiguration,
    IODeviceStatus,
    IONodeConfiguration,
    JointCommand,
    JointLimits,
)

PERIOD = 10_000_000  # ns


@pytest.fixture(scope='module')
def cell():
    with Graph.open() as graph:
        yield LockstepProbe(graph)


BAD_COMMANDS = {
    'not finite': lambda c: c.velocity.__setitem__(3, math.nan),
    'too short': lambda c: c.velocity.pop(),
    'too long': lambda c: c.velocity.append(0.0),
    'unknown joint': lambda c: c.names.__setitem__(0, 'left_j0'),
    'repeated joint': lambda c: c.names.__setitem__(0, 'right_j1'),
    'no joints': lambda c: c.names.clear(),
    'torque mode': lambda c: setattr(c, 'mode', JointCommand.TORQUE_MODE),
    'no mode': lambda c: setattr(c, 'mode', 0),
}


def test_bad_commands_are_refused_and_time_waits_for_a_good_one(cell):
    before = cell.counts()
    tick = cell.answer(cell.run())
    for spoil in BAD_COMMANDS.values():
        command = messages.velocity_to_message(STEADY, tick.header.stamp)
        spoil(command)
        cell.joint_command.publish(command)
    after = cell.answer(tick)
    assert ros.nanoseconds(after.header.stamp) == ros.nanoseconds(tick.header.stamp) + PERIOD
    for _ in range(3):
        after = cell.answer(after)
    assert after.command_due
    for speed in (math.nan, math.inf, 1.1, -1.1):
        cell.close_gripper(speed, after.header.stamp)
    cell.answer(after)
    counts = cell.counts()
    refused = {name: counts[name] - before[name] for name in counts}
    assert refused['joint commands refused'] == len(BAD_COMMANDS)
    assert refused['gripper commands refused'] == 4


STATES = {
    'enabled': (True, True, False, 0, 0),
    'disabled': (True, False, False, 0, 0),
    'stopped': (False, False, True, 2, 2),
    'pressed': (False, False, True, 1, 1),
    'released': (False, False, True, 3, 1),
}
#: request -> state that follows; None where the request must be ignored
E_STOP_TABLE = (
    ('disable', 'disabled'),
    ('enable', 'enabled'),
    ('stop', 'stopped'),
    ('enable', None),
    ('disable', None),
    ('reset', 'disabled'),
    ('enable', 'enabled'),
    ('press', 'pressed'),
    ('reset', None),
    ('enable', None),
    ('release', 'released'),
    ('enable', None),
    ('reset', 'disabled'),
    ('enable', 'enabled'),
)


def summary(state):
    assert state.homed
    assert not state.error
    flags = (state.ready, state.enabled, state.stopped)
    return (*flags, state.estop_button, state.estop_source)


def reach(cell, state):
    cell.graph.wait_for(
        lambda: cell.states and summary(cell.states[-1]) == STATES[state], f'state {state}'
    )


def test_emergency_stop_table(cell):
    requests = {
        'enable': lambda: cell.enable.publish(Bool(data=True)),
        'disable': lambda: cell.enable.publish(Bool(data=False)),
        'stop': lambda: cell.stop.publish(Empty()),
        'reset': lambda: cell.reset_robot.publish(Empty()),
        'press': lambda: press(True),
        'release': lambda: press(False),
    }

    def press(pressed):
        answer = cell.graph.call(SetBool, 'sim/press_estop', SetBool.Request(data=pressed))
        assert answer.success

    cell.halt()
    cell.graph.wait_for(lambda: cell.states, 'the state at first')
    now = 'enabled'
    for request, state in E_STOP_TABLE:
        cell.states.forget()
        requests[request]()
        if state is None:
            # A round trip through the same process shows that the request has been and gone.
            assert not cell.reset(triplet='6').success
            assert not cell.states, (now, request)
            continue
        reach(cell, state)
        now = state


def test_time_passes_but_a_stopped_arm_stands(cell):
    tick = cell.run(max_steps=20)
    for _ in range(20):
        tick = cell.answer(tick)
    cell.states.forget()
    cell.stop.publish(Empty())
    cell.graph.wait_for(lambda: cell.states and cell.states[-1].stopped, 'the stop')
    for _ in range(40):
        tick = cell.answer(tick)
    positions = cell.positions()
    per_tick = np.abs(np.diff(positions, axis=0)).max(axis=1)
    # Joints follow their commanded velocity with a lag of 0.1 s, so stopping takes a while.
    assert per_tick[19] > 5e-4
    assert per_tick[-1] < 0.2 * per_tick[19]
    cell.reset_robot.publish(Empty())
    cell.graph.wait_for(lambda: not cell.states[-1].stopped, 'the reset')
    cell.enable.publish(Bool(data=True))
    cell.graph.wait_for(lambda: cell.states[-1].enabled, 'the robot')
    for _ in range(20):
        tick = cell.answer(tick)
    assert np.abs(np.diff(cell.positions(), axis=0)).max(axis=1)[-1] > 5e-4


def test_limits_and_endpoints_are_those_of_the_arm(cell):
    limits = cell.graph.collect(JointLimits, '/robot/joint_limits', ros.STATE_QOS)
    endpoints = cell.graph.collect(EndpointState, '/robot/limb/right/endpoint_state')
    tips = cell.graph.collect(EndpointStates, '/robot/limb/right/tip_states')
    clock = cell.graph.collect(Clock, '/clock')
    cell.graph.wait_for(lambda: cell.graph.connected() and limits, 'the limits')
    assert tuple(limits[0].joint_names) == ARM_JOINTS
    assert tuple(limits[0].velocity) == SAWYER.velocity
    assert tuple(limits[0].position_lower) == SAWYER.lower

    tick = cell.run(max_steps=1)
    cell.finish(tick)
    cell.graph.wait_for(lambda: len(endpoints) == len(tips) == 2 and len(clock) == 6, 'states')
    arm, kinematics = messages.arm_from_message(cell.joints[-1]), ArmKinematics()
    wrist, tool = kinematics.wrist_pose(arm.position), kinematics.tool_pose(arm.position)
    assert messages.pose(endpoints[-1].pose).tobytes() == wrist.tobytes()
    assert tips[-1].names == ['right_hand', 'right_gripper_tip']
    assert messages.pose(tips[-1].states[1].pose).tobytes() == tool.tobytes()
    assert endpoints[-1].header.frame_id == 'base'
    twist = kinematics.wrist_jacobian(arm.position) @ arm.velocity
    np.testing.assert_array_equal(messages.vector(endpoints[-1].twist.linear), twist[:3])
    ahead = kinematics.tool_pose(arm.position + 1e-6 * arm.velocity)
    np.testing.assert_allclose(
        messages.vector(tips[-1].states[1].twist.linear), (ahead - tool)[:3] / 1e-6, atol=1e-5
    )
    assert clock[-1].clock == cell.ticks[-1].header.stamp


def test_the_gripper_answers_the_io_protocol_once_per_command(cell):
    device = '/io/end_effector/right_gripper/'
    node = cell.graph.collect(IONodeConfiguration, '/io/end_effector/config', ros.STATE_QOS)
    config = cell.graph.collect(IODeviceConfiguration, device + 'config', ros.STATE_QOS)
    states = cell.graph.collect(IODeviceStatus, device + 'state', ros.STATE_QOS)
    commands = cell.graph.publisher(IOComponentCommand, device + 'command')
    cell.graph.wait_for(lambda: cell.graph.connected() and node and config and states, 'device')
    assert node[0].devices[0].name == 'right_gripper'
    assert json.loads(config[0].device.config)['props']['type'] == 'ElectricParallelGripper'
    assert node[0].time.sec
    assert states[0].time.sec

    cell.halt()
    states.forget()
    command = IOComponentCommand(time=Time(sec=5, nanosec=7), op='set')
    command.args = '{"signals": {"dead_zone_m": {"data": [0.004]}}}'
    commands.publish(command)
    cell.graph.wait_for(lambda: states, 'an answer')
    assert states[0].commands[0] == command.time
    signals = {signal.name: json.loads(signal.data)[0] for signal in states[0].signals}
    assert signals['dead_zone_m'] == 0.004
    assert all(signal.status.tag == 'ready' for signal in states[0].signals)
    commands.publish(command)
    command.time.sec, command.args = 6, 'nonsense'
    commands.publish(command)
    cell.graph.wait_for(lambda: len(states) > 1, 'an answer')
    assert len(states) == 2  # the repeated command was not answered again
    assert [time.sec for time in states[1].commands] == [6, 5]
    assert 'not JSON' in states[1].responses[0]
