"""`chef session` from outside: a whole cell in lockstep, and every way in which it may end."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from chef_cell.cli.domain import PORT_BASE
from chef_cell.core.rewards import REWARD_NAMES
from chef_cell.drivers.onnx_runner import OnnxRunner
from chef_cell.sim.environment import StackingEnv
from chef_trainer.episodes import EpisodeReader
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_spec, write_tiny_policy

DEADLINE = 90.0
#: Everything but images, with history: whatever differs between ROS and Gymnasium shows.
OBSERVATIONS = (
    ObservationSpec('joint_position', (7,), 'rad', history=3),
    ObservationSpec('joint_velocity', (7,), 'rad/s'),
    ObservationSpec('tool_pose', (7,), 'm, quaternion'),
    ObservationSpec('red_pose', (7,), 'm, quaternion', history=2),
    ObservationSpec('wrench', (6,), 'N, N m'),
    ObservationSpec('gripper_position', (1,), '1'),
    ObservationSpec('grasp', (3,), '1'),
    ObservationSpec('previous_action', (5,), '1', history=2),
    ObservationSpec('triplet', (5,), '1'),
)


@pytest.fixture(scope='module')
def policy(tmp_path_factory):
    """A policy that moves the arm about."""
    path = tmp_path_factory.mktemp('policy') / 'wild.onnx'
    write_tiny_policy(path, tiny_spec(OBSERVATIONS), seed=1, gain=0.3)
    return path


class Chef:
    """One `chef session` process."""

    def __init__(self, folder, *arguments, **environment):
        self.folder = folder
        self.process = subprocess.Popen(
            [
                *(sys.executable, '-m', 'chef_cell.cli.main', 'session', '--no-report'),
                *('--cameras', 'none', '--out', str(folder), *arguments),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={
                **os.environ,
                'PYTHONPATH': os.pathsep.join(filter(None, sys.path)),
                'PYTHONUNBUFFERED': '1',
                **environment,
            },
        )
        self.output = ''

    def read_until(self, pattern):
        """Read the output until a line matches."""
        for line in self.process.stdout:
            self.output += line
            if re.search(pattern, line):
                return
        raise AssertionError(f'{pattern!r} never came:\n{self.output}')

    def wait(self):
        """Return the exit code; the output is then complete."""
        rest, _ = self.process.communicate(timeout=DEADLINE)
        self.output += rest
        return self.process.returncode

    @property
    def session(self):
        """The session's folder."""
        (folder,) = (path for path in self.folder.iterdir() if path.is_dir())
        return folder

    @property
    def record(self):
        """The content of session.json."""
        return json.loads((self.session / 'session.json').read_text())

    def nodes(self):
        """Process ids of this session's nodes, by name."""
        found = {}
        for path in Path('/proc').glob('[0-9]*/cmdline'):
            try:
                words = path.read_bytes().decode().split('\0')
            except OSError:
                continue
            if any(word.startswith(f'{self.folder}/') for word in words):
                module = next((w for w in words if w.startswith('chef_cell.nodes.')), '')
                found[module.rpartition('.')[2]] = int(path.parent.name)
        return found

    def assert_nothing_left(self):
        """Every node ends soon."""
        end = time.monotonic() + 20.0
        while self.nodes():
            assert time.monotonic() < end, f'left behind: {self.nodes()}'
            os.sched_yield()


@pytest.fixture
def start(tmp_path, policy):
    """Start `chef session` with the wild policy; it is ended with the test."""
    running = []

    def start(*arguments, **environment):
        running.append(Chef(tmp_path, '--policy', str(policy), *arguments, **environment))
        return running[-1]

    yield start
    for chef in running:
        chef.process.kill()
        chef.process.communicate()
        chef.assert_nothing_left()


def replay(policy, episode, max_steps):
    """Play the same episode in Gymnasium; returns final rewards, returns and peak force."""
    runner = OnnxRunner(policy)
    env = StackingEnv(
        triplet=episode['triplet'],
        observations=runner.spec.observations,
        max_steps=max_steps,
        force_limit=None,
    )
    observation, _ = env.reset(seed=episode['seed'])
    total = dict.fromkeys(REWARD_NAMES, 0.0)
    peak, truncated = 0.0, False
    while not truncated:
        observation, _, _, truncated, info = env.step(runner.act(observation))
        peak = max(peak, info['force_max'])
        total = {name: value + info[name] for name, value in total.items()}
    env.close()
    return {name: info[name] for name in REWARD_NAMES}, total, peak


def test_a_session_in_lockstep_from_start_to_end(start, policy):
    chef = start(
        *('--triplet', '1,3', '--episodes', '1', '--seed', '5'),
        *('--set', 'session.max_steps=30', '--set', 'safety.force_limit=1000.0'),
    )

    assert chef.wait() == 0, chef.output
    chef.assert_nothing_left()
    record = chef.record
    assert record['stopped_by'] == ''
    assert [episode['triplet'] for episode in record['episodes']] == ['1', '3']
    for episode in record['episodes']:
        assert (episode['outcome'], episode['steps']) == ('timeout', 30)
        assert episode['policy'] == 'tiny'
        # What a policy does over ROS is, number for number, what it does in Gymnasium.
        final, total, peak = replay(policy, episode, max_steps=30)
        assert episode['final_rewards'] == final
        assert episode['return_rewards'] == total
        assert episode['peak_force'] == peak
        reader = EpisodeReader(chef.session / episode['file'])
        assert reader.metadata['outcome'] == 'timeout'
        counts = {topic: len(list(reader.messages(topic))) for topic in reader.topics}
        assert counts['/cell/command'] == 30
        assert counts['/robot/joint_states'] == 30 * 5 + 1
        assert counts['/cell/controller/state'] >= 29  # timing of the joint loop
    assert 'episode 2/2' in chef.output
    assert 'control period p50' in chef.output
    logs = {path.stem for path in (chef.session / 'log').glob('*.log')}
    assert logs == {
        'safety', 'mujoco_bridge', 'wrist', 'controller', 'policy', 'recorder', 'session'
    }  # fmt: skip


