"""The scripted reset in the graph: between episodes, stopped by the latch, and a person's turn."""

import json
from pathlib import Path

import pytest
from action_msgs.msg import GoalStatus
from rclpy.action import ActionClient
from std_srvs.srv import SetBool

from chef_cell.graph import CellSettings, nodes, parameter_file
from chef_cell.nodes import messages, ros
from chef_cell.sim.cell import SimCell
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.action import RunSession
from chef_interfaces.msg import EpisodeState, ResetState, TaskCommand
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_spec, write_tiny_policy

CONFIG = Path(__file__).parents[2] / 'config'
DEADLINE = 60.0
LONG = 500.0  # s, 800 control steps of the whole graph on a busy machine


class Cell:
    """A whole simulated cell in lockstep whose arm resets it."""

    def __init__(self, graph, folder, **overrides):
        self.graph = graph
        settings = CellSettings(directory=str(folder), reset='scripted')
        overrides = {'session': {'max_steps': 5}, **overrides}
        for spec in nodes(settings, CONFIG, overrides=overrides):
            path = folder / f'{spec.name}.yaml'
            path.write_text(parameter_file(spec))
            graph.start(spec.name, arguments=('--params-file', str(path)))
        self.policy = folder / 'tiny.onnx'
        spec = tiny_spec((ObservationSpec('tool_pose', (7,), 'm, quaternion'),))
        write_tiny_policy(self.policy, spec, seed=1, gain=0.3)
        self.client = ActionClient(graph.probe, RunSession, 'run_session')
        self.states = graph.collect(EpisodeState, 'episode', ros.STATE_QOS)
        graph.wait_for(self.client.server_is_ready, 'run_session', DEADLINE)

    def ask(self, episodes):
        """Begin a session; returns its handle."""
        goal = RunSession.Goal(triplets=['4'], policies=[str(self.policy)], episodes=episodes)
        sent = self.client.send_goal_async(goal)
        self.graph.wait_for(sent.done, 'an answer to the goal', DEADLINE)
        return sent.result()

    def play(self, episodes, deadline=DEADLINE):
        """Run a session to its end; returns status, result and its record."""
        return self.result(self.ask(episodes), deadline)

    def result(self, handle, deadline=DEADLINE):
        """Wait for the end of a session; returns status, result and its record."""
        over = handle.get_result_async()
        self.graph.wait_for(over.done, 'the result', deadline)
        status, result = over.result().status, over.result().result
        record = json.loads((Path(result.directory) / 'session.json').read_text())
        return status, result, record

    def resets(self):
        """Ids of the scripted resets that were announced."""
        ids = [s.episode_id for s in self.states if s.phase == EpisodeState.SCRIPTED_RESET]
        return sorted(set(ids))


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_the_arm_resets_the_cell_between_two_episodes(tmp_path):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path)
        resets = graph.collect(ResetState, 'reset', ros.STATE_QOS)
        commands = graph.collect(TaskCommand, 'command')
        arm = graph.collect(TaskCommand, 'reset/command')

        status, result, record = cell.play(episodes=2, deadline=LONG)

        assert (status, result.stopped_by) == (GoalStatus.STATUS_SUCCEEDED, '')
        assert [episode['steps'] for episode in record['episodes']] == [5, 5]
        # The first episode begins with a new scene, which brings the objects.
        assert cell.resets() == [f'{result.session_id}-0001.reset1']
        graph.wait_for(lambda: resets[-1].done, 'the end of the reset')
        assert resets[-1].success
        assert resets[-1].reset_id == cell.resets()[0]
        assert len(commands) == 10
        assert len(arm) > 100


@pytest.mark.parametrize(
    ('overrides', 'count', 'words'),
    [
        ({'reset': {'time_budget': 0.5}}, 1, 'needs a person: 0.5 s were not enough'),
        (
            {'safety': {'force_limit': 0.02}, 'session': {'max_steps': 5, 'reset_attempts': 2}},
            2,
            'needs a person: 2 resets were stopped, the last by force (',
        ),
    ],
)
def test_a_reset_that_comes_to_nothing_calls_a_person(tmp_path, overrides, count, words):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path, **overrides)

        status, result, record = cell.play(episodes=2)

        assert status == GoalStatus.STATUS_ABORTED
        assert result.stopped_by.startswith(words)
        assert len(record['episodes']) == 1
        assert len(cell.resets()) == count
        # Nothing moves any more.
        graph.wait_for(lambda: cell.states[-1].phase == EpisodeState.IDLE, 'an idle cell')


def test_a_fault_stops_a_reset_and_the_session(tmp_path):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path)
        handle = cell.ask(episodes=2)
        graph.wait_for(cell.resets, 'a reset', DEADLINE)
        assert graph.call(SetBool, 'sim/press_estop', SetBool.Request(data=True)).success

        status, result, _ = cell.result(handle)

        assert status == GoalStatus.STATUS_ABORTED
        assert result.stopped_by.startswith('safety: robot_estop')
        graph.wait_for(lambda: cell.states[-1].phase == EpisodeState.ENDED, 'its end')
        assert cell.states[-1].outcome == 'fault'


def test_in_real_time_it_speaks_only_when_asked_and_only_on_its_own_topic():
    sim = SimCell('3')
    sim.reset(seed=0)
    with Graph.open() as graph:
        graph.start('reset')
        commands = graph.collect(TaskCommand, 'reset/command')
        states = graph.collect(ResetState, 'reset', ros.STATE_QOS)
        episodes = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
        publishers = {
            name: graph.publisher(kind, topic)
            for name, (kind, topic, _) in messages.READINGS.items()
        }

        def publish():
            stamp = graph.probe.get_clock().now().to_msg()
            for name, message in {
                'arm': messages.arm_to_message(sim.arm.read(), stamp),
                'gripper': messages.gripper_to_message(sim.gripper.read(), stamp),
                'wrench': messages.wrench_to_message(sim.wrist.read(), stamp, 'tool'),
                'objects': messages.objects_to_message(sim.tracker.read(), stamp),
            }.items():
                publishers[name].publish(message)

        graph.every(0.02, publish)
        graph.wait_for(graph.connected, 'discovery')
        graph.wait_for(lambda: states, 'the node')
        others = graph.collect(TaskCommand, 'command')  # nobody's, so not waited for
        running = EpisodeState(phase=EpisodeState.RUNNING, episode_id='e', triplet='3')
        episodes.publish(running)
        graph.spin_for(0.3)
        assert not commands

        asked = EpisodeState(phase=EpisodeState.SCRIPTED_RESET, episode_id='e.reset1', triplet='3')
        episodes.publish(asked)
        graph.wait_for(lambda: len(commands) > 5, 'commands')
        assert states[-1].reset_id == 'e.reset1'
        assert states[-1].activity == 'retreat'
        assert commands[-1].linear.z > 0.0

        episodes.publish(running)
        graph.spin_for(0.2)
        count = len(commands)
        graph.spin_for(0.3)
        assert len(commands) == count
        assert not others

        asked.episode_id, asked.triplet = 'e.reset2', 'r2,g6,x9'
        episodes.publish(asked)
        graph.wait_for(lambda: states[-1].done, 'a refusal')
        assert "object 'x9'" in states[-1].reason
        assert not states[-1].success
