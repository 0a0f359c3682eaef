"""Our definitions are the robot's: same md5 sums, same bytes."""

import importlib
import json
import math
from pathlib import Path

import pytest

from chef_cell.drivers.intera.definitions import INTERA
from chef_cell.drivers.ros1.codec import Codec
from chef_cell.drivers.ros1.definitions import PRIMITIVES

CODEC = Codec(INTERA)
_TABLE = json.loads(Path(__file__).with_name('golden.json').read_text())
MD5, GOLDEN = _TABLE['md5'], _TABLE['bytes']


def test_every_message_and_service_has_the_robots_md5_sum():
    assert {name: INTERA.md5(name) for name in (*INTERA, *INTERA.services)} == MD5


def make(kind, /, **values):
    message = CODEC.classes(kind)()
    for attribute, value in values.items():
        assert hasattr(message, attribute), (kind, attribute)
        setattr(message, attribute, value)
    return message


def time(sec, nanosec):
    return CODEC.classes('builtin_interfaces/Time')(sec, nanosec)


def xyz(kind, *values):
    return make(f'geometry_msgs/{kind}', **dict(zip('xyzw', map(float, values), strict=False)))


def messages():
    core = 'intera_core_msgs/'
    header = make('std_msgs/Header', stamp=time(1700000000, 123456789), frame_id='base')
    joints = make(
        'sensor_msgs/JointState',
        header=header,
        name=['head_pan', 'right_j0'],
        position=[0.5, -1.25],
        velocity=[0.001, 2.0],
        effort=[3.5, -4.0],
    )
    pose = make(
        'geometry_msgs/Pose',
        position=xyz('Point', 1, 2, 3),
        orientation=xyz('Quaternion', 0, 1, 0, 0),
    )
    vectors = [xyz('Vector3', *values) for values in ((4, 5, 6), (7, 8, 9))]
    minus = [xyz('Vector3', *values) for values in ((-1, -2, -3), (-4, -5, -6))]
    endpoint = make(
        core + 'EndpointState',
        header=header,
        pose=pose,
        twist=make('geometry_msgs/Twist', linear=vectors[0], angular=vectors[1]),
        wrench=make('geometry_msgs/Wrench', force=minus[0], torque=minus[1]),
        valid=True,
    )
    status = make(core + 'IOStatus', tag='ready', id='a', detail='ü')
    placed = make('geometry_msgs/PoseStamped', header=header, pose=pose)
    yield 'sensor_msgs/JointState', joints
    yield (
        'intera_core_msgs/JointCommand',
        make(
            core + 'JointCommand',
            header=header,
            mode=2,
            names=['right_j0', 'right_j1'],
            position=[1.0],
            velocity=[0.1, -0.2],
            effort=[9.0],
        ),
    )
    yield core + 'EndpointState', endpoint
    yield (
        core + 'EndpointStates',
        make(core + 'EndpointStates', header=header, names=['right_hand'], states=[endpoint]),
    )
    yield (
        core + 'RobotAssemblyState',
        make(
            core + 'RobotAssemblyState',
            homed=True,
            enabled=True,
            error=True,
            low_voltage=True,
            estop_button=2,
            estop_source=4,
        ),
    )
    yield (
        core + 'JointLimits',
        make(
            core + 'JointLimits',
            joint_names=['right_j0'],
            position_lower=[-3.0],
            position_upper=[3.0],
            velocity=[1.5],
            accel=[10.0],
            effort=[80.0],
        ),
    )
    yield (
        core + 'IODeviceStatus',
        make(
            core + 'IODeviceStatus',
            time=time(5, 7),
            device=make(core + 'IOComponentStatus', name='right_gripper', status=status),
            signals=[
                make(
                    core + 'IODataStatus',
                    name='go',
                    format='{"type":"bool"}',
                    data='[true]',
                    status=status,
                )
            ],
            commands=[time(1, 2), time(3, 4)],
            responses=['', 'x'],
        ),
    )
    yield (
        core + 'IOComponentCommand',
        make(core + 'IOComponentCommand', time=time(9, 8), op='set', args='{}'),
    )
    yield (
        core + 'SolvePositionFKResponse',
        make(
            core + 'SolvePositionFKResponse',
            pose_stamp=[placed],
            is_valid=[True, False],
            in_collision=[False],
        ),
    )
    yield (
        core + 'SolvePositionIKRequest',
        make(
            core + 'SolvePositionIKRequest',
            pose_stamp=[placed],
            seed_angles=[joints],
            seed_mode=3,
            use_nullspace_goal=[True],
            nullspace_gain=[0.4],
            tip_names=['right_hand'],
        ),
    )
    yield (
        core + 'SolvePositionIKResponse',
        make(core + 'SolvePositionIKResponse', joints=[joints], result_type=[-3, 1]),
    )
    yield 'std_msgs/Float64', make('std_msgs/Float64', data=0.2)
    yield 'std_msgs/Bool', make('std_msgs/Bool', data=True)
    yield 'std_msgs/Empty', make('std_msgs/Empty')
    yield 'std_msgs/UInt16', make('std_msgs/UInt16', data=500)


MESSAGES = dict(messages())


def test_there_is_a_message_for_every_golden_one():
    assert set(MESSAGES) == set(GOLDEN)


@pytest.mark.parametrize('name', MESSAGES)
def test_a_message_has_the_bytes_of_the_reference_implementation(name):
    assert CODEC.encode(name, MESSAGES[name]).hex() == GOLDEN[name]


@pytest.mark.parametrize('name', MESSAGES)
def test_bytes_become_the_message_again(name):
    again = CODEC.encode(name, CODEC.decode(name, bytes.fromhex(GOLDEN[name])))
    assert again.hex() == GOLDEN[name]


def ros2_class(name):
    package, _, kind = name.partition('/')
    if package == 'intera_core_msgs' and kind.endswith(('Request', 'Response')):
        service, _, half = kind.rpartition('Re')
        srv = importlib.import_module(f'{package}.srv')
        return getattr(getattr(srv, service), f'Re{half}')
    return getattr(importlib.import_module(f'{package}.msg'), kind)


@pytest.mark.parametrize('name', MESSAGES)
def test_the_same_bytes_become_a_ros2_message_and_back(name):
    codec = Codec(INTERA, ros2_class)
    message = codec.decode(name, bytes.fromhex(GOLDEN[name]))
    assert isinstance(message, ros2_class(name))
    assert codec.encode(name, message).hex() == GOLDEN[name]


@pytest.mark.parametrize('name', [name for name in INTERA if name != 'std_msgs/Header'])
def test_ros2_messages_have_our_fields_in_our_order(name):
    """The interface package and the wire format are written down apart; they must not part."""
    fields = ros2_class(name).get_fields_and_field_types()
    if INTERA[name].fields:
        assert list(fields) == [field.attribute for field in INTERA[name].fields]
    for field in INTERA[name].fields:
        if field.base not in PRIMITIVES:
            assert field.base in fields[field.attribute].replace('/msg', '')


def test_numbers_that_are_not_finite_cross_too():
    command = make('intera_core_msgs/JointCommand', velocity=[math.nan, math.inf])
    again = CODEC.decode(
        'intera_core_msgs/JointCommand', CODEC.encode('intera_core_msgs/JointCommand', command)
    )
    assert math.isnan(again.velocity[0])
    assert again.velocity[1] == math.inf
