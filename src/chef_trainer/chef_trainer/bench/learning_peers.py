"""The same updates in other libraries, as their users would run them."""

import importlib.util
from collections.abc import Callable
from typing import Any

import gymnasium
import numpy as np

from chef_trainer.bench import learning_torchrl
from chef_trainer.rollouts.episode import Episode

METHODS = ('iql', 'crr', 'awac', 'sac', 'td3')
Update = Callable[[], object]


def d3rlpy_update(
    method: str, data: list[Episode], hidden: tuple[int, ...], batch: int
) -> Update | None:
    """Return one update of d3rlpy with its batch; None where it is not installed."""
    if importlib.util.find_spec('d3rlpy') is None:
        return None
    import d3rlpy

    dataset = d3rlpy.dataset.MDPDataset(
        observations=np.concatenate([one.observations['x'][:-1] for one in data]),
        actions=np.concatenate([one.actions for one in data]),
        rewards=np.concatenate([one.rewards for one in data]),
        terminals=np.concatenate(
            [np.arange(len(one.actions)) == len(one.actions) - 1 for one in data]
        ),
    )
    encoder = d3rlpy.models.encoders.VectorEncoderFactory(list(hidden))
    factories: dict[str, Any] = {
        'actor_encoder_factory': encoder,
        'critic_encoder_factory': encoder,
    }
    if method == 'iql':
        factories['value_encoder_factory'] = encoder
    config = getattr(d3rlpy.algos, f'{method.upper()}Config')(batch_size=batch, **factories)
    algorithm = config.create(device=False)
    algorithm.build_with_dataset(dataset)
    return lambda: algorithm.update(dataset.sample_transition_batch(batch))


class _Numbers(gymnasium.Env[np.ndarray, np.ndarray]):
    """Spaces, and nothing behind them."""

    def __init__(self, observation: int, action: int) -> None:
        self.observation_space = gymnasium.spaces.Box(-np.inf, np.inf, (observation,), np.float32)
        self.action_space = gymnasium.spaces.Box(-1, 1, (action,), np.float32)


def stable_baselines_update(
    method: str, data: list[Episode], hidden: tuple[int, ...], batch: int
) -> Update | None:
    """Return one update of Stable-Baselines3; None where absent, or without the method."""
    if method not in ('sac', 'td3') or importlib.util.find_spec('stable_baselines3') is None:
        return None
    import stable_baselines3
    from stable_baselines3.common.logger import Logger

    first = data[0]
    env = _Numbers(first.observations['x'].shape[1], first.actions.shape[1])
    model = getattr(stable_baselines3, method.upper())(
        'MlpPolicy', env, batch_size=batch, policy_kwargs={'net_arch': list(hidden)}, device='cpu'
    )
    model.set_logger(Logger(None, []))
    for one in data:
        for t, action in enumerate(one.actions):
            seen, after = one.observations['x'][t : t + 1], one.observations['x'][t + 1 : t + 2]
            done = np.array([t == len(one.actions) - 1])
            model.replay_buffer.add(seen, after, action[None], one.rewards[t], done, [{}])
    return lambda: model.train(gradient_steps=1, batch_size=batch)


def torchrl_update(
    method: str, data: list[Episode], hidden: tuple[int, ...], batch: int
) -> Update | None:
    """Return one update of torchrl; None where absent, or without the method."""
    if method not in ('iql', 'sac', 'td3') or importlib.util.find_spec('torchrl') is None:
        return None
    return learning_torchrl.update(method, data, hidden, batch)


PEERS = {
    'd3rlpy': d3rlpy_update,
    'Stable-Baselines3': stable_baselines_update,
    'torchrl': torchrl_update,
}
