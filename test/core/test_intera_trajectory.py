"""Trajectory mode: points with velocities, followed between the messages."""

import numpy as np

from chef_cell.core.intera import ARM_JOINTS, JointCommand, JointCommandArbiter, Mode


def follow(arbiter, position, points, period=0.01, gap=1):
    """Drive ideal joints along points that come one every `gap` periods."""
    for tick in range(gap * len(points)):
        if tick % gap == 0:
            goal, feed = points[tick // gap]
            command = JointCommand(Mode.TRAJECTORY, ARM_JOINTS, goal, feed, [0.0] * 7)
            arbiter.accept(command, tick * period)
        position = position + period * arbiter.joint_velocity(tick * period, position, True)
    return position, tick * period


def test_trajectory_mode_keeps_up_between_the_points():
    arbiter = JointCommandArbiter()
    feed = np.full(7, 0.3)
    points = [(0.05 * index * feed, feed) for index in range(20)]
    position, _ = follow(arbiter, np.zeros(7), points, gap=5)
    assert arbiter.mode is Mode.TRAJECTORY
    np.testing.assert_allclose(position, feed * 1.0, atol=1e-9)


def test_a_trajectory_that_falls_silent_ends_at_a_stop():
    arbiter = JointCommandArbiter()
    position, last = follow(arbiter, np.zeros(7), [(np.zeros(7), np.full(7, 0.3))])
    for tick in range(1, 300):
        position = position + 0.01 * arbiter.joint_velocity(last + 0.01 * tick, position, True)
    np.testing.assert_allclose(position, 0.3 * arbiter.timeout, atol=1e-3)
    assert np.abs(arbiter.joint_velocity(last + 3.0, position, True)).max() < 1e-3
