"""The policy node over real DDS: lockstep, bad files, bad inputs, hot-swap, stale readings."""

import numpy as np
import pytest

from chef_cell.core.act import to_command
from chef_cell.core.readings import ArmReading, WrenchReading
from chef_cell.drivers.onnx_runner import OnnxRunner
from chef_cell.nodes import messages, ros
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import EpisodeState, PolicyState, SafetyState, TaskCommand, Tick
from chef_interfaces.srv import LoadPolicy
from chef_trainer.spec import ActionSpec, ObservationSpec
from chef_trainer.testing import tiny_model, tiny_spec, write_tiny_policy

SPEC = tiny_spec(
    (
        ObservationSpec('joint_position', (7,), 'rad', history=2),
        ObservationSpec('wrench', (6,), 'N, N m'),
    )
)
START_NS = 1_000_000_000
PERIOD_NS = 50_000_000


@pytest.fixture(scope='module')
def files(tmp_path_factory):
    """Policy files: a, b and one of each kind of bad."""
    folder = tmp_path_factory.mktemp('policies')
    paths = {
        name: folder / f'{name}.onnx'
        for name in ('a', 'b', 'corrupt', 'bare', 'shape', 'rate', 'nan', 'camera', 'missing')
    }
    write_tiny_policy(paths['a'], SPEC, seed=1, gain=0.3)
    write_tiny_policy(paths['b'], SPEC, seed=2, gain=0.3)
    paths['corrupt'].write_bytes(paths['a'].read_bytes()[:500])
    paths['bare'].write_bytes(tiny_model(SPEC).SerializeToString())
    write_tiny_policy(paths['shape'], tiny_spec((ObservationSpec('wrench', (3,), 'N'),)))
    write_tiny_policy(paths['rate'], tiny_spec(SPEC.observations, rate_hz=10.0))
    write_tiny_policy(paths['nan'], SPEC, gain=float('nan'))
    image = ObservationSpec('image/front', (128, 128, 3), '1', 'uint8')
    write_tiny_policy(paths['camera'], tiny_spec((image,)))
    return paths


class Cell:
    """Plays bridge, wrist and session to the policy node."""

    def __init__(self, graph, **parameters):
        self.graph = graph
        self.joints = graph.publisher(
            messages.READINGS['arm'][0], '/robot/joint_states', ros.SENSOR_PUBLISHER_QOS
        )
        self.wrenches = graph.publisher(
            messages.READINGS['wrench'][0], 'wrist/wrench', ros.SENSOR_PUBLISHER_QOS
        )
        self.episodes = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
        self.commands = graph.collect(TaskCommand, 'command')
        self.states = graph.collect(PolicyState, 'policy', ros.STATE_QOS)
        if parameters['lockstep']:
            self.ticks = graph.publisher(Tick, 'tick')
        self.process = graph.start('policy', parameters)
        graph.wait_for(lambda: self.states and graph.connected(), 'the policy node')

    def announce(self, phase, episode_id='e0'):
        self.episodes.publish(EpisodeState(phase=phase, episode_id=episode_id, triplet='1'))

    def run(self, episode_id='e0'):
        before = len(self.states)
        self.announce(EpisodeState.RUNNING, episode_id)
        self.graph.wait_for(lambda: len(self.states) > before, 'the episode to begin')

    def arm(self, stamp_ns, value=0.1):
        reading = ArmReading(0.0, np.full(7, value), np.zeros(7), np.zeros(7))
        self.joints.publish(messages.arm_to_message(reading, ros.to_stamp(stamp_ns)))

    def wrench(self, stamp_ns, value=0.2):
        reading = WrenchReading(0.0, np.full(3, value), np.full(3, value))
        self.wrenches.publish(
            messages.wrench_to_message(reading, ros.to_stamp(stamp_ns), 'ft300_sensor')
        )

    def tick(self, stamp_ns, due=True, episode_id='e0'):
        tick = Tick(episode_id=episode_id, command_due=due)
        tick.header.stamp = ros.to_stamp(stamp_ns)
        self.ticks.publish(tick)

    def step(self, stamp_ns):
        """One whole control step; returns its command."""
        self.arm(stamp_ns)
        self.wrench(stamp_ns)
        self.tick(stamp_ns)
        self.graph.wait_for(
            lambda: self.commands and ros.nanoseconds(self.commands[-1].header.stamp) == stamp_ns,
            f'a command at {stamp_ns}',
        )
        return self.commands[-1]

    def load(self, path):
        return self.graph.call(
            LoadPolicy, 'policy/load_policy', LoadPolicy.Request(path=str(path))
        )


