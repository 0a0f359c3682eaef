"""Who speaks before all listen: the roll call, and calls of services."""

import signal

from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from chef_cell.nodes import ros
from chef_cell.nodes.service_call import ServiceCall
from chef_cell.testing.recorder_cell import is_heard
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import EpisodeState, PolicyState
from chef_interfaces.srv import ResetScene


def speak_as(graph, *names):
    """Say in the roll call that these nodes are connected."""
    for name in names:
        # One each: the publisher of a latched topic keeps its last word.
        graph.publisher(String, ros.RollCall.TOPIC, ros.STATE_QOS).publish(String(data=name))


def test_a_node_speaks_when_it_knows_its_peers(graph):
    words = graph.collect(String, ros.RollCall.TOPIC, ros.STATE_QOS)
    graph.start('safety', {'peers': '[wrist]'})
    graph.start('controller', {'peers': '[]'})
    graph.wait_for(lambda: String(data='controller') in words, 'a node without peers')
    assert String(data='safety') not in words
    graph.start('wrist', {'peers': '[safety]'})
    graph.wait_for(
        lambda: String(data='safety') in words and String(data='wrist') in words, 'both'
    )


def test_a_recorder_is_unknown_until_it_hears_everything(graph, tmp_path):
    sensors = [
        graph.publisher(WrenchStamped, 'wrist/wrench', ros.SENSOR_PUBLISHER_QOS),
        graph.publisher(JointState, '/robot/joint_states', ros.SENSOR_PUBLISHER_QOS),
        graph.publisher(EpisodeState, 'episode', ros.STATE_QOS),
    ]
    graph.start('recorder', {'peers': '[probe]', 'directory': tmp_path})
    topic = graph.probe.resolve_topic_name(ros.RollCall.TOPIC)

    def ends():
        return [
            end.node_name
            for find in (
                graph.probe.get_publishers_info_by_topic,
                graph.probe.get_subscriptions_info_by_topic,
            )
            for end in find(topic)
        ]

    graph.wait_for(lambda: is_heard(sensors[2]), 'the recorder')
    assert 'recorder' not in ends(), 'it cannot know yet what the probe publishes'
    graph.publisher(String, ros.RollCall.TOPIC, ros.STATE_QOS)
    graph.probe.create_subscription(String, ros.RollCall.TOPIC, lambda _: None, ros.STATE_QOS)
    graph.wait_for(lambda: ends().count('recorder') == 2, 'the recorder in the roll call')
    assert all(map(is_heard, sensors))


def test_a_session_waits_for_its_own_turn(tmp_path):
    """That all others hear it does not mean that it is heard."""
    with Graph.open() as graph:
        speak_as(graph, 'mujoco_bridge')
        session = graph.start(
            'session',
            {
                'directory': tmp_path, 'run_on_start': True, 'ready_timeout': 1.0,
                'required': '[mujoco_bridge]', 'peers': '[mujoco_bridge]',
            },
        )  # fmt: skip
        graph.wait_for(lambda: not session.alive, 'the end of the node')
        assert 'not up after 1 s: session' in session.output()


def test_a_scene_is_asked_for_when_somebody_hears_it(tmp_path):
    """The discovery of a service may come last, whatever the roll call says."""
    with Graph.open() as graph:
        speak_as(graph, 'mujoco_bridge')
        policies = graph.publisher(PolicyState, 'policy', ros.STATE_QOS)
        policies.publish(PolicyState(ready=True))
        states = graph.collect(EpisodeState, 'episode', ros.STATE_QOS)
        graph.start(
            'session',
            {
                'directory': tmp_path, 'run_on_start': True, 'reset_timeout': 8.0,
                'required': '[mujoco_bridge]', 'peers': '[]',
            },
        )  # fmt: skip
        graph.wait_for(
            lambda: any(state.phase == EpisodeState.RESETTING for state in states), 'an episode'
        )
        asked = []

        def reset(request, response):
            asked.append(request.episode_id)
            response.success = True
            return response

        graph.probe.create_service(ResetScene, 'sim/reset_scene', reset)
        graph.wait_for(
            lambda: any(state.phase == EpisodeState.RUNNING for state in states), 'the scene'
        )
        assert asked == [states[-1].episode_id]


def test_a_request_waits_for_its_server(graph):
    client = graph.probe.create_client(Trigger, 'safety/rearm')
    call = ServiceCall(client, Trigger.Request(), repeat=60.0)
    assert not call.done()
    graph.start('safety')
    graph.wait_for(call.done, 'an answer')
    assert call.response.message == 'rearmed'


def test_a_request_is_repeated_when_its_server_dies(graph):
    client = graph.probe.create_client(Trigger, 'safety/rearm')
    call = ServiceCall(client, Trigger.Request(), repeat=1.0)
    server = graph.start('safety')
    graph.wait_for(client.service_is_ready, 'the server')
    server.freeze()
    assert not call.done()  # it asks somebody who never answers
    server.stop(signal.SIGKILL)
    graph.start('safety')
    graph.wait_for(call.done, 'an answer')
    assert call.response.message == 'rearmed'
