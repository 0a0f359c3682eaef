"""The life cycle of managed nodes: twice round, and switched off by a fault."""

import pytest
from lifecycle_msgs.msg import State, Transition
from lifecycle_msgs.srv import ChangeState, GetState

from chef_cell.nodes import ros
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import PolicyState, SafetyState
from chef_trainer.testing import tiny_spec, write_tiny_policy

TWICE_ROUND = (
    Transition.TRANSITION_DEACTIVATE,
    Transition.TRANSITION_CLEANUP,
    Transition.TRANSITION_CONFIGURE,
    Transition.TRANSITION_ACTIVATE,
)


class Managed:
    """One managed node, and whoever manages it."""

    def __init__(self, graph, name, parameters):
        self.graph, self.name = graph, name
        self.process = graph.start(name, parameters)
        graph.wait_for(graph.connected, 'an active node')

    def change(self, *transitions):
        for transition in transitions:
            request = ChangeState.Request(transition=Transition(id=transition))
            answer = self.graph.call(ChangeState, f'{self.name}/change_state', request)
            assert answer.success, self.process.output()

    def state(self):
        answer = self.graph.call(GetState, f'{self.name}/get_state', GetState.Request())
        return answer.current_state.id

    def endpoints(self):
        """Topics and services of the node, each as often as it has it."""
        where = self.name, self.graph.namespace
        topics = self.graph.probe.get_topic_names_and_types()
        counts = {
            f'{kind} {topic}': sum((end.node_name, end.node_namespace) == where for end in ends)
            for topic, _ in topics
            for kind, ends in (
                ('publishes', self.graph.probe.get_publishers_info_by_topic(topic)),
                ('hears', self.graph.probe.get_subscriptions_info_by_topic(topic)),
            )
        }
        for service, _ in self.graph.probe.get_service_names_and_types():
            # rclpy forgets this one of a node that is destroyed.
            if not service.endswith('/get_type_description'):
                counts[f'serves {service}'] = self.graph.probe.count_services(service)
        return {name: count for name, count in counts.items() if count}


@pytest.mark.parametrize(
    ('name', 'parameters'),
    [
        ('camera', {'cameras': '[front]'}),
        ('policy', {'cameras': '[front]'}),
        ('recorder', {}),
        ('session', {}),
    ],
)
def test_a_managed_node_can_be_configured_again(tmp_path, name, parameters):
    if name in ('recorder', 'session'):
        parameters = {**parameters, 'directory': tmp_path}
    with Graph.open() as graph:
        node = Managed(graph, name, {**parameters, 'lockstep': True})
        graph.wait_for(lambda: 'hears' in ' '.join(node.endpoints()), 'its subscriptions')
        before = node.endpoints()
        node.change(*TWICE_ROUND)
        # Discovery may have missed some of them before; of those it knew there are as many.
        graph.wait_for(
            lambda: before.items() <= node.endpoints().items(), f'the same endpoints as {before}'
        )
        assert node.state() == State.PRIMARY_STATE_ACTIVE


def test_a_cleaned_up_node_keeps_nothing_but_its_life(tmp_path):
    with Graph.open() as graph:
        node = Managed(graph, 'policy', {'lockstep': True})
        node.change(*TWICE_ROUND[:2])
        graph.wait_for(
            lambda: 'hears /cell/safety' not in node.endpoints(), 'the end of its subscriptions'
        )
        assert 'serves /cell/policy/change_state' in node.endpoints()


@pytest.fixture
def policy(tmp_path):
    """A policy node with a policy, and a safety latch played by the test."""
    write_tiny_policy(tmp_path / 'tiny.onnx', tiny_spec())
    with Graph.open() as graph:
        states = graph.collect(PolicyState, 'policy', ros.STATE_QOS)
        verdicts = graph.publisher(SafetyState, 'safety', ros.STATE_QOS)
        node = Managed(graph, 'policy', {'lockstep': True, 'policy': tmp_path / 'tiny.onnx'})
        graph.wait_for(graph.connected, 'the policy node')
        graph.wait_for(lambda: states and states[-1].ready, 'a policy that is ready')

        def say(level, reason=''):
            verdicts.publish(SafetyState(level=level, reason=reason))

        yield node, states, say


def test_a_fault_deactivates_the_policy_node_and_its_end_brings_it_back(policy):
    node, states, say = policy
    say(SafetyState.EPISODE_STOP, 'force')
    say(SafetyState.FAULT, 'wrench_stale')
    node.graph.wait_for(lambda: not states[-1].ready, 'a policy that is not ready')
    assert node.state() == State.PRIMARY_STATE_INACTIVE
    assert 'deactivated by a fault: wrench_stale' in node.process.output()
    say(SafetyState.OK)
    node.graph.wait_for(lambda: states[-1].ready, 'a policy that is ready')
    assert node.state() == State.PRIMARY_STATE_ACTIVE


def test_a_fault_cannot_be_overruled_by_activating_the_node(policy):
    node, states, say = policy
    say(SafetyState.FAULT)
    node.graph.wait_for(lambda: not states[-1].ready, 'a policy that is not ready')
    node.change(Transition.TRANSITION_ACTIVATE)
    say(SafetyState.FAULT)  # as the latch does 50 times a second
    node.graph.wait_for(
        lambda: node.state() == State.PRIMARY_STATE_INACTIVE, 'an inactive policy node'
    )


def test_whom_a_person_has_deactivated_the_end_of_a_fault_leaves_so(policy):
    node, _, say = policy
    node.change(Transition.TRANSITION_DEACTIVATE)
    say(SafetyState.FAULT)
    say(SafetyState.OK)
    node.graph.spin_for(0.3)
    assert node.state() == State.PRIMARY_STATE_INACTIVE
