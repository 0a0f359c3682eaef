"""Programs written for a Sawyer drive the simulated cell over ROS 1, unchanged.

The client here is independent of our own ROS 1; the vendor's SDK itself runs in
test_vendor_sdk.py, where it is installed.
"""

import json
import struct
import types

import pytest
from sensor_msgs.msg import JointState

from chef_cell.testing.ros_harness import Graph
from chef_cell.testing.sawyer_server import START, start_server
from chef_cell.testing.wire_client import Reader, WireClient, doubles, header, text, texts

CORE = 'intera_core_msgs/'
JOINTS = [f'right_j{index}' for index in range(7)]
MD5 = {
    '/robot/joint_states': ('sensor_msgs/JointState', '3066dcd76a6cfaef579bd0f34173e9fd'),
    '/robot/state': (CORE + 'RobotAssemblyState', 'df79ce5f75a6b23626e9fcdf1cc4d298'),
    '/robot/joint_limits': (CORE + 'JointLimits', 'c4c445eb2c9324525a704c84ca1e7598'),
    '/robot/limb/right/tip_states': (CORE + 'EndpointStates', 'd7b5ea85d8388c002e6c6d800ba697bc'),
    '/robot/limb/right/endpoint_state': (
        CORE + 'EndpointState',
        'ec04f0f9bc02b3e335181c07d68c2c98',
    ),
    '/io/end_effector/config': (CORE + 'IONodeConfiguration', '66800b32dbb52df00e2454d58668ac33'),
    '/io/end_effector/right_gripper/state': (
        CORE + 'IODeviceStatus',
        '0d0c97a2d700848e7ad46e09a77cf896',
    ),
}
COMMANDS = {
    '/robot/limb/right/joint_command': (CORE + 'JointCommand', 'c8c85922d297da6209a089a906207e5d'),
    '/robot/limb/right/joint_command_timeout': (
        'std_msgs/Float64',
        'fdb28210bfa9d7c91146260178d9a584',
    ),
    '/robot/limb/right/set_speed_ratio': ('std_msgs/Float64', 'fdb28210bfa9d7c91146260178d9a584'),
    '/robot/set_super_enable': ('std_msgs/Bool', '8b94c1b53db61fb6aed406028ad6332a'),
    '/robot/set_super_stop': ('std_msgs/Empty', 'd41d8cd98f00b204e9800998ecf8427e'),
    '/robot/set_super_reset': ('std_msgs/Empty', 'd41d8cd98f00b204e9800998ecf8427e'),
    '/io/end_effector/right_gripper/command': (
        CORE + 'IOComponentCommand',
        'ede95ba2953dc221dc82cac20f697530',
    ),
}
POSITION, VELOCITY, TORQUE = 1, 2, 3
SPACE = '/ExternalTools/right/PositionKinematicsNode/'


@pytest.fixture(scope='module')
def server():
    """A simulated cell behind a ROS 1 master, and a client of it."""
    with Graph.open() as graph:
        graph.start('position_kinematics')
        robot = start_server(graph)
        client = WireClient(f'http://127.0.0.1:{robot.port}')
        try:
            yield connect(graph, client, robot)
        finally:
            client.close()


def connect(graph, client, robot):
    """Do what the constructors of the SDK do: subscribe, advertise, wait."""
    api = client._master
    graph.wait_for(
        lambda: set(MD5) <= {topic for topic, _ in api.getPublishedTopics('/x', '')[2]},
        'the topics of the robot',
        START,
    )
    newest = {topic: client.subscribe(topic, *kind) for topic, kind in MD5.items()}
    for topic, kind in COMMANDS.items():
        client.advertise(topic, *kind)
    graph.wait_for(
        lambda: (
            all(read() for read in newest.values())
            and all(client.connected(topic) for topic in COMMANDS)
        ),
        'every topic',
        START,
    )
    return types.SimpleNamespace(
        graph=graph,
        client=client,
        newest=newest,
        bridge=robot.bridge,
        process=robot.server,
    )


