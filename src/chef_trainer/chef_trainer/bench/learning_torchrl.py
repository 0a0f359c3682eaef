"""The same updates in torchrl, from its loss modules, as its own examples put them together."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch

from chef_trainer.rollouts.episode import Episode

RATE, TARGET_RATE, DISCOUNT = 3e-4, 5e-3, 0.99
Update = Callable[[], object]


def update(method: str, data: list[Episode], hidden: tuple[int, ...], batch: int) -> Update:
    """Return one update of iql, sac or td3, with its batch."""
    from torchrl.objectives import SoftUpdate

    first = data[0]
    loss = _loss(
        method, _Networks(first.observations['x'].shape[1], first.actions.shape[1], hidden)
    )
    target = SoftUpdate(loss, tau=TARGET_RATE)
    buffer = _buffer(data, batch)
    if method == 'td3':
        return _delayed(loss, target, buffer)
    optimizer = torch.optim.Adam(loss.parameters(), RATE)

    def one() -> None:
        found = loss(buffer.sample())
        total = sum(value for name, value in found.items() if name.startswith('loss_'))
        optimizer.zero_grad()
        total.backward()
        optimizer.step()
        target.step()

    return one


def _loss(method: str, networks: '_Networks') -> Any:
    import torchrl.objectives as objectives

    losses: dict[str, Callable[[], Any]] = {
        'iql': lambda: objectives.IQLLoss(
            networks.stochastic(),
            networks.action_value(),
            value_network=networks.value(),
            num_qvalue_nets=2,
            temperature=3.0,
            expectile=0.7,
            loss_function='l2',
        ),
        'sac': lambda: objectives.SACLoss(
            networks.stochastic(), networks.action_value(), num_qvalue_nets=2, loss_function='l2'
        ),
        'td3': lambda: objectives.TD3Loss(
            networks.deterministic(),
            networks.action_value(),
            bounds=(-1.0, 1.0),
            num_qvalue_nets=2,
            delay_actor=True,
            loss_function='l2',
        ),
    }
    loss = losses[method]()
    loss.make_value_estimator(gamma=DISCOUNT)
    return loss


def _delayed(loss: Any, target: Any, buffer: Any) -> Update:
    """TD3: the policy and the targets move in every second update."""
    critic = torch.optim.Adam(list(loss.qvalue_network_params.flatten_keys().values()), RATE)
    actor = torch.optim.Adam(list(loss.actor_network_params.flatten_keys().values()), RATE)
    count = 0

    def one() -> None:
        nonlocal count
        sample = buffer.sample()
        value, _ = loss.value_loss(sample)
        critic.zero_grad()
        value.backward()
        critic.step()
        count += 1
        if count % 2 == 0:
            value, _ = loss.actor_loss(sample)
            actor.zero_grad()
            value.backward()
            actor.step()
            target.step()

    return one


def _buffer(data: list[Episode], batch: int) -> Any:
    from tensordict import TensorDict
    from torchrl.data import LazyTensorStorage, TensorDictReplayBuffer

    def joined(parts: list[np.ndarray]) -> torch.Tensor:
        return torch.from_numpy(np.concatenate(parts))

    ends = [np.arange(len(one.actions)) == len(one.actions) - 1 for one in data]
    done = joined(ends)[:, None]
    count = len(done)
    after = {
        'observation': joined([one.observations['x'][1:] for one in data]),
        'reward': joined([one.rewards for one in data]),
        'done': done,
        'terminated': done,
    }
    steps = {
        'observation': joined([one.observations['x'][:-1] for one in data]),
        'action': joined([one.actions for one in data]),
        'next': TensorDict(after, [count]),
    }
    buffer = TensorDictReplayBuffer(storage=LazyTensorStorage(count), batch_size=batch)
    buffer.extend(TensorDict(steps, [count]))
    return buffer


class _Networks:
    """Networks of given sizes in torchrl's wrappers."""

    def __init__(self, observation: int, action: int, hidden: tuple[int, ...]) -> None:
        self._sizes = observation, action, list(hidden)

    def _perceptron(self, inputs: int, outputs: int) -> Any:
        from torchrl.modules import MLP

        cells = self._sizes[2]
        return MLP(inputs, outputs, num_cells=cells, activation_class=torch.nn.ReLU)

    def value(self) -> Any:
        from torchrl.modules import ValueOperator

        return ValueOperator(self._perceptron(self._sizes[0], 1), in_keys=['observation'])

    def action_value(self) -> Any:
        from torchrl.modules import ValueOperator

        network = self._perceptron(self._sizes[0] + self._sizes[1], 1)
        return ValueOperator(network, in_keys=['observation', 'action'])

    def stochastic(self) -> Any:
        from tensordict.nn import NormalParamExtractor, TensorDictModule
        from torchrl.data import Bounded
        from torchrl.modules import ProbabilisticActor, TanhNormal

        observation, action, _ = self._sizes
        network = torch.nn.Sequential(
            self._perceptron(observation, 2 * action), NormalParamExtractor()
        )
        module = TensorDictModule(network, in_keys=['observation'], out_keys=['loc', 'scale'])
        return ProbabilisticActor(
            module,
            spec=Bounded(-1.0, 1.0, (action,)),
            in_keys=['loc', 'scale'],
            distribution_class=TanhNormal,
        )

    def deterministic(self) -> Any:
        from tensordict.nn import TensorDictModule

        observation, action, _ = self._sizes
        network = torch.nn.Sequential(self._perceptron(observation, action), torch.nn.Tanh())
        return TensorDictModule(network, in_keys=['observation'], out_keys=['action'])
