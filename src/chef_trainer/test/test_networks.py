"""Distributions, heads, features; forward parity with the released weights' own equations."""

import numpy as np
import pytest
import scipy.stats
import torch
from scipy.spatial.transform import Rotation

from chef_trainer.networks.distributions import MixedDistribution
from chef_trainer.networks.features import MAX_STANDARDISED, MIN_DEVIATION, Features
from chef_trainer.networks.heads import MIN_STDDEV, MixedHead
from chef_trainer.networks.policy import MixedPolicy
from chef_trainer.spec import ObservationSpec

TOOL = ObservationSpec('tool', (2,), 'm', history=3)
RED = ObservationSpec('red', (2,), 'm', history=3)
TASK = ObservationSpec('task', (5,), '1')


def one(mean: list[float], stddev: list[float], logits: list[float]) -> MixedDistribution:
    return MixedDistribution(*(torch.tensor([values]) for values in (mean, stddev, logits)))


def test_log_probability_is_that_of_scipy():
    policy = one([0.1, -0.2, 0.3, 0.0], [0.5, 0.2, 0.1, 1.0], [0.3, -0.4])
    action = torch.tensor([[0.0, 0.1, 0.2, -0.9, 1.0]])
    normal = scipy.stats.norm([0.1, -0.2, 0.3, 0.0], [0.5, 0.2, 0.1, 1.0])
    expected = normal.logpdf(action[0, :4].numpy()).sum() - np.log(1 + np.exp(0.7))
    assert policy.log_prob(action).item() == pytest.approx(expected, rel=1e-5)


def test_samples_have_the_moments_they_should():
    policy = one([0.1, -0.2, 0.3, 0.0], [0.5, 0.2, 0.1, 1.0], [0.0, 1.0])
    many = MixedDistribution(*(part.expand(20_000, -1) for part in policy))
    actions = many.sample(torch.Generator().manual_seed(0))
    assert actions.shape == (20_000, 5)
    torch.testing.assert_close(actions[:, :4].mean(0), policy.mean[0], atol=0.03, rtol=0)
    torch.testing.assert_close(actions[:, :4].std(0), policy.stddev[0], atol=0.03, rtol=0)
    closes = (actions[:, 4] == 1).float().mean().item()
    assert closes == pytest.approx(1 / (1 + np.exp(-1)), abs=0.02)
    assert set(actions[:, 4].tolist()) == {-1.0, 1.0}


def test_mode_is_mean_and_likelier_side():
    policy = MixedDistribution(torch.full((2, 4), 0.5), torch.ones(2, 4), torch.eye(2))
    assert policy.mode().tolist() == [[0.5] * 4 + [-1.0], [0.5] * 4 + [1.0]]


def test_head_shapes_and_ranges():
    policy = MixedHead(8)(100 * torch.randn(32, 8))
    assert [tuple(part.shape) for part in policy] == [(32, 4), (32, 4), (32, 2)]
    assert (policy.mean.abs() <= 1).all()
    assert (policy.stddev >= MIN_STDDEV).all()


def test_features_flatten_subtract_and_standardise():
    features = Features((TOOL, RED, TASK), differences=(('red', 'tool'),))
    assert features.output_size == 6 + 6 + 5 + 6
    random = torch.Generator().manual_seed(0)
    data = {
        'tool': 3 + torch.randn(500, 3, 2, generator=random),
        'red': 0.1 * torch.randn(500, 3, 2, generator=random),
        'task': torch.zeros(500, 5),
    }
    halves = [
        {name: value[part] for name, value in data.items()}
        for part in (slice(250), slice(250, None))
    ]
    features.fit(halves)
    standardised = features(data)
    torch.testing.assert_close(standardised.mean(0), torch.zeros(23), atol=1e-4, rtol=0)
    deviation = torch.cat([torch.ones(12), torch.zeros(5), torch.ones(6)])
    torch.testing.assert_close(standardised.std(0, correction=0), deviation, atol=1e-3, rtol=0)
    torch.testing.assert_close(features.raw(data)[:, 17:], (data['red'] - data['tool']).flatten(1))


def test_constant_inputs_and_outliers_stay_bounded():
    features = Features((TASK,))
    features.fit([{'task': torch.zeros(10, 5)}])
    assert features.scale.tolist() == pytest.approx([1 / MIN_DEVIATION] * 5)
    assert features({'task': torch.full((1, 5), 1e6)}).max() == MAX_STANDARDISED


@pytest.mark.parametrize('pair', [('red', 'blue'), ('red', 'task')])
def test_a_difference_needs_two_known_inputs_of_one_shape(pair):
    with pytest.raises(ValueError, match=f'difference .*{pair[1]}'):
        Features((TOOL, RED, TASK), differences=(pair,))


POSES = tuple(ObservationSpec(name, (7,), 'm, quaternion', history=2) for name in ('held', 'hand'))


