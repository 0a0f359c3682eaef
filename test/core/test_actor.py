import dataclasses

import numpy as np
import pytest

from chef_cell.core.actor import Actor
from chef_cell.core.policy_slot import Offer, PolicySlot
from chef_cell.core.readings import ArmReading
from chef_trainer.spec import ObservationSpec, PolicySpec

OBSERVATIONS = (
    ObservationSpec('joint_position', (7,), 'rad'),
    ObservationSpec('previous_action', (5,), '1', history=2),
)


class Echo:
    """Answers with a fixed action and keeps what it was shown."""

    def __init__(self, name):
        self.spec = PolicySpec(name, OBSERVATIONS)
        self.path = self.sha256 = name
        self.answer = np.array([0.5, 2.0, 0.0, 0.0, 0.3], np.float32)
        self.seen = []

    def act(self, observation):
        self.seen.append(observation)
        return self.answer


def reading(value=0.0):
    return ArmReading(0.0, np.full(7, value), np.zeros(7), np.zeros(7))


@pytest.fixture
def actor():
    actor = Actor(PolicySlot(Offer(20.0), Echo), kinematics=None)
    assert actor.take(actor.slot.prepare('a'))
    actor.slot.current.seen.clear()
    actor.put('arm', 0, reading)
    return actor


def test_the_executed_action_is_commanded_and_observed_next(actor):
    actor.start('e0', '1')

    command = actor.act(0)
    actor.act(50_000_000)

    assert command.linear == pytest.approx([0.035, 0.07, 0.0])
    assert command.gripper == 1.0
    first, second = (seen['previous_action'] for seen in actor.slot.current.seen)
    assert first.tolist() == [[0, 0, 0, 0, -1]] * 2
    assert second.tolist() == [[0.5, 1, 0, 0, 1], [0, 0, 0, 0, -1]]
    assert actor.commands == 2


def test_a_new_episode_starts_afresh(actor):
    actor.start('e0', '1')
    actor.act(0)
    actor.end()
    actor.start('e1', '1')
    actor.act(0)

    assert actor.slot.current.seen[-1]['previous_action'].tolist() == [[0, 0, 0, 0, -1]] * 2
    assert actor.commands == 1


def test_is_ready_when_every_needed_reading_has_the_stamp(actor):
    assert actor.ready(0)
    assert not actor.ready(50_000_000)

    actor.put('wrench', 7, reading)  # not needed
    actor.put('arm', 50_000_000, reading)

    assert actor.ready(50_000_000)
    assert not actor.ready(0)


def test_commands_only_while_an_episode_runs(actor):
    assert actor.act(0) is None
    actor.start('e0', '1')
    actor.end()
    assert actor.act(0) is None


def test_once_halted_gives_no_command_until_the_next_episode(actor):
    actor.start('e0', '1')
    actor.halted = True
    assert actor.act(0) is None
    assert not actor.fault, "the fault is another node's to tell"
    actor.end()
    actor.start('e1', '1')
    assert actor.act(0) is not None


def test_a_policy_loaded_during_an_episode_waits_for_its_end(actor):
    actor.start('e0', '1')
    actor.take(actor.slot.prepare('b'))
    actor.act(0)
    assert actor.slot.current.path == 'a'

    actor.end()
    assert actor.slot.current.path == 'b'


def test_a_missing_reading_faults_the_episode_until_the_next(actor):
    actor._newest.clear()
    actor.start('e0', '1')

    assert actor.act(0) is None
    assert 'arm: no reading' in actor.fault

    actor.put('arm', 0, reading)
    assert actor.act(0) is None
    actor.start('e1', '1')
    assert actor.act(0) is not None


def test_a_reading_that_cannot_be_translated_faults_the_episode(actor):
    def broken():
        raise ValueError('joint states lack right_j3')

    actor.put('arm', 0, broken)
    actor.start('e0', '1')

    assert actor.act(0) is None
    assert actor.fault == 'joint states lack right_j3'


def test_an_action_that_is_not_finite_faults_the_episode(actor):
    actor.slot.current.answer = np.full(5, np.nan)
    actor.start('e0', '1')

    assert actor.act(0) is None
    assert 'not finite' in actor.fault


def test_old_readings_fault_the_episode(actor):
    actor.start('e0', '1')
    actor.check_ages(200_000_000, max_age=0.2)
    assert not actor.fault

    actor.check_ages(300_000_000, max_age=0.2)
    assert actor.fault == 'arm is 0.300 s old, limit 0.2 s'
    assert actor.act(300_000_000) is None


def test_an_episode_meant_for_another_policy_faults(actor):
    actor.start('e0', '1', sha256='b')

    assert actor.act(0) is None
    assert actor.fault == 'policy b is asked for, a is loaded'


def test_an_episode_without_a_policy_faults():
    actor = Actor(PolicySlot(Offer(20.0), Echo), kinematics=None)
    actor.start('e0', '1')

    assert actor.fault == 'no policy is loaded'


def test_the_triplet_is_observed():
    spec = PolicySpec('t', (ObservationSpec('triplet', (5,), '1'),))
    runner = Echo('t')
    runner.spec = dataclasses.replace(spec)
    actor = Actor(PolicySlot(Offer(20.0), lambda path: runner), kinematics=None)
    actor.take(actor.slot.prepare('t'))
    actor.start('e0', '4')
    actor.act(0)

    assert runner.seen[-1]['triplet'].tolist() == [0, 0, 0, 1, 0]
