"""The script and its pilot in a world of ideal motions: laws of every command, and failures."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chef_cell.core.command import CommandLimits, command_problem
from chef_cell.core.readings import COLOURS, Grasp, GripperReading, ObjectReading
from chef_cell.core.reset.hand import heading_of
from chef_cell.core.reset.pilot import ResetView
from chef_cell.core.reset.script import ScriptedReset
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.core.reset.solids import Solid
from chef_cell.core.rewards import FLOOR

PERIOD = 0.05
CUBE = Solid.of(0.025 * np.array(list(itertools.product((-1.0, 1.0), repeat=3))))
SHAPES = dict.fromkeys(COLOURS, CUBE)
STROKE = 0.0425  # m, half


class IdealCell:
    """The tool goes where it is sent; fingers that close on an object hold it, if they may."""

    def __init__(self, places, slippery=False):
        self.time = 0.0
        self.tool = np.array((0.6, 0.1, 0.15))
        self.heading = 0.0
        self.counts = 0.0
        self.held = ''
        self.slippery = slippery
        self.poses = {
            name: np.array((*place, FLOOR + 0.025, 1.0, 0.0, 0.0, 0.0))
            for name, place in zip(COLOURS, places, strict=True)
        }
        self.valid = dict.fromkeys(COLOURS, True)
        self.force = 0.0

    def view(self):
        half = self.heading / 2
        tool = np.array((*self.tool, 0.0, math.cos(half), math.sin(half), 0.0))
        assert heading_of(tool) == pytest.approx(self.heading)
        grasp = Grasp.INWARD if self.held else Grasp.NONE
        poses = {name: pose.copy() for name, pose in self.poses.items()}
        return ResetView(
            self.time,
            ObjectReading(self.time, poses, dict(self.valid)),
            tool,
            -self.heading,
            GripperReading(self.time, self.counts, 0.0, grasp),
            self.force,
        )

    def move(self, command):
        self.time += PERIOD
        step = command.linear * PERIOD
        self.tool = self.tool + step
        self.heading += command.yaw_rate * PERIOD
        if self.held:
            self.poses[self.held][:3] += step
        near = min(COLOURS, key=lambda name: np.linalg.norm(self.poses[name][:3] - self.tool))
        closing = command.gripper > 0.0
        between = np.linalg.norm(self.poses[near][:3] - self.tool) < 0.02 and not self.slippery
        if closing and between and self.counts >= 100.0:
            self.held = near
        elif not self.held or not closing:
            self.counts = min(max(self.counts + 12.0 * command.gripper, 0.0), 255.0)
        if self.held and command.gripper < 0.0:
            self.poses[self.held][2] = FLOOR + 0.025
            self.held = ''


DEFAULTS = ResetSettings()


def play(cell, wishes=DEFAULTS, seed=0, disturb=lambda cell: None):
    """Play a reset to its end; every command obeys the policy's limits."""
    reset = ScriptedReset(SHAPES, wishes, np.random.default_rng(seed))
    limits = CommandLimits()
    while not reset.done:
        disturb(cell)
        command = reset.step(cell.view())
        assert command_problem(command, limits) is None
        assert np.linalg.norm(command.linear) <= limits.linear + 1e-9
        assert command.stamp == cell.time
        assert cell.time <= wishes.time_budget + 2 * PERIOD
        cell.move(command)
    return reset


APART = ((0.55, -0.08), (0.6, 0.0), (0.66, 0.08))


def test_all_objects_are_moved_and_the_tool_ends_in_its_box():
    cell = IdealCell(APART)
    reset = play(cell)
    assert reset.failure == ''
    assert reset.failures == []
    for name, place in zip(COLOURS, APART, strict=True):
        assert np.linalg.norm(cell.poses[name][:2] - place) > 1e-3
    assert (cell.tool >= np.array(DEFAULTS.tool_lower) - 0.02).all()
    assert (cell.tool <= np.array(DEFAULTS.tool_upper) + 0.02).all()
    assert not cell.held
    assert cell.counts < 10.0


def test_equal_seeds_give_equal_resets_and_others_do_not():
    ends = []
    for seed in (3, 3, 4):
        cell = IdealCell(APART)
        play(cell, seed=seed)
        ends.append(cell.poses['red'][:2])
    assert (ends[0] == ends[1]).all()
    assert (ends[0] != ends[2]).any()


def test_what_is_never_held_needs_a_person_after_its_tries():
    reset = play(IdealCell(APART, slippery=True), ResetSettings(tries=2))
    assert 'was tried 2 times' in reset.failure
    assert 'slipped' in reset.failure


