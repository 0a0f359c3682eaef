import itertools

import pytest

from chef_cell.core.steps import StepAssembler

STREAMS = ('arm', 'gripper', 'objects')
PERIOD = 50


def lockstep():
    return StepAssembler(STREAMS, 'objects', PERIOD, lockstep=True)


def real_time():
    return StepAssembler(STREAMS, 'objects', PERIOD, lockstep=False)


@pytest.mark.parametrize('order', list(itertools.permutations(STREAMS)))
def test_a_step_is_complete_whatever_order_its_samples_arrive_in(order):
    steps = lockstep()
    steps.start(100)

    assert [steps.put(name, 100, name) for name in order[:2]] == [None, None]
    assert steps.put(order[2], 100, order[2]) == {name: name for name in STREAMS}


def test_samples_of_different_steps_are_never_mixed():
    steps = lockstep()
    steps.start(0)
    for stamp in (0, 50):
        steps.put('arm', stamp, ('arm', stamp))
    for stamp in (0, 50):
        steps.put('gripper', stamp, ('gripper', stamp))

    first = steps.put('objects', 0, ('objects', 0))
    second = steps.put('objects', 50, ('objects', 50))

    assert {stamp for _, stamp in first.values()} == {0}
    assert {stamp for _, stamp in second.values()} == {50}


def test_samples_between_and_before_the_steps_are_dropped():
    steps = lockstep()
    steps.start(100)

    assert not steps.wants(50)
    assert not steps.wants(110)
    assert steps.wants(150)


def test_a_step_is_complete_only_once():
    steps = lockstep()
    steps.start(0)
    for name in STREAMS:
        steps.put(name, 0, name)

    assert all(steps.put(name, 0, name) is None for name in STREAMS)


def test_real_time_gives_the_newest_samples_once_a_period():
    steps = real_time()
    steps.start(1000)
    steps.put('arm', 990, 'old')
    steps.put('arm', 1001, 'arm 1')
    steps.put('gripper', 1002, 'gripper')

    complete = [steps.put('objects', stamp, stamp) for stamp in range(1003, 1123, 10)]

    assert [step['objects'] for step in complete if step] == [1003, 1053, 1103]
    assert complete[0]['arm'] == 'arm 1'


def test_real_time_waits_for_every_stream():
    steps = real_time()
    steps.put('arm', 1, 'arm')

    assert steps.put('objects', 2, 'objects') is None
