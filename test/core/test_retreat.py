import numpy as np
import pytest

from chef_cell.core.readings import TaskCommand
from chef_cell.core.retreat import Retreat, RetreatSettings

PERIOD = 0.01


def command(x=0.0, z=0.0):
    return TaskCommand(0.0, np.array([x, 0.0, z]), 0.5, 1.0)


def way(retreat, start=5.0, ticks=100):
    """Commands of the ticks from a stop on."""
    return [retreat.command(start + index * PERIOD) for index in range(ticks)]


def test_goes_back_the_way_it_came_for_a_bounded_distance():
    retreat = Retreat(RetreatSettings(0.012, 0.04))
    retreat.follow(command(x=0.03))
    retreat.follow(command(z=-0.07))

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
    retreat.follow(command(x=0.03))
    assert way(retreat) == [None] * 100


def test_without_a_known_motion_the_arm_stays():
    retreat = Retreat(RetreatSettings())
    assert way(retreat) == [None] * 100
    retreat.follow(command(x=0.03))
    retreat.forget()
    assert way(retreat) == [None] * 100


def test_standing_does_not_change_the_way_it_came():
    retreat = Retreat(RetreatSettings())
    retreat.follow(command(x=0.03))
    retreat.follow(command())
    assert way(retreat)[1].linear == pytest.approx([-0.03, 0.0, 0.0])


def test_retreats_once_per_stop():
    retreat = Retreat(RetreatSettings())
    retreat.follow(command(x=0.03))
    way(retreat)
    assert way(retreat, start=50.0) == [None] * 100
    retreat.follow(command(x=-0.03))
    assert way(retreat, start=90.0)[1].linear == pytest.approx([0.03, 0.0, 0.0])


@pytest.mark.parametrize(
    'wrong', [{'retreat_distance': -0.01}, {'retreat_distance': np.inf}, {'retreat_speed': 0.0}]
)
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match='retreat_'):
        RetreatSettings(**wrong)
