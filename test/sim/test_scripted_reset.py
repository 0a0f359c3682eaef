"""The scripted reset with real physics: every triplet, from a start that must be undone."""

import numpy as np
import pytest

from chef_cell.core.command import CommandLimits, command_problem
from chef_cell.core.reset.places import unfair
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.sim.cell import SimCell
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.sim.objects import TRIPLETS
from chef_cell.sim.scripted_reset import play, script, solids

FORCE_LIMIT = 20.0  # N, of the safety latch


@pytest.mark.parametrize('triplet', TRIPLETS)
def test_every_triplet_is_rearranged_gently_and_ends_fair(triplet):
    cell = SimCell(triplet)
    cell.reset(seed=int(triplet))
    before = cell.tracker.read().poses
    reset, limits = script(cell, seed=7), CommandLimits()
    for view, command in play(cell, reset, ArmKinematics()):
        assert command_problem(command, limits) is None
        assert view.force < FORCE_LIMIT

    assert reset.failure == ''
    after = cell.tracker.read().poses
    assert all(np.linalg.norm(after[name][:2] - before[name][:2]) > 1e-3 for name in after)
    shapes = solids(cell.objects)
    assert not unfair({name: shapes[name].at(pose) for name, pose in after.items()},
                      ResetSettings())  # fmt: skip
    assert cell.gripper_counts() < 10.0
