"""The session node: who is missing, what is refused, sessions on request, faults."""

import json
from pathlib import Path

import numpy as np
import pytest
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from rclpy.serialization import deserialize_message
from std_msgs.msg import Bool, Empty
from std_srvs.srv import Trigger

from chef_cell.graph import CellSettings, nodes, parameter_file
from chef_cell.nodes import ros
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.action import RunSession
from chef_interfaces.msg import EpisodeState, TaskCommand
from chef_trainer.episodes import EpisodeReader
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_spec, write_tiny_policy
from intera_core_msgs.msg import JointCommand

CONFIG = Path(__file__).parents[2] / 'config'
DEADLINE = 60.0


@pytest.mark.parametrize(
    ('parameters', 'code', 'words'),
    [
        (
            {'ready_timeout': 0.5, 'required': '[safety, policy, recorder]'},
            3,
            'not up after 0.5 s: safety, policy, recorder',
        ),
        ({'triplets': "['7']"}, 2, "unknown triplet '7'"),
        ({'episodes': 0}, 2, '0 episodes, at least 1'),
        ({'max_steps': 0}, 1, 'max_steps = 0, must be positive'),
    ],
)
def test_a_session_that_cannot_start_says_why(tmp_path, parameters, code, words):
    with Graph.open() as graph:
        process = graph.start(
            'session', {'directory': str(tmp_path), 'run_on_start': True, **parameters}
        )
        graph.wait_for(lambda: not process.alive, 'the end of the node')

        assert process.process.returncode == code
        assert words in process.output()


class Cell:
    """A whole simulated cell in lockstep, and a client of run_session."""

    def __init__(self, graph, folder, **overrides):
        self.graph = graph
        self.folder = folder
        overrides = {'session': {'max_steps': 20}, **overrides}
        for spec in nodes(CellSettings(directory=str(folder)), CONFIG, overrides=overrides):
            path = folder / f'{spec.name}.yaml'
            path.write_text(parameter_file(spec))
            graph.start(spec.name, arguments=('--params-file', str(path)))
        self.policy = folder / 'tiny.onnx'
        spec = tiny_spec((ObservationSpec('tool_pose', (7,), 'm, quaternion'),))
        write_tiny_policy(self.policy, spec, seed=1, gain=0.3)
        self.client = ActionClient(graph.probe, RunSession, 'run_session')
        self.feedback = []
        self.states = graph.collect(EpisodeState, 'episode', ros.STATE_QOS)
        graph.wait_for(self.client.server_is_ready, 'run_session', DEADLINE)

    def ask(self, episodes=1, triplets=('1',)):
        """Send a goal; returns its handle."""
        goal = RunSession.Goal(
            triplets=list(triplets), policies=[str(self.policy)], episodes=episodes
        )
        future = self.client.send_goal_async(
            goal, feedback_callback=lambda message: self.feedback.append(message.feedback)
        )
        self.graph.wait_for(future.done, 'an answer to the goal', DEADLINE)
        return future.result()

    def result(self, handle):
        """Wait for the end of a session; returns status and result."""
        future = handle.get_result_async()
        self.graph.wait_for(future.done, 'the result', DEADLINE)
        return future.result().status, future.result().result

    def wait_running(self):
        self.graph.wait_for(
            lambda: self.states and self.states[-1].phase == EpisodeState.RUNNING,
            'an episode',
            DEADLINE,
        )


def test_sessions_on_request(tmp_path):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path)

        refused = cell.ask(triplets=('0',))
        assert not refused.accepted

        status, result = cell.result(cell.ask(episodes=2))
        assert status == GoalStatus.STATUS_SUCCEEDED
        assert (result.episodes, result.stopped_by) == (2, '')
        record = json.loads((Path(result.directory) / 'session.json').read_text())
        assert [episode['steps'] for episode in record['episodes']] == [20, 20]
        # Each is repeated once a second.
        phases = list(dict.fromkeys(state.episode.phase for state in cell.feedback))
        assert phases[:2] == [EpisodeState.RESETTING, EpisodeState.RUNNING]

        running = cell.ask(episodes=1000)
        cell.wait_running()
        assert not cell.ask().accepted  # one at a time
        graph.wait_for(running.cancel_goal_async().done, 'the cancellation', DEADLINE)
        status, result = cell.result(running)
        assert status == GoalStatus.STATUS_CANCELED
        assert result.stopped_by == 'cancelled'

        faulty = cell.ask(episodes=1000)
        cell.wait_running()
        stranger = graph.publisher(TaskCommand, 'command')
        stranger.publish(TaskCommand(yaw_rate=float('nan')))
        status, result = cell.result(faulty)
        assert status == GoalStatus.STATUS_ABORTED
        # That there is a second publisher may be seen before what it says.
        assert 'safety: command_' in result.stopped_by

        status, result = cell.result(cell.ask())
        assert 'rearm it with safety/rearm' in result.stopped_by
        graph.probe.destroy_publisher(stranger)
        graph.wait_for(
            lambda: graph.call(Trigger, 'safety/rearm', Trigger.Request()).success, 'rearming'
        )
        status, result = cell.result(cell.ask())
        assert status == GoalStatus.STATUS_SUCCEEDED, result.stopped_by