def test_what_slipped_is_tried_in_another_way_or_place():
    stick = Solid.of(
        (0.075, 0.0145, 0.0145) * np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    )
    cell = IdealCell(APART, slippery=True)
    reset = ScriptedReset({**SHAPES, 'red': stick}, DEFAULTS, np.random.default_rng(0))
    held = []
    while not reset.done:
        before = len(reset.failures)
        cell.move(reset.step(cell.view()))
        if len(reset.failures) > before and reset.phase == 'pick red':
            held.append(cell.tool[0])
    assert len(held) >= 3
    assert np.ptp(held[:3]) > 0.01


def test_what_is_not_seen_needs_a_person():
    def hide(cell):
        cell.valid['green'] = False
        cell.poses['green'][:] = np.nan

    reset = play(IdealCell(APART), disturb=hide)
    assert reset.failure.startswith('green not seen for 3.')


def test_an_object_hidden_by_the_hand_for_a_moment_does_not_matter():
    def hide(cell):
        cell.valid['red'] = abs(cell.poses['red'][2] - cell.tool[2]) > 0.03

    assert play(IdealCell(APART), disturb=hide).failure == ''


def test_what_lies_out_of_reach_needs_a_person():
    reset = play(IdealCell(((0.6, 0.26), *APART[1:])), ResetSettings(tries=3))
    assert 'red at (0.600, 0.260) m can be neither grasped nor nudged' in reset.failure


def test_the_time_budget_ends_a_reset_that_comes_to_nothing():
    reset = play(IdealCell(APART), ResetSettings(time_budget=4.0))
    assert reset.failure.startswith('4 s were not enough')


def phases(cell):
    """What a reset does, one after the other."""
    reset, told = ScriptedReset(SHAPES, DEFAULTS, np.random.default_rng(0)), []
    while not reset.done:
        cell.move(reset.step(cell.view()))
        if not told or told[-1] != reset.phase:
            told.append(reset.phase)
    assert reset.failure == ''
    return told


def test_a_neighbour_in_the_way_is_moved_first():
    # No finger fits beside red, as long as green and blue are both there.
    cell = IdealCell(((0.6, 0.0), (0.655, 0.02), (0.6, -0.055)))
    told = phases(cell)
    assert not any('nudge' in phase for phase in told)
    assert told.count('pick red') == 1


def test_what_comes_along_in_the_fingers_is_put_down_first_and_nothing_is_squeezed():
    cell = IdealCell(APART)
    cell.tool, cell.counts, cell.held = np.array((0.6, 0.0, FLOOR + 0.03)), 120.0, 'green'
    reset = ScriptedReset(SHAPES, DEFAULTS, np.random.default_rng(0))
    commands = []
    while reset.phase in ('begin', 'retreat'):
        commands.append(reset.step(cell.view()))
        cell.move(commands[-1])
    assert reset.phase == 'place green'
    assert all(command.gripper == 0.0 for command in commands[:-1])
    assert cell.held == 'green'


def test_a_contact_on_the_way_down_stops_the_tool():
    heights = []

    def floor(cell):
        cell.force = 9.0 if cell.tool[2] < 0.09 else 0.0
        heights.append(cell.tool[2])

    play(IdealCell(APART), ResetSettings(tries=1, time_budget=40.0), disturb=floor)
    assert 0.085 < min(heights) < 0.09


def test_the_hand_gives_way_to_fingers_that_press_while_they_close():
    cell = IdealCell(APART)
    reset = ScriptedReset(SHAPES, DEFAULTS, np.random.default_rng(0))
    while not (reset.phase.startswith('pick') and cell.counts > 20.0):
        cell.move(reset.step(cell.view()))
    begun = cell.tool[2]
    cell.force = 0.5 * (DEFAULTS.press_force + DEFAULTS.pull_force)
    command = reset.step(cell.view())
    assert command.linear == pytest.approx((0.0, 0.0, DEFAULTS.slow_speed))
    assert command.gripper > 0.0
    while command.gripper > 0.0:
        cell.move(command)
        command = reset.step(cell.view())
    assert reset.failures == ['the fingers slipped off blue']
    assert 0.01 < cell.tool[2] - begun < 0.013


def test_a_reset_that_is_over_stands_still():
    cell = IdealCell(APART)
    reset = play(cell)
    command = reset.step(cell.view())
    assert not command.linear.any()
    assert (command.yaw_rate, command.gripper) == (0.0, 0.0)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 2**32 - 1))
def test_whatever_happens_it_ends_in_time_and_within_its_limits(seed):
    rng = np.random.default_rng(seed)
    cell = IdealCell(rng.uniform((0.45, -0.15), (0.75, 0.15), (3, 2)), bool(rng.integers(2)))

    def disturb(cell):
        cell.force = float(rng.exponential(2.0))
        if rng.random() < 0.02:
            name = COLOURS[rng.integers(3)]
            cell.valid[name] = not cell.valid[name]
            cell.poses[name][:3] += rng.normal(0.0, 0.02, 3)

    play(cell, ResetSettings(time_budget=20.0), seed, disturb)
