"""The Gymnasium environment, alone and vectorised."""

import gymnasium
import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from chef_cell.core.act import INITIAL_ACTION
from chef_cell.core.observe import ObservationError
from chef_cell.core.rewards import REWARD_NAMES
from chef_cell.sim.environment import ENVIRONMENT_ID, StackingEnv, state_observations
from chef_trainer.spec import ObservationSpec

IMAGE = ObservationSpec('image/basket_front_left', (128, 128, 3), '1', 'uint8', history=2)
ACTIONS = np.random.default_rng(0).uniform(-1, 1, (30, 5)).astype(np.float32)


def rollout(environment, seed, actions=ACTIONS):
    observation, _ = environment.reset(seed=seed)
    frames = [observation]
    for action in actions:
        frames.append(environment.step(action)[0])
    return np.concatenate([np.ravel(value) for frame in frames for value in frame.values()])


@pytest.mark.filterwarnings('ignore:.*infinity.*')
def test_it_passes_gymnasiums_own_check():
    check_env(gymnasium.make(ENVIRONMENT_ID).unwrapped)


def test_equal_seeds_give_equal_episodes():
    environment = StackingEnv('2', state_observations(history=3))
    first = rollout(environment, 11)
    np.testing.assert_array_equal(rollout(environment, 11), first)
    assert (rollout(environment, 12) != first).any()


def test_without_a_seed_episodes_differ_and_follow_from_the_first_seed():
    environment = StackingEnv()
    starts = []
    for seed in (5, None, None, 5, None, None):
        starts.append(environment.reset(seed=seed)[0]['red_pose'])
    assert not np.array_equal(starts[1], starts[2])
    for before, after in zip(starts[:3], starts[3:], strict=True):
        np.testing.assert_array_equal(before, after)


def test_observations_and_info_are_as_promised():
    environment = StackingEnv(
        '4', (*state_observations(history=2), IMAGE), benchmark_observation=True
    )
    observation, info = environment.reset(seed=0)
    assert observation in environment.observation_space
    assert observation['image/basket_front_left'].shape == (2, 128, 128, 3)
    np.testing.assert_array_equal(observation['previous_action'], [INITIAL_ACTION] * 2)
    observation, reward, terminated, truncated, info = environment.step(ACTIONS[0])
    assert observation in environment.observation_space
    np.testing.assert_array_equal(observation['previous_action'][0][:4], ACTIONS[0][:4])
    assert reward == info['stack_leave'] == 0.0
    assert not terminated
    assert not truncated
    assert set(info) == {
        *REWARD_NAMES, 'success', 'sparse_stack', 'force_max', 'benchmark_observation'
    }  # fmt: skip
    assert info['benchmark_observation'].shape == (292,)
    environment.close()


def test_an_episode_is_truncated_after_its_steps():
    environment = StackingEnv(max_steps=3)
    environment.reset(seed=0)
    assert [environment.step(np.zeros(5))[3] for _ in range(3)] == [False, False, True]


def push_down(environment):
    """Drive the closed gripper into whatever is below."""
    environment.reset(seed=1)
    for _ in range(200):
        _, _, terminated, _, info = environment.step(np.array([0, 0, -1, 0, 1], np.float32))
        if info['force_max'] > 2.0:
            break
    return terminated, info['force_max']


def test_a_force_above_the_limit_terminates_the_episode_at_that_tick():
    terminated, force = push_down(StackingEnv(force_limit=2.0))
    assert terminated
    assert force > 2.0
    terminated, free = push_down(StackingEnv(force_limit=None))
    assert not terminated
    assert free >= force


def test_the_triplet_can_change_at_reset():
    environment = StackingEnv('1')
    observation, _ = environment.reset(seed=0, options={'triplet': '3'})
    np.testing.assert_array_equal(observation['triplet'], [0, 0, 1, 0, 0])
    assert environment.cell.objects == ('r6', 'g3', 'b5')
    with pytest.raises(ValueError, match=r"options \['objects'\], allowed"):
        environment.reset(options={'objects': 1})


def test_unknown_observations_and_render_modes_are_refused():
    with pytest.raises(ObservationError, match='nothing'):
        StackingEnv(observations=(ObservationSpec('nothing', (1,), '1'),))
    with pytest.raises(ValueError, match="render_mode 'human'"):
        StackingEnv(render_mode='human')


def test_video_frames():
    environment = gymnasium.make(ENVIRONMENT_ID, render_mode='rgb_array')
    environment.reset(seed=0)
    assert environment.render().shape == (480, 640, 3)
    environment.close()


def test_vectorised_episodes_equal_single_ones():
    single = rollout(StackingEnv('1'), 4, ACTIONS[:4])
    vector = gymnasium.make_vec(ENVIRONMENT_ID, num_envs=2, vectorization_mode='async')
    try:
        frames = [vector.reset(seed=[3, 4])[0]]
        for action in ACTIONS[:4]:
            frames.append(vector.step(np.stack([action] * 2))[0])
    finally:
        vector.close()
    second = [np.ravel(value[1]) for frame in frames for value in frame.values()]
    order = sorted(frames[0])
    assert order == sorted(StackingEnv().observation_space)
    np.testing.assert_array_equal(np.sort(np.concatenate(second)), np.sort(single))
