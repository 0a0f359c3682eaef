"""Objects moved in the data: student and teacher see the same move."""

import numpy as np
import pytest
import torch
from scipy.spatial.transform import Rotation

from chef_trainer.distillation.aggregate import States
from chef_trainer.distillation.augment import mix_states, move_objects, moved, positive
from chef_trainer.distillation.recipe import Jitter

JITTER = Jitter('red_pose', position=0.03, height=0.01, yaw=0.3)
POSES = slice(109, 130)  # of the red object in the benchmark's observation
RELATIVE = slice(130, 151)  # minus the tool's pose
TOOL = slice(214, 235)


def random_poses(random: torch.Generator, batch: int) -> torch.Tensor:
    quaternions = torch.randn(batch, 3, 4, generator=random)
    quaternions = positive(quaternions / quaternions.norm(dim=-1, keepdim=True))
    return torch.cat([torch.randn(batch, 3, 3, generator=random), quaternions], dim=-1)


@pytest.fixture
def states():
    random = torch.Generator().manual_seed(0)
    poses, tool = random_poses(random, 2000), random_poses(random, 2000)
    benchmark = torch.randn(2000, 292, generator=random)
    benchmark[:, POSES], benchmark[:, TOOL] = poses.flatten(1), tool.flatten(1)
    benchmark[:, RELATIVE] = (poses - tool).flatten(1)
    return States({'red_pose': poses, 'tool_pose': tool}, benchmark, torch.zeros(2000))


def test_student_and_teacher_see_the_same_move(states):
    after = move_objects(states, (JITTER,), torch.Generator().manual_seed(1))
    poses = after.observations['red_pose']
    torch.testing.assert_close(after.benchmark[:, POSES], poses.flatten(1))
    expected = (poses - states.observations['tool_pose']).flatten(1)
    torch.testing.assert_close(after.benchmark[:, RELATIVE], expected)
    others = np.r_[:109, 151:292]
    assert torch.equal(after.benchmark[:, others], states.benchmark[:, others])
    assert after.observations['tool_pose'] is states.observations['tool_pose']


def test_move_is_within_its_limits_and_the_same_in_all_frames(states):
    before = states.observations['red_pose'].clone()
    after = move_objects(states, (JITTER,), torch.Generator().manual_seed(1))
    assert torch.equal(states.observations['red_pose'], before)
    shift = (after.observations['red_pose'] - before)[..., :3]
    torch.testing.assert_close(shift, shift[:, :1].expand_as(shift))
    largest = shift.abs().amax((0, 1)).tolist()
    assert largest == pytest.approx([0.03, 0.03, 0.01], rel=0.1)
    assert shift.abs().mean((0, 1)).tolist() == pytest.approx([0.0075, 0.0075, 0.0025], rel=0.1)


def test_same_generator_same_move(states):
    once, twice, other = (
        move_objects(states, (JITTER,), torch.Generator().manual_seed(seed)).benchmark
        for seed in (1, 1, 2)
    )
    assert torch.equal(once, twice)
    assert not torch.equal(once, other)


def test_turning_about_the_vertical_is_scipys():
    poses = random_poses(torch.Generator().manual_seed(3), 5)
    draw = torch.tensor([[0.0, 0.0, 0.0, angle] for angle in (-3.0, -0.3, 0.0, 0.5, 3.1)])
    after = moved(poses, draw)
    for before, pose, angle in zip(poses[:, 0], after[:, 0], draw[:, 3], strict=True):
        turn = Rotation.from_euler('z', angle.item())
        expected = turn * Rotation.from_quat(before[3:], scalar_first=True)
        np.testing.assert_allclose(
            Rotation.from_quat(pose[3:], scalar_first=True).as_matrix(),
            expected.as_matrix(),
            atol=1e-6,
        )


def test_first_number_that_is_not_zero_is_positive():
    given = torch.tensor([[-1.0, 2, 3, 4], [0, -1, 2, 3], [0, 0, 1, -1], [0, 0, 0, -1]])
    expected = torch.tensor([[1.0, -2, -3, -4], [0, 1, -2, -3], [0, 0, 1, -1], [0, 0, 0, 1]])
    assert torch.equal(positive(given).abs(), expected.abs())
    assert torch.equal(positive(given), expected)


def test_states_are_mixed_within_their_task_and_alike_for_student_and_teacher(states):
    task = torch.arange(2000) % 2
    tools = states.observations['tool_pose'] + 100.0 * task[:, None, None]
    benchmark = states.benchmark.clone()
    benchmark[:, TOOL] = tools.flatten(1)
    observations = {**states.observations, 'tool_pose': tools}
    before = States(observations, benchmark, task)
    after = mix_states(before, 0.6, torch.Generator().manual_seed(1))
    mixed = (after.benchmark != before.benchmark).any(1)
    assert mixed.float().mean().item() == pytest.approx(0.6, abs=0.05)
    torch.testing.assert_close(
        after.benchmark[:, TOOL], after.observations['tool_pose'].flatten(1)
    )
    assert ((after.observations['tool_pose'][..., 0] > 50.0) == (task == 1)[:, None]).all()
    assert torch.equal(mix_states(before, 0.0, torch.Generator()).benchmark, before.benchmark)
