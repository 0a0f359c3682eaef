import numpy as np
import pytest

from chef_cell.core.readings import TaskCommand
from chef_cell.core.retreat import Retreat, RetreatSettings

PERIOD = 0.01


def command(x=0.0, z=0.0):
    return TaskCommand(0.0, np.array([x, 0.0, z]), 0.5, 1.0)


def sent(retreat, *commands):
    """Each command is followed for a second."""
    for second, each in enumerate(commands):
        for index in range(101):
            retreat.follow(each, second + index * PERIOD)


def way(retreat, start=5.0, ticks=100):
    """Commands of the ticks from a stop on."""
    return [retreat.command(start + index * PERIOD) for index in range(ticks)]


def test_goes_back_the_way_it_came_for_a_bounded_distance():
    retreat = Retreat(RetreatSettings(0.012, 0.04))
    sent(retreat, command(x=0.03), command(z=-0.07))

    commands = way(retreat)
    assert commands[0] is None, 'stop before turning round'
    moving = [item for item in commands if item is not None]
    assert len(moving) == 30
    assert commands[31:] == [None] * 69
    for item in moving:
        assert item.linear == pytest.approx([0.0, 0.0, 0.04])
        assert (item.yaw_rate, item.gripper) == (0.0, 0.0)
    assert len(moving) * PERIOD * 0.04 == pytest.approx(0.012)


def test_a_distance_of_zero_disables_it():
    retreat = Retreat(RetreatSettings(retreat_distance=0.0))
    sent(retreat, command(x=0.03))
    assert way(retreat) == [None] * 100


def test_without_a_known_motion_the_arm_stays():
    retreat = Retreat(RetreatSettings())
    assert way(retreat) == [None] * 100
    sent(retreat, command(x=0.03))
    retreat.forget()
    assert way(retreat) == [None] * 100


def test_standing_does_not_change_the_way_it_came():
    retreat = Retreat(RetreatSettings())
    sent(retreat, command(x=0.03), command())
    assert way(retreat)[1].linear == pytest.approx([-0.03, 0.0, 0.0])


@pytest.mark.parametrize(('seconds', 'moves'), [(0.0, False), (0.03, False), (0.04, True)])
def test_a_tool_that_has_hardly_moved_stays_where_it_is(seconds, moves):
    """As in a contact that was there before: the way out of it is not to be undone."""
    retreat = Retreat(RetreatSettings())
    retreat.follow(command(z=0.03), 0.0)
    retreat.follow(command(z=0.03), seconds)
    assert any(way(retreat)) is moves


def test_what_was_travelled_before_a_stop_does_not_count_after_it():
    retreat = Retreat(RetreatSettings())
    sent(retreat, command(x=0.03))
    way(retreat)
    retreat.follow(command(z=0.03), 9.0)
    assert way(retreat, start=9.01) == [None] * 100


def test_retreats_once_per_stop():
    retreat = Retreat(RetreatSettings())
    sent(retreat, command(x=0.03))
    way(retreat)
    assert way(retreat, start=50.0) == [None] * 100
    sent(retreat, command(x=-0.03))
    assert way(retreat, start=90.0)[1].linear == pytest.approx([0.03, 0.0, 0.0])


@pytest.mark.parametrize(
    'wrong', [{'retreat_distance': -0.01}, {'retreat_distance': np.inf}, {'retreat_speed': 0.0}]
)
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match='retreat_'):
        RetreatSettings(**wrong)
