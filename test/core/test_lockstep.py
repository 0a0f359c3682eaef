import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core.lockstep import StampGate

NAMES = ('joints', 'tick', 'safety')


def test_opens_when_the_last_input_arrives():
    gate = StampGate(NAMES)
    for name in NAMES:
        assert not gate.ready(10)
        gate.put(name, 10)
    assert gate.ready(10)


def test_old_and_new_inputs_do_not_mix():
    gate = StampGate(NAMES)
    for name in NAMES:
        gate.put(name, 10)
    gate.put('joints', 20)
    assert not gate.ready(10)
    assert not gate.ready(20)


def test_may_wait_for_a_part_of_the_inputs():
    gate = StampGate(NAMES)
    gate.put('joints', 10)
    assert gate.ready(10, ('joints',))


def test_time_goes_back_only_through_reset():
    gate = StampGate(NAMES)
    gate.put('tick', 20)
    gate.put('tick', 10)
    assert gate.ready(20, ('tick',))
    gate.reset()
    gate.put('tick', 10)
    assert gate.ready(10, ('tick',))


def test_the_same_sample_twice_is_harmless():
    gate = StampGate(('tick',))
    gate.put('tick', 10)
    gate.put('tick', 10)
    assert gate.ready(10)


def test_an_instant_is_taken_once():
    gate = StampGate(('tick',))
    assert not gate.take(10)
    gate.put('tick', 10)
    assert gate.take(10)
    gate.put('tick', 10)
    assert not gate.take(10)
    gate.put('tick', 20)
    assert gate.take(20)
    gate.reset()
    gate.put('tick', 20)
    assert gate.take(20)


def test_refuses_unknown_names_and_no_names():
    with pytest.raises(ValueError, match="input 'wrench' is unknown"):
        StampGate(NAMES).put('wrench', 1)
    with pytest.raises(ValueError, match='at least one'):
        StampGate(())


@given(st.permutations(NAMES * 3))
def test_opens_once_for_every_instant_whatever_the_order(arrivals):
    """Within one input the order is kept; between inputs any interleaving may happen."""
    order = {name: iter((1, 2, 3)) for name in NAMES}
    gate, opened = StampGate(NAMES), []
    newest = dict.fromkeys(NAMES, 0)
    for name in arrivals:
        newest[name] = next(order[name])
        gate.put(name, newest[name])
        if gate.ready(newest[name]):
            opened.append(newest[name])
        assert gate.ready(newest[name]) == (len(set(newest.values())) == 1)
    assert opened[-1] == 3
    assert opened == sorted(set(opened))
