"""The teleop node on a real terminal: in a whole simulated cell, and beside a second commander."""

import os
import pty
import time
from pathlib import Path

import numpy as np
import pytest
from rclpy.action import ActionClient
from std_srvs.srv import SetBool

from chef_cell.core.teleop import HUMAN
from chef_cell.graph import CellSettings, nodes, parameter_file
from chef_cell.nodes import ros
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.action import RunSession
from chef_interfaces.msg import EpisodeState, PolicyState, SafetyState, TaskCommand
from chef_trainer.episodes import EpisodeReader

CONFIG = Path(__file__).parents[2] / 'config'
DEADLINE = 60.0
#: A key is typed so often: faster than it expires, as a key held down repeats.
REPEAT = 0.05


class Person:
    """Hands on a terminal that a teleop node reads."""

    def __init__(self, graph):
        self.graph = graph
        self._terminal, self.node_end = pty.openpty()
        self._down = b''
        graph.every(REPEAT, self._type)

    def hold(self, keys):
        self._down = keys

    def _type(self):
        if self._down:
            os.write(self._terminal, self._down)

    def tap(self, key):
        os.write(self._terminal, key)

    def close(self):
        os.close(self._terminal)
        os.close(self.node_end)


@pytest.fixture
def person():
    with Graph.open() as graph:
        person = Person(graph)
        yield person
    person.close()


def moves(command):
    linear = command.linear
    return any((linear.x, linear.y, linear.z, command.yaw_rate, command.gripper_velocity))


def test_commands_follow_the_keys_in_real_time(person):
    graph = person.graph
    graph.start('teleop', {'operator_yaw': 0.0, 'key_hold': 0.4}, stdin=person.node_end)
    commands = graph.collect(TaskCommand, 'command')
    states = graph.collect(PolicyState, 'policy', ros.STATE_QOS)
    episodes = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
    safety = graph.publisher(SafetyState, 'safety', ros.STATE_QOS)
    graph.wait_for(graph.connected, 'discovery')
    graph.wait_for(lambda: states and states[-1].ready, 'the node')
    person.hold(b'w')
    graph.spin_for(0.3)
    assert not commands  # nothing runs

    episodes.publish(EpisodeState(phase=EpisodeState.RUNNING, episode_id='e0'))
    graph.wait_for(lambda: len(commands) >= 5, 'commands')
    person.hold(b'')
    graph.wait_for(lambda: len(commands) >= 25, 'more commands than a key lasts')
    assert not any(map(moves, commands))  # the key was down before the episode
    person.hold(b'wc')
    graph.wait_for(lambda: moves(commands[-1]), 'motion')
    graph.wait_for(lambda: commands[-1].gripper_velocity == 1.0, 'the gripper')
    assert commands[-1].linear.x == pytest.approx(0.07)
    assert states[-1].name == HUMAN
    person.hold(b'')
    graph.wait_for(lambda: not moves(commands[-1]), 'rest once the key is up')

    person.hold(b'w')
    graph.wait_for(lambda: moves(commands[-1]), 'motion')
    safety.publish(SafetyState(level=SafetyState.FAULT))
    graph.wait_for(lambda: time.monotonic() - commands.times[-1] > 1.0, 'silence')
    count = len(commands)
    safety.publish(SafetyState(level=SafetyState.OK))  # rearming must not resume the motion
    graph.spin_for(0.3)
    assert len(commands) == count


def test_a_device_that_is_gone_ends_the_episode_by_its_fault(person):
    graph = person.graph
    reading, writing = os.pipe()
    graph.start('teleop', stdin=reading)
    os.close(reading)
    states = graph.collect(PolicyState, 'policy', ros.STATE_QOS)
    graph.wait_for(lambda: states and states[-1].ready, 'the node')

    os.close(writing)
    graph.wait_for(lambda: states[-1].fault, 'a fault')
    assert states[-1].fault == 'keyboard: the terminal is gone'
    assert not states[-1].ready


def test_a_device_that_cannot_be_opened_ends_the_node(person):
    process = person.graph.start('teleop', {'device': 'wheel'})
    person.graph.wait_for(lambda: not process.alive, 'the end of the node')

    assert process.process.returncode == 1
    assert "device = 'wheel', allowed: keyboard, gamepad, spacemouse" in process.output()


@pytest.fixture
def cell(person, tmp_path):
    """A whole simulated cell in lockstep, driven by a person."""
    settings = CellSettings(directory=str(tmp_path), teleop='keyboard')
    for spec in nodes(settings, CONFIG, overrides={'teleop': {'key_hold': 0.5}}):
        path = tmp_path / f'{spec.name}.yaml'
        path.write_text(parameter_file(spec))
        stdin = person.node_end if spec.reads_keys else None
        person.graph.start(spec.name, arguments=('--params-file', str(path)), stdin=stdin)
    return person


def test_a_demonstration_is_an_ordinary_episode_of_a_human(cell, tmp_path):
    graph = cell.graph
    client = ActionClient(graph.probe, RunSession, 'run_session')
    states = graph.collect(EpisodeState, 'episode', ros.STATE_QOS)
    graph.wait_for(client.server_is_ready, 'run_session', DEADLINE)
    refused = graph.call(SetBool, 'session/end_episode', SetBool.Request(data=True))
    assert not refused.success
    assert refused.message == 'no episode is running'

    def running(index):
        return states[-1].phase == EpisodeState.RUNNING and states[-1].index == index

    future = client.send_goal_async(RunSession.Goal(triplets=['3'], episodes=3))
    graph.wait_for(lambda: states and running(0), 'the first episode', DEADLINE)
    cell.hold(b'f')
    graph.wait_for(lambda: states[-1].steps >= 20, 'steps', DEADLINE)
    cell.hold(b'')
    cell.tap(b'\n')
    graph.wait_for(lambda: running(1), 'the second episode', DEADLINE)
    cell.tap(b'\x7f')
    graph.wait_for(lambda: running(2), 'the third episode', DEADLINE)
    commands = graph.publisher(TaskCommand, 'command')
    graph.wait_for(lambda: commands.get_subscription_count() >= 2, 'a second commander')
    # Of now: who comes late with the past is stopped for that, maybe before it is counted.
    graph.every(0.02, lambda: commands.publish(TaskCommand(header=states[-1].header)))
    graph.wait_for(future.done, 'an answer to the goal', DEADLINE)
    result = future.result().get_result_async()
    graph.wait_for(result.done, 'the end of the session', DEADLINE)

    assert 'command_publishers' in result.result().result.stopped_by
    files = sorted(tmp_path.glob('*/*/*.mcap'))
    first, second, third = (EpisodeReader(file).metadata for file in files)
    assert {item['source'] for item in (first, second, third)} == {HUMAN}
    assert (first['outcome'], second['outcome'], third['outcome']) == ('timeout', 'abort', 'fault')
    assert first['reason'] == 'not stacked at the last step'
    assert second['reason'] == 'discarded by a person'
    down = EpisodeReader(files[0]).arrays('command')['linear'][:, 2]
    assert np.min(down) == pytest.approx(-0.07)