# Patience for loaded machines: such tests are about clocks and silence, not about limits.
LATE = [f'{name}_timeout' for name in ('wrench', 'joint', 'controller', 'session', 'recorder')]
REAL_TIME = (
    *('--realtime', '--set=session.max_steps=40', '--set=policy.max_age=2.0'),
    *(f'--set=safety.{name}=4.0' for name in (*LATE, 'command_timeout', 'command_behind')),
    *('--set=safety.missed_deadlines=1000', '--set=safety.force_limit=1000.0'),
)


def test_a_session_in_real_time(start):
    chef = start(*REAL_TIME, '--episodes', '1')

    assert chef.wait() == 0, chef.output
    (episode,) = chef.record['episodes']
    assert episode['outcome'] == 'timeout'
    assert episode['steps'] >= 40, 'more where the machine stalls'
    reader = EpisodeReader(chef.session / episode['file'])
    assert len(list(reader.messages('/cell/command'))) >= 20


def test_ctrl_c_finishes_the_files_and_leaves_nothing(start):
    chef = start('--episodes', '50', '--set', 'session.max_steps=40')
    chef.read_until('episode 1/50')
    chef.process.send_signal(signal.SIGINT)

    assert chef.wait() == 130
    chef.assert_nothing_left()
    assert chef.record['stopped_by'] == 'interrupted'
    assert not list(chef.session.rglob('*.active'))
    for episode in chef.record['episodes']:
        reader = EpisodeReader(chef.session / episode['file'])
        assert reader.metadata['outcome'] == episode['outcome']


@pytest.mark.parametrize('node', ['wrist', 'session'])
def test_a_node_that_dies_stops_the_session_and_is_named(start, node):
    chef = start('--episodes', '50', '--set', 'session.max_steps=40')
    chef.read_until('episode 1/50')
    os.kill(chef.nodes()[node], signal.SIGKILL)
    assert chef.wait() == 3
    chef.assert_nothing_left()
    assert f'{node} ended with exit code -9' in chef.output


def test_a_silent_node_is_a_fault_that_is_named(start):
    chef = start(
        *('--episodes', '50', '--set', 'session.max_steps=40', '--set', 'session.step_timeout=3.0')
    )
    chef.read_until('episode 1/50')
    os.kill(chef.nodes()['policy'], signal.SIGSTOP)

    assert chef.wait() == 3
    assert 'policy is silent' in chef.record['stopped_by']
    assert chef.record['episodes'][-1]['outcome'] == 'fault'


def test_in_real_time_a_hung_safety_node_is_a_fault(start):
    chef = start(*REAL_TIME, '--episodes', '9')
    chef.read_until('episode 1/9')
    os.kill(chef.nodes()['safety'], signal.SIGSTOP)

    assert chef.wait() == 3, chef.output
    assert 'safety: no verdict' in chef.record['stopped_by']


def test_an_episode_without_its_file_stays_on_record(start):
    chef = start('--episodes', '50', '--set', 'session.record_timeout=1.0')
    chef.read_until('episode 1/50')
    os.kill(chef.nodes()['recorder'], signal.SIGSTOP)

    assert chef.wait() == 3
    assert chef.record['episodes'][-1]['episode_id'] in chef.record['stopped_by']


def test_nodes_do_not_outlive_a_runner_that_is_killed(start):
    chef = start('--episodes', '50', '--set', 'session.max_steps=40')
    chef.read_until('episode 1/50')
    chef.process.kill()

    chef.assert_nothing_left()


def test_unknown_objects_are_refused_before_the_first_episode(start):
    chef = start('--triplet', 'r6,nonsense,b5', '--episodes', '1')

    assert chef.wait() == 2
    assert "object 'nonsense' is not one of the RGB objects" in chef.output
    assert chef.record['episodes'] == []


@pytest.mark.parametrize(
    ('arguments', 'words'),
    [
        (('--triplet', '9'), "unknown triplet '9', allowed: 1, 2, 3, 4, 5"),
        (('--episodes', '0'), '0 episodes, at least 1'),
        (('--policy', 'none.onnx'), 'none.onnx: cannot be read'),
        (('--cameras', 'ceiling'), "unknown cameras ['ceiling'], allowed: basket_front_left"),
        (('--set', 'gripper.force=1'), "parameters for ['gripper'], but this cell has"),
    ],
)
def test_bad_input_is_answered_at_once_in_one_line(start, arguments, words):
    chef = start(*arguments)

    assert chef.wait() == 2
    assert chef.output.startswith('chef: ')
    assert words in chef.output
    assert chef.output.count('\n') == 1


def test_a_domain_in_use_is_refused(start):
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as other_cell:
        domain = int(np.random.default_rng().integers(10, 99))
        other_cell.bind(('127.0.0.1', PORT_BASE + domain))
        chef = start(ROS_DOMAIN_ID=str(domain))

        assert chef.wait() == 2
        assert f'ROS domain {domain} is in use by another cell' in chef.output
