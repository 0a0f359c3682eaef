"""A session in real time begins an episode when the policy has readings of its scene."""

import pytest
from std_msgs.msg import String

from chef_cell.core.ages import ages
from chef_cell.nodes import ros
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import EpisodeState, PolicyState, SafetyState
from chef_interfaces.srv import ResetScene

READINGS = ('arm', 'image/left', 'image/right')


class Cell:
    """Plays bridge, policy and latch to a session of one episode.

    `alive` readings are always of now.
    """

    def __init__(self, graph, directory, **parameters):
        self.graph = graph
        self.alive = {'arm', 'image/right'}
        self.newest_ns = {}
        self.scene_ns = 0
        self.talkative = True  # whether the policy goes on once there is a scene
        self.verdict = SafetyState()
        word = graph.publisher(String, ros.RollCall.TOPIC, ros.STATE_QOS)
        word.publish(String(data='mujoco_bridge'))
        self.policies = graph.publisher(PolicyState, 'policy', ros.STATE_QOS)
        self.safety = graph.publisher(SafetyState, 'safety', ros.STATE_QOS)
        self.states = graph.collect(EpisodeState, 'episode', ros.STATE_QOS)
        graph.probe.create_service(ResetScene, 'sim/reset_scene', self._reset)
        self.said = graph.every(0.02, self._say)
        graph.every(0.02, lambda: self.safety.publish(self.verdict))
        self.session = graph.start(
            'session',
            {
                'directory': directory, 'run_on_start': True, 'required': '[mujoco_bridge]',
                'peers': '[]', 'safety_timeout': 30.0, **parameters,
            },
        )  # fmt: skip

    def now(self):
        return self.graph.probe.get_clock().now().nanoseconds

    def running(self):
        return [state for state in self.states if state.phase == EpisodeState.RUNNING]

    def wait_for_scene(self):
        self.graph.wait_for(lambda: self.scene_ns, 'the scene')

    def _say(self):
        now = self.now()
        self.newest_ns.update(dict.fromkeys(self.alive, now))
        found = ages(self.newest_ns, READINGS, now)
        state = PolicyState(ready=True, readings=list(found), ages=list(found.values()))
        state.header.stamp = ros.to_stamp(now)
        self.policies.publish(state)

    def _reset(self, request, response):
        if not self.talkative:
            self.said.cancel()
        self.scene_ns = self.now()
        response.success, response.stamp = True, ros.to_stamp(self.scene_ns)
        return response


@pytest.mark.parametrize('came', [False, True])
def test_an_episode_waits_for_a_reading_that_is_missing_or_older_than_its_scene(tmp_path, came):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path)
        if came:
            cell.newest_ns['image/left'] = cell.now()
        cell.wait_for_scene()
        graph.spin_for(0.5)
        assert not cell.running()

        cell.newest_ns['image/left'] = cell.now()  # one alone does not show that others follow
        graph.spin_for(0.5)
        assert not cell.running()

        came_ns = cell.now()
        cell.alive.add('image/left')
        graph.wait_for(cell.running, 'the episode')
        assert ros.nanoseconds(cell.running()[0].start) > came_ns


def test_a_session_stops_when_a_reading_does_not_come_and_says_which(tmp_path):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path, readings_timeout=0.5)
        graph.wait_for(lambda: not cell.session.alive, 'the end of the session')

        assert cell.session.process.returncode == 3
        assert 'no new readings after 0.5 s: image/left: no reading' in cell.session.output()
        assert cell.states[-1].phase == EpisodeState.IDLE
        assert not cell.running()


def test_what_the_policy_said_before_the_scene_does_not_count(tmp_path):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path, readings_timeout=0.5)
        cell.alive.add('image/left')
        cell.talkative = False
        graph.wait_for(lambda: not cell.session.alive, 'the end of the session')

        assert 'no new readings after 0.5 s: arm is ' in cell.session.output()
        assert not cell.running()


def test_a_fault_that_silences_the_policy_meanwhile_is_the_reason(tmp_path):
    with Graph.open() as graph:
        cell = Cell(graph, tmp_path)
        cell.wait_for_scene()
        cell.verdict = SafetyState(level=SafetyState.FAULT, reason='robot_estop')
        graph.wait_for(lambda: not cell.session.alive, 'the end of the session')

        assert cell.session.process.returncode == 3
        assert 'session stopped: safety: robot_estop' in cell.session.output()
        assert not cell.running()
