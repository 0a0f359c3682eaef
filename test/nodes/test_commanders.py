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


def test_a_commander_that_hangs_or_dies_does_not_count(graph, commanders):
    first = graph.start('policy')
    graph.start('policy')
    graph.wait_for(lambda: commanders.count() == 2, 'both')
    first.freeze()
    graph.wait_for(lambda: commanders.count() == 1, 'the second alone')
    assert known(graph) == 2
    first.send_signal(signal.SIGCONT)
    graph.wait_for(lambda: commanders.count() == 2, 'the first to be back')
    first.stop(signal.SIGKILL)
    graph.wait_for(lambda: commanders.count() == 1, 'the second alone')
    assert known(graph) == 2, 'discovery takes 20 s to miss the first'


def test_a_commander_that_ends_does_not_count(graph, commanders):
    first = graph.start('policy')
    graph.start('policy')
    graph.wait_for(lambda: commanders.count() == 2, 'both')
    first.stop()
    graph.wait_for(lambda: commanders.count() == known(graph) == 1, 'the second alone')


def test_a_stranger_counts_from_his_discovery_on(graph, commanders):
    policy = graph.start('policy')
    graph.wait_for(lambda: commanders.count() == 1, 'the policy')
    graph.wait_for(lambda: known(graph) == 1, 'the policy')
    graph.publisher(TaskCommand, 'command')
    graph.wait_for(lambda: known(graph) == 2, 'the stranger')
    graph.wait_for(lambda: commanders.count() == 2, 'the stranger beside the policy')
    policy.freeze()
    graph.spin_for(4.0)
    assert commanders.count() == 2, 'ours seems dead, and may be back'


def test_a_policy_that_is_started_anew_does_not_stop_the_next_episode(graph, feed):
    feed.command = None
    graph.probe.destroy_publisher(feed.commands)
    feed.start_safety(command_timeout=60.0)
    feed.missed = 0
    verdicts = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
    first = graph.start('policy')
    graph.start('policy')
    graph.wait_for(lambda: verdicts and known(graph) == 2, 'the cell')
    first.stop(signal.SIGKILL)
    # That is refused as long as the first may live.
    graph.wait_for(
        lambda: graph.call(Trigger, 'safety/rearm', Trigger.Request()).success, 'rearming'
    )
    feed.run_episode('e1')
    graph.wait_for(lambda: verdicts[-1].episode_id == 'e1', 'the episode to be judged')
    assert verdicts[-1].level == SafetyState.OK, verdicts[-1].reason
    assert known(graph) == 2, 'discovery has missed the first meanwhile: this shows nothing'