def joint_states(server):
    reader = server.newest['/robot/joint_states']()
    reader.header()
    names = reader.array(reader.text)
    fields = [
        dict(zip(names, reader.array(lambda: reader.take('d')[0]), strict=True)) for _ in '123'
    ]
    assert reader.done()
    return fields


def assembly(server):
    reader = server.newest['/robot/state']()
    values = reader.take('6?2B')
    assert reader.done()
    names = ('homed', 'ready', 'enabled', 'stopped', 'error', 'low_voltage', 'button', 'source')
    return dict(zip(names, values, strict=True))


def until(server, what, condition, body=lambda: None):
    """Publish until the robot says so, as the SDK does at 100 Hz."""
    timer = server.graph.every(0.01, body)
    try:
        server.graph.wait_for(condition, what)
    finally:
        timer.cancel()


def command(server, mode, position=(), velocity=(), effort=(), names=JOINTS):
    fields = doubles(*position) + doubles(*velocity) + doubles() + doubles(*effort)
    message = header() + struct.pack('<i', mode) + texts(*names) + fields
    server.client.publish('/robot/limb/right/joint_command', message)


def test_a_client_finds_a_sawyer(server):
    ask = server.client.parameter
    assert ask('/robot_config/assembly_names') == ['head', 'right', 'torso']
    assert ask('/robot_config/right_config/joint_names') == JOINTS
    assert ask('/manifest/robot_class') == 'sawyer'
    assert ask('/manifest/robot_software/version/HLR_VERSION_STRING').startswith('5.3.0')
    assert len(ask('/named_poses/right/poses/neutral')) == 7
    reader = server.newest['/robot/joint_limits']()
    assert reader.array(reader.text) == JOINTS
    limits = [reader.array(lambda: reader.take('d')[0]) for _ in range(5)]
    assert limits[2] == [1.74, 1.328, 1.957, 1.957, 3.485, 3.485, 4.545]
    assert reader.done()
    position, velocity, effort = joint_states(server)
    assert set(JOINTS) < set(position) == set(velocity) == set(effort)


def test_enable_stop_and_reset_go_by_the_table(server):
    publish = server.client.publish

    def ask(topic, data, **wanted):
        until(
            server,
            f'{topic} {wanted}',
            lambda: wanted.items() <= assembly(server).items(),
            lambda: publish(topic, data),
        )

    ask('/robot/set_super_enable', b'\0', enabled=False, ready=True)
    ask('/robot/set_super_enable', b'\1', enabled=True)
    ask('/robot/set_super_stop', b'', stopped=True, enabled=False, button=2, source=2)
    ask('/robot/set_super_reset', b'', stopped=False, enabled=False, button=0, source=0)
    ask('/robot/set_super_enable', b'\1', enabled=True)