@pytest.fixture
def cell(files):
    with Graph.open() as graph:
        yield Cell(graph, lockstep=True, policy=files['a'])


def expected(path):
    """The first command of an episode, computed without ROS."""
    action = OnnxRunner(path).act(
        {
            'joint_position': np.full((2, 7), 0.1, np.float32),
            'wrench': np.full(6, 0.2, np.float32),
        }
    )
    return to_command(action, ActionSpec(), 0.0)


def assert_same(message, command):
    assert messages.vector(message.linear).tolist() == command.linear.tolist()
    assert (message.yaw_rate, message.gripper_velocity) == (command.yaw_rate, command.gripper)


def test_answers_a_tick_with_exactly_the_policys_action(cell, files):
    cell.run()
    message = cell.step(START_NS)

    assert_same(message, expected(files['a']))
    assert message.header.frame_id == 'base'
    assert not any(state.readings for state in cell.states), 'in lockstep nothing has an age'


def test_commands_only_when_everything_has_the_ticks_stamp(cell):
    cell.run()
    cell.step(START_NS)
    cell.arm(START_NS + PERIOD_NS)
    cell.tick(START_NS + PERIOD_NS)
    cell.graph.spin_for(0.3)
    assert len(cell.commands) == 1

    cell.wrench(START_NS + PERIOD_NS)
    cell.graph.wait_for(lambda: len(cell.commands) == 2, 'the command')


def test_commands_neither_outside_an_episode_nor_on_ticks_that_ask_for_none(cell):
    def sample(stamp_ns, **tick):
        cell.arm(stamp_ns)
        cell.wrench(stamp_ns)
        cell.tick(stamp_ns, **tick)

    sample(START_NS, episode_id='')
    cell.run()
    sample(START_NS + 1, due=False)
    sample(START_NS + 2, episode_id='another')
    cell.graph.spin_for(0.3)
    assert not cell.commands

    cell.step(START_NS + PERIOD_NS)


def test_bad_policies_are_refused_with_the_reason_and_the_old_one_stays(cell, files):
    for name, reason in (
        ('corrupt', 'not a loadable ONNX file'),
        ('bare', 'not a policy file'),
        ('shape', 'the cell offers'),
        ('rate', 'made for 10.0 Hz, this cell runs at 20.0 Hz'),
        ('nan', 'allowed: finite'),
        ('camera', "needs camera ['front']"),
        ('missing', 'cannot be read'),
    ):
        response = cell.load(files[name])
        assert not response.accepted
        assert reason in response.message
        cell.graph.wait_for(
            lambda text=response.message: cell.states[-1].last_error == text, 'the error'
        )
        assert cell.states[-1].path == str(files['a'])

    cell.run()
    assert_same(cell.step(START_NS), expected(files['a']))


def test_a_new_policy_takes_over_at_the_end_of_the_episode(cell, files):
    cell.run()
    cell.step(START_NS)
    response = cell.load(files['b'])
    assert response.accepted
    cell.graph.wait_for(lambda: cell.states[-1].pending == str(files['b']), 'it to wait')
    cell.step(START_NS + PERIOD_NS)
    assert cell.states[-1].path == str(files['a'])

    cell.announce(EpisodeState.ENDED)
    cell.graph.wait_for(lambda: cell.states[-1].sha256 == response.sha256, 'the new policy')
    cell.run('e1')
    cell.arm(2 * START_NS)
    cell.wrench(2 * START_NS)
    cell.tick(2 * START_NS, episode_id='e1')
    cell.graph.wait_for(lambda: len(cell.commands) == 3, 'a command of the new policy')
    assert_same(cell.commands[-1], expected(files['b']))
    assert not cell.states[-1].pending