def test_a_robot_that_is_stopped_stops_the_session(tmp_path):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path)
        stop = graph.publisher(Empty, '/robot/set_super_stop')
        reset = graph.publisher(Empty, '/robot/set_super_reset')
        enable = graph.publisher(Bool, '/robot/set_super_enable')
        graph.wait_for(graph.connected, 'the robot')
        running = cell.ask(episodes=1000)
        cell.wait_running()
        stop.publish(Empty())
        status, result = cell.result(running)
        assert status == GoalStatus.STATUS_ABORTED
        assert 'robot_stopped' in result.stopped_by

        for mend, cause in ((stop, 'robot_stopped'), (reset, 'robot_disabled')):
            mend.publish(Empty())
            graph.wait_for(
                lambda cause=cause: (
                    cause in graph.call(Trigger, 'safety/rearm', Trigger.Request()).message
                ),
                f'{cause} to forbid rearming',
            )
        enable.publish(Bool(data=True))
        graph.wait_for(
            lambda: graph.call(Trigger, 'safety/rearm', Trigger.Request()).success, 'rearming'
        )
        assert cell.result(cell.ask())[0] == GoalStatus.STATUS_SUCCEEDED


def test_after_the_force_rule_the_arm_retreats_within_its_episode(tmp_path):
    with Graph.open() as graph:
        # N: the sensor feels the gripper's inertia when the arm sets out
        cell = Cell(graph, tmp_path, safety={'force_limit': 0.35})
        sessions = [cell.result(cell.ask(episodes=2))[1] for _ in range(2)]

    records = []
    for session in sessions:
        folder = Path(session.directory)
        episodes = json.loads((folder / 'session.json').read_text())['episodes']
        assert [episode['outcome'] for episode in episodes] == ['force', 'force']
        reader = EpisodeReader(folder / episodes[0]['file'])
        assert reader.metadata['limits']['controller']['retreat_distance'] == 0.01
        end_ns = reader.metadata['end_ns']
        commands = [
            deserialize_message(message.data.tobytes(), JointCommand)
            for message in reader.messages('/robot/limb/right/joint_command')
        ]
        stamps = np.array([ros.nanoseconds(command.header.stamp) for command in commands])
        moving = np.array([any(command.velocity) for command in commands])
        assert not moving[stamps == end_ns].any(), 'the arm stops at once'
        after = stamps - end_ns
        assert moving[(after > 0) & (after <= 330_000_000)].all(), 'no retreat'
        assert not moving[after >= 350_000_000].any(), 'the retreat is bounded'
        same = ('steps', 'value', 'peak_force', 'final_rewards', 'return_rewards')
        records.append([{name: episode[name] for name in same} for episode in episodes])
    # How long the arm was watched after the stop makes no difference.
    assert records[0] == records[1]


def test_a_recorder_that_cannot_write_ends_the_session_and_keeps_what_is_there(tmp_path):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path, recorder={'queue_mb': 0.0005})  # a tick fits, no more

        status, result = cell.result(cell.ask(episodes=1000))

        assert status == GoalStatus.STATUS_ABORTED
        assert 'recorder: ' in result.stopped_by
        assert 'MB behind' in result.stopped_by
        (episode,) = json.loads((Path(result.directory) / 'session.json').read_text())['episodes']
        assert episode['outcome'] == 'fault'
        metadata = EpisodeReader(Path(result.directory) / episode['file']).metadata
        assert metadata['outcome'] == 'fault'
        assert any('MB behind' in mark for mark in metadata['marks'])