def test_velocity_mode_reads_only_velocities_and_ends_with_silence(server):
    old = joint_states(server)[0]['right_j0']
    stale = [3.0] * 7  # of an earlier position command, in the one message that clients reuse
    velocity = [0.1, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    until(
        server,
        'motion',
        lambda: joint_states(server)[0]['right_j0'] > old + 0.05,
        lambda: command(server, VELOCITY, stale, velocity),
    )
    assert joint_states(server)[1]['right_j0'] > 0.05
    server.graph.wait_for(lambda: abs(joint_states(server)[1]['right_j0']) < 0.01, 'the watchdog')
    assert joint_states(server)[0]['right_j0'] < old + 0.4


def test_position_mode_arrives_at_the_speed_asked_for(server):
    server.client.publish('/robot/limb/right/set_speed_ratio', struct.pack('<d', 0.5))
    names = ['right_j6', 'right_j0']
    goal = [
        joint_states(server)[0][name] + change
        for name, change in zip(names, (0.2, -0.1), strict=True)
    ]

    def arrived():
        position = joint_states(server)[0]
        return all(abs(position[n] - g) < 0.008726646 for n, g in zip(names, goal, strict=True))

    until(server, 'arrival', arrived, lambda: command(server, POSITION, goal, names=names))


def test_torques_are_refused_and_move_nothing(server):
    before = joint_states(server)[0]
    for _ in range(5):
        command(server, TORQUE, effort=[1.0] * 7)
    server.graph.wait_for(lambda: 'joint command mode 3' in server.bridge.output(), 'the refusal')
    assert abs(joint_states(server)[0]['right_j0'] - before['right_j0']) < 0.01


def forward(server, joints):
    """Pose of the flange (m, quaternion xyzw) that the service tells for joints (rad)."""
    request = struct.pack('<I', 1) + header() + texts(*JOINTS)
    request += doubles(*joints) + doubles() + doubles() + texts('right_hand')
    answer = server.client.call(SPACE + 'FKService', '6db8c7b904dcebec9a59022cd894ef68', request)
    (solved,) = answer.array(lambda: (answer.header(), answer.take('7d')))
    assert answer.array(lambda: answer.take('?')[0]) == [True]
    assert answer.array(lambda: answer.take('?')[0]) == [False]
    return solved[1]


def test_kinematics_services_agree_with_the_endpoint_and_with_each_other(server):
    reader = server.newest['/robot/limb/right/endpoint_state']()
    assert reader.header()[1] == 'base'
    measured = reader.take('7d')
    assert len(reader.take('12d?')) == 13
    position = joint_states(server)[0]
    pose = forward(server, [position[name] for name in JOINTS])
    assert pose[:3] == pytest.approx(measured[:3], abs=2e-3)

    request = struct.pack('<I', 1) + header(frame='base') + struct.pack('<7d', *pose)
    request += struct.pack('<I', 0) + b'\0' + struct.pack('<III', 0, 0, 0) + texts('right_hand')
    answer = server.client.call(SPACE + 'IKService', '7ae4607244c30c6c631f3693cd280e45', request)
    (joints,) = answer.array(lambda: joint_solution(answer))
    (result,) = answer.array(lambda: answer.take('b')[0])
    assert result > 0
    assert forward(server, joints)[:3] == pytest.approx(pose[:3], abs=1e-4)


def joint_solution(answer: Reader):
    answer.header()
    assert answer.array(answer.text) == JOINTS
    values = [answer.array(lambda: answer.take('d')[0]) for _ in range(3)]
    return values[0]


def test_the_gripper_closes_once_told_and_lists_the_command(server):
    reader = server.newest['/io/end_effector/config']()
    assert reader.take('II')[0] > 0
    reader.text(), reader.text()
    assert [name for name, _ in reader.array(lambda: (reader.text(), reader.text()))] == [
        'right_gripper'
    ]
    args = {'signals': {'position_m': {'format': {'type': 'float'}, 'data': [0.0]}}}
    message = struct.pack('<II', 77, 5) + text('set') + text(json.dumps(args))

    def state():
        reader = server.newest['/io/end_effector/right_gripper/state']()
        reader.take('II'), [reader.text() for _ in range(4)], reader.take('I')
        signals = {}
        for _ in range(*reader.take('I')):
            name, _, data = reader.text(), reader.text(), reader.text()
            signals[name] = json.loads(data)[0]
            [reader.text() for _ in range(3)]
        return signals, reader.array(lambda: reader.take('II'))

    until(
        server,
        'the acknowledgement',
        lambda: (77, 5) in state()[1],
        lambda: server.client.publish('/io/end_effector/right_gripper/command', message),
    )
    server.graph.wait_for(lambda: state()[0]['position_response_m'] < 0.05, 'closing')


def test_bytes_without_a_stamp_end_nothing(server):
    cut_off = bytes([0, 1, 0, 0, 9, 9, 9, 9])  # an encapsulation and half of a stamp
    publisher = server.graph.publisher(JointState, '/robot/joint_states')
    said = 'joint_states: refused: 8 bytes end before the stamp'
    until(
        server,
        'the refusal',
        lambda: said in server.process.output(),
        lambda: publisher.publish(cut_off),
    )
    assert server.process.alive


def test_the_server_ends_when_asked_to(server):
    assert server.process.stop() == 0