def test_an_input_that_is_not_finite_stops_the_policy(cell):
    cell.run()
    cell.arm(START_NS, value=np.nan)
    cell.wrench(START_NS)
    cell.tick(START_NS)
    cell.graph.wait_for(lambda: cell.states[-1].fault, 'a fault')

    assert 'joint_position' in cell.states[-1].fault
    assert not cell.commands


def test_a_fault_silences_the_policy_until_the_next_episode(cell):
    safety = cell.graph.publisher(SafetyState, 'safety', ros.STATE_QOS)
    cell.graph.wait_for(cell.graph.connected, 'discovery')
    cell.run()
    cell.step(START_NS)
    safety.publish(SafetyState(level=SafetyState.EPISODE_STOP))  # the arm still retreats
    cell.step(START_NS + PERIOD_NS)
    for level in (SafetyState.FAULT, SafetyState.OK):  # rearmed at once
        safety.publish(SafetyState(level=level))
        cell.graph.spin_for(0.1)
    cell.arm(START_NS + 2 * PERIOD_NS)
    cell.wrench(START_NS + 2 * PERIOD_NS)
    cell.tick(START_NS + 2 * PERIOD_NS)
    cell.graph.spin_for(0.3)
    assert len(cell.commands) == 2

    cell.announce(EpisodeState.ENDED)
    cell.run('e1')
    cell.arm(2 * START_NS)
    cell.wrench(2 * START_NS)
    cell.tick(2 * START_NS, episode_id='e1')
    cell.graph.wait_for(lambda: len(cell.commands) == 3, 'a command of the next episode')


def test_a_bad_policy_at_start_ends_the_node(files):
    with Graph.open() as graph:
        process = graph.start('policy', {'policy': files['corrupt']})
        graph.wait_for(lambda: not process.alive, 'the end of the node')

        assert process.process.returncode == 1
        assert 'not a loadable ONNX file' in process.output()


def test_in_real_time_the_policy_says_how_old_its_readings_are_before_an_episode(files):
    with Graph.open() as graph:
        cell = Cell(graph, lockstep=False, policy=files['a'])
        now = cell.graph.probe.get_clock().now

        def ages():
            return dict(zip(cell.states[-1].readings, cell.states[-1].ages, strict=True))

        assert ages() == {'arm': np.inf, 'wrench': np.inf}  # what it needs, and no more
        sensors = graph.every(0.01, lambda: cell.arm(now().nanoseconds))
        graph.wait_for(lambda: 0.0 <= ages()['arm'] < 1.0, 'a reading of the arm')
        assert ages()['wrench'] == np.inf
        sensors.cancel()
        age = ages()['arm']
        graph.wait_for(lambda: ages()['arm'] > age + 0.2, 'it to grow old')
        assert not cell.states[-1].fault
        assert not cell.commands


def test_in_real_time_a_stale_reading_stops_the_policy(files):
    with Graph.open() as graph:
        cell = Cell(graph, lockstep=False, policy=files['a'], max_age=0.5)
        now = cell.graph.probe.get_clock().now

        def sense():
            cell.arm(now().nanoseconds)
            cell.wrench(now().nanoseconds)

        sensors = graph.every(0.01, sense)
        graph.wait_for(lambda: cell.graph.connected(), 'discovery')
        graph.spin_for(0.2)
        cell.run()
        graph.wait_for(lambda: len(cell.commands) >= 5, 'commands')
        sensors.cancel()
        graph.wait_for(lambda: cell.states[-1].fault, 'a fault')

        assert 'limit 0.5 s' in cell.states[-1].fault
        count = len(cell.commands)
        graph.spin_for(0.3)
        assert len(cell.commands) == count
