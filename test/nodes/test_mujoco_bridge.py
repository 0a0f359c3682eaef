"""The simulated cell in lockstep over real DDS: time, scenes, and a Sawyer's manners."""

import json
import math

import numpy as np
import pytest
from builtin_interfaces.msg import Time
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import CameraInfo, Image
from std_msgs.msg import Bool, Empty
from std_srvs.srv import SetBool

from chef_cell.core.intera import ARM_JOINTS
from chef_cell.core.limits import SAWYER
from chef_cell.nodes import camera_info, messages, ros
from chef_cell.sim.cell import SimCell
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


def stamps(inbox):
    return [ros.nanoseconds(message.header.stamp) for message in inbox]


def test_each_joint_command_lets_one_joint_period_pass(cell):
    cell.finish(cell.run(max_steps=2))
    start = stamps(cell.ticks)[0]
    assert start > 0
    assert stamps(cell.ticks) == [start + PERIOD * n for n in range(11)]
    assert [(tick.step, tick.command_due) for tick in cell.ticks] == [
        (n // 5, n in (0, 5)) for n in range(11)
    ]
    assert stamps(cell.joints) == stamps(cell.wrenches) == stamps(cell.ticks)
    assert stamps(cell.grippers) == stamps(cell.objects) == stamps(cell.ticks)[::5]


def test_only_the_answer_to_the_present_instant_moves_time(cell):
    ignored = cell.counts()['commands ignored']
    tick = cell.answer(cell.run())
    now = ros.nanoseconds(tick.header.stamp)
    for wrong in (0, now - PERIOD, now + PERIOD, now + 1):
        cell.drive(stamp=ros.to_stamp(wrong))
    cell.close_gripper(1.0, tick.header.stamp)  # not due here
    tick = cell.answer(tick)
    assert ros.nanoseconds(tick.header.stamp) == now + PERIOD
    for _ in range(3):
        cell.drive(stamp=cell.ticks[-2].header.stamp)
    cell.answer(tick)
    assert stamps(cell.ticks) == [now + PERIOD * n for n in (-1, 0, 1, 2)]
    assert cell.counts()['commands ignored'] - ignored == 8


def test_the_end_of_an_episode_stands_still(cell):
    last = cell.finish(cell.run(max_steps=1))
    assert not last.command_due
    ignored = cell.counts()['commands ignored']
    cell.drive(stamp=last.header.stamp)
    assert cell.counts()['commands ignored'] == ignored + 1
    assert len(cell.ticks) == 6


def test_stamps_never_go_back_from_episode_to_episode(cell):
    first = cell.finish(cell.run('a', max_steps=1))
    second = cell.run('b', max_steps=1)
    assert ros.nanoseconds(second.header.stamp) > ros.nanoseconds(first.header.stamp)


def motion(cell, seed):
    """Joint positions of an episode that a fixed rule drives, (n, 7)."""
    tick = cell.run(max_steps=2, seed=seed)
    for count in range(10):
        tick = cell.answer(tick, STEADY * math.sin(count), gripper=0.5)
    return cell.positions()


def test_equal_seeds_give_equal_motion_to_the_last_bit(cell):
    first, second, other = motion(cell, 3), motion(cell, 3), motion(cell, 4)
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()


def test_motion_over_ros_equals_motion_in_one_process(cell):
    over_ros = motion(cell, 5)
    direct = SimCell('1')
    direct.reset(5)
    positions = [direct.arm.read().position]
    for count in range(10):
        direct.step_joint(STEADY * math.sin(count), 0.5)
        positions.append(direct.arm.read().position)
    assert over_ros.tobytes() == np.array(positions).tobytes()
    got = messages.objects_from_message(cell.objects[-1])
    for colour, pose in direct.tracker.read().poses.items():
        assert got.poses[colour].tobytes() == pose.tobytes()
    got = messages.gripper_from_message(cell.grippers[-1])
    assert (got.position, got.velocity) == (
        direct.gripper.read().position, direct.gripper.read().velocity,
    )  # fmt: skip


def test_a_running_scene_is_not_reset(cell):
    cell.run('busy')
    answer = cell.reset(episode='next')
    assert not answer.success
    assert answer.message == "episode 'busy' is running"


@pytest.mark.parametrize('triplet', ['6', 'red,green', 'nonsense'])
def test_an_unknown_triplet_is_refused_and_the_scene_stays_usable(cell, triplet):
    cell.halt()
    answer = cell.reset(triplet=triplet)
    assert not answer.success
    assert triplet in answer.message
    cell.answer(cell.run())


def test_a_scene_names_its_objects_and_its_first_stamp(cell):
    cell.halt()
    answer = cell.reset(episode='c', triplet='3')
    assert answer.success
    assert list(answer.objects) == list(SimCell('3').objects)
    cell.ticks.forget()
    cell.announce('c')
    cell.graph.wait_for(lambda: cell.ticks, 'the first tick')
    assert cell.ticks[0].header.stamp == answer.stamp
    assert cell.ticks[0].episode_id == 'c'


def test_an_episode_without_its_scene_does_not_start(cell):
    cell.halt()
    cell.reset(episode='made')
    cell.ticks.forget()
    cell.announce('other')
    cell.graph.wait_for(lambda: "scene is for 'made'" in cell.process.output(), 'an error')
    assert not cell.ticks


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


def test_images_of_an_instant_come_with_it():
    names = ('basket_front_left', 'basket_back_left')
    with Graph.open() as graph:
        images = {name: graph.collect(Image, f'camera/{name}/device/image_raw') for name in names}
        infos = {
            name: graph.collect(CameraInfo, f'camera/{name}/device/camera_info', ros.STATE_QOS)
            for name in names
        }
        cell = LockstepProbe(graph, cameras=f'[{", ".join(names)}]', image_size=96)
        cell.finish(cell.run(max_steps=1, seed=7))
        graph.wait_for(lambda: all(len(inbox) == 2 for inbox in images.values()), 'images')
        graph.wait_for(lambda: all(infos.values()), 'camera info')
        direct = SimCell('1', cameras=names)
        direct.reset(7)
        for name in names:
            assert stamps(images[name]) == stamps(cell.ticks)[::5]
            got = messages.image_from_message(images[name][0]).pixels
            assert (got == direct.render(name, 96, 96)).all()
            assert images[name][0].header.frame_id == f'{name}_optical_frame'
        left = camera_info.from_message(infos['basket_front_left'][0])
        assert left.fy == pytest.approx(48 / math.tan(math.radians(17.5)))
        direct.close()


def test_an_unknown_camera_ends_the_process_with_the_reason():
    with Graph.open() as graph:
        process = graph.start('mujoco_bridge', {'cameras': '[nowhere]'})
        graph.wait_for(lambda: not process.alive, 'its end')
        assert process.process.returncode == 1
        assert "cameras ['nowhere'], allowed: ['basket_front_left'" in process.output()
