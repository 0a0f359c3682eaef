"""Who counts as a commander: the living, and strangers as long as they are known."""

import signal

import pytest
from std_srvs.srv import Trigger

from chef_cell.nodes import ros
from chef_cell.nodes.commanders import Commanders
from chef_interfaces.msg import SafetyState, TaskCommand


@pytest.fixture
def commanders(graph):
    return Commanders(graph.probe, TaskCommand, 'command')


def known(graph):
    return graph.probe.count_publishers('command')


def test_a_commander_that_is_killed_and_replaced_counts_once(graph, commanders):
    first = graph.start('policy')
    graph.wait_for(lambda: commanders.count() == 1, 'the first')
    first.stop(signal.SIGKILL)
    second = graph.start('policy')
    graph.wait_for(lambda: known(graph) == 2, 'the second')
    # Discovery takes 20 s to miss the first.
    graph.wait_for(lambda: commanders.count() == 1 and known(graph) == 2, 'the end of the first')
    graph.start('policy')
    graph.wait_for(lambda: commanders.count() == 2, 'the third, who lives beside the second')
    second.stop()
    graph.wait_for(lambda: commanders.count() == 1, 'the third alone')


def test_a_commander_that_hung_and_was_replaced_counts_when_it_is_back(graph, commanders):
    hung = graph.start('policy')
    graph.wait_for(lambda: commanders.count() == 1, 'the first')
    hung.freeze()
    graph.start('policy')
    graph.wait_for(lambda: known(graph) == 2 and commanders.count() == 1, 'the second alone')
    hung.send_signal(signal.SIGCONT)
    graph.wait_for(lambda: commanders.count() == 2, 'both')


def test_a_stranger_counts_from_his_discovery_on(graph, commanders):
    graph.start('policy')
    graph.wait_for(lambda: commanders.count() == 1, 'the policy')
    graph.wait_for(lambda: known(graph) == 1, 'the policy')
    graph.publisher(TaskCommand, 'command')
    graph.wait_for(lambda: known(graph) == 2, 'the stranger')
    graph.wait_for(lambda: commanders.count() == 2, 'the stranger beside the policy')


def test_a_policy_that_is_started_anew_does_not_stop_the_next_episode(graph, feed):
    feed.command = None
    graph.probe.destroy_publisher(feed.commands)
    feed.start_safety(command_timeout=60.0)
    feed.missed = 0
    verdicts = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    first = graph.start('policy')
    graph.wait_for(lambda: verdicts and known(graph) == 1, 'the cell')
    first.stop(signal.SIGKILL)
    graph.start('policy')
    graph.wait_for(lambda: known(graph) == 2, 'the second')
    # That is refused as long as the first may live.
    graph.wait_for(
        lambda: graph.call(Trigger, 'safety/rearm', Trigger.Request()).success, 'rearming'
    )
    feed.run_episode('e1')
    graph.wait_for(lambda: verdicts[-1].episode_id == 'e1', 'the episode to be judged')
    assert verdicts[-1].level == SafetyState.OK, verdicts[-1].reason
    assert known(graph) == 2, 'discovery has missed the first meanwhile: this shows nothing'