def poses(random):
    rotation = Rotation.random(40, rng=random)
    position = random.normal(size=(40, 3))
    flat = np.concatenate((position, rotation.as_quat(scalar_first=True)), axis=1)
    return position, rotation, torch.from_numpy(flat).reshape(20, 2, 7)


def test_a_relative_pose_is_one_seen_from_the_other():
    random = np.random.default_rng(0)
    (a, turned, held), (b, frame, hand) = poses(random), poses(random)
    features = Features(POSES, relative=(('held', 'hand'),))
    assert features.output_size == 2 * 14 + 2 * 12
    found = features.raw({'held': held, 'hand': hand})[:, 28:].reshape(40, 12).numpy()
    np.testing.assert_allclose(found[:, :3], frame.inv().apply(a - b), atol=1e-12)
    matrices = (frame.inv() * turned).as_matrix().reshape(40, 9)
    np.testing.assert_allclose(found[:, 3:], matrices, atol=1e-12)


def test_a_quaternion_and_its_negative_are_one_rotation():
    _, _, held = poses(np.random.default_rng(1))
    features = Features(POSES, relative=(('held', 'hand'),))
    other = held * torch.tensor([1.0, 1, 1, -1, -1, -1, -1], dtype=torch.float64)
    one, two = (features.raw({'held': this, 'hand': held})[:, 28:] for this in (held, other))
    torch.testing.assert_close(one, two)


def level(angle: float) -> torch.Tensor:
    """Pose turned by `angle` (rad) about z, and then by half a turn about its own x."""
    half = Rotation.from_euler('z', angle) * Rotation.from_euler('x', np.pi)
    quaternion = half.as_quat(scalar_first=True)
    return torch.from_numpy(np.concatenate((np.zeros(3), quaternion))[None])


def test_lines_are_twice_and_four_times_the_angle_of_two_level_poses():
    hand, held = (ObservationSpec(name, (7,), 'm, quaternion') for name in ('hand', 'held'))
    features = Features((hand, held), lines=(('held', 'hand'),))
    found = features.raw({'held': level(0.4), 'hand': level(1.1)})[0, 14:].reshape(4, 3)
    angle = np.array([0.7, 0.7 + np.pi / 2])  # of x and y; z stands upright
    for row, function, times in zip(found, (np.cos, np.sin) * 2, (2, 2, 4, 4), strict=True):
        np.testing.assert_allclose(row, [*function(times * angle), 0.0], atol=1e-12)


def test_half_a_turn_leaves_lines_as_they_are():
    random = np.random.default_rng(2)
    (_, turned, held), (_, _, hand) = poses(random), poses(random)
    features = Features(POSES, lines=(('held', 'hand'),))
    before = features.raw({'held': held, 'hand': hand})[:, 28:]
    for axis in np.eye(3):
        other = held.clone()
        half = turned * Rotation.from_rotvec(np.pi * axis)
        other[..., 3:] = torch.from_numpy(half.as_quat(scalar_first=True)).reshape(20, 2, 4)
        after = features.raw({'held': other, 'hand': hand})[:, 28:]
        torch.testing.assert_close(after, before)


@pytest.mark.parametrize('kind', ['relative', 'lines'])
@pytest.mark.parametrize('pair', [('red', 'tool'), ('red', 'blue'), ('red', 'task')])
def test_a_relative_pose_needs_two_poses(kind, pair):
    with pytest.raises(ValueError, match=f'{kind} .*{pair[1]}.* needs two'):
        Features((TOOL, RED, TASK), **{kind: (pair,)})


def test_policy_maps_named_inputs_to_a_distribution():
    policy = MixedPolicy((TOOL, RED, TASK), (('red', 'tool'),), (16, 8))
    inputs = {spec.name: torch.randn(7, *spec.stacked_shape) for spec in (TOOL, RED, TASK)}
    assert policy(inputs).mean.shape == (7, 4)


def test_chosen_expert_answers_alike_in_training_and_in_use():
    policy = MixedPolicy((TOOL, RED, TASK), (), (16, 8), chooser='task')
    inputs = {spec.name: torch.randn(50, *spec.stacked_shape) for spec in (TOOL, RED, TASK)}
    task = torch.randint(5, (50,))
    inputs['task'] = torch.eye(5)[task]
    routed, weighed = policy.train()(inputs), policy.eval()(inputs)
    for ours, theirs in zip(routed, weighed, strict=True):
        torch.testing.assert_close(ours, theirs)
    alone = policy.experts[3](policy.features(inputs)).mean[task == 3]
    torch.testing.assert_close(routed.mean[task == 3], alone)


def test_a_chooser_is_a_vector_among_the_observations():
    with pytest.raises(ValueError, match="chooser 'colour': needs a vector"):
        MixedPolicy((TOOL, RED, TASK), (), (16, 8), chooser='colour')
    with pytest.raises(ValueError, match="chooser 'red'"):
        MixedPolicy((TOOL, RED, TASK), (), (16, 8), chooser='red')
