"""The only mutable state of a training run: networks, their targets, optimisers, update count."""

import math
from collections import deque
from collections.abc import Callable

import torch
from torch import Tensor

from chef_trainer.errors import DivergedError
from chef_trainer.learner import evaluation, improvement
from chef_trainer.learner.batch import Transitions
from chef_trainer.learner.flat import Flat
from chef_trainer.losses.mpo import MIN_LOG_DUAL
from chef_trainer.methods.method import Method
from chef_trainer.networks.agent import AgentNetworks, NetworkSettings

MAX_UNCHECKED = 10_000  # updates whose numbers wait to be looked at


class Learner:
    """Carries out a method.

    Every random number of an update follows from the seed and the update's number, so a run that
    is resumed goes on as if it had not stopped.

    Args:
        method: row of the table.
        settings: what the networks see, and their sizes.
        updates: of the whole run; rates that decay reach 0 there.
        seed: of the initial weights and of every update.
        device: where to compute.
        compiled: compile the whole update into one graph. Costs a minute at the start.
        bfloat16: multiply bfloat16 numbers in the networks' hidden layers; parameters, sums and
            outputs stay float32. Faster where the processor has such units.
    """

    def __init__(
        self,
        method: Method,
        settings: NetworkSettings,
        updates: int,
        seed: int = 0,
        device: str = 'cpu',
        compiled: bool = False,
        bfloat16: bool = False,
    ) -> None:
        self.method, self.settings, self.bfloat16 = method, settings, bfloat16
        self.updates, self.seed = updates, seed
        self.device = torch.device(device)
        torch.manual_seed(seed)
        self.networks = AgentNetworks(method, settings).to(self.device)
        self.target = self.networks.frozen_copy()
        self.groups = {name: Flat(one) for name, one in self.networks.groups().items()}
        self.targets = {
            name: Flat(one) for name, one in self.target.groups().items() if name in method.targets
        }
        self.step = 0
        self._unchecked: deque[dict[str, Tensor]] = deque(maxlen=MAX_UNCHECKED)
        self._update = self._compiled() if compiled else self._move

    def fit_features(self, batches: list[Transitions]) -> None:
        """Standardise states by the statistics of `batches`; before the first update."""
        self.networks.fit_features([batch.to(self.device).observation for batch in batches])
        self.target.load_state_dict(self.networks.state_dict())

    def update(self, batch: Transitions) -> None:
        """Make one step on `batch`, which lies on the learner's device.

        What it found is looked at by `check`: asking after every update would make a graphics
        card wait.
        """
        self._seed_update()
        period = self.step % self.method.policy_period == 0
        rates = self.rates()
        self._unchecked.append(
            self._update(
                batch,
                torch.tensor(self.temperature(), device=self.device),
                {name: torch.tensor(rate, device=self.device) for name, rate in rates.items()},
                period,
                (self.step + 1) % self.method.target_period == 0,
            )
        )
        self.step += 1

    def _seed_update(self) -> None:
        seed = self.seed * 1_000_003 + self.step
        if self.device.type == 'cpu':  # all devices at once take as long as a small layer
            torch.default_generator.manual_seed(seed)
        else:
            torch.manual_seed(seed)

    def check(self) -> dict[str, float]:
        """Return the means of what the updates since the last check found, by name.

        Raises:
            DivergedError: one of them is not finite.
        """
        rows = list(self._unchecked)
        self._unchecked.clear()
        means = {}
        for name in dict.fromkeys(name for row in rows for name in row):
            steps = [index for index, row in enumerate(rows) if name in row]
            values = torch.stack([rows[index][name] for index in steps])
            bad = (~values.isfinite()).nonzero()
            if len(bad):
                first = int(bad[0])
                at = self.step - len(rows) + steps[first]
                raise DivergedError(f'{name} is {values[first].item()} at update {at}', at)
            means[name] = values.mean().item()
        return means

    def temperature(self) -> float:
        """Eta of this update, if the method schedules it."""
        return self.method.temperature(self.step) if self.method.temperature else 1.0

    def rates(self) -> dict[str, float]:
        """Learning rates of this update, by group of parameters."""
        row = self.method
        fall = 0.5 * (1 + math.cos(math.pi * min(1, self.step / self.updates)))
        policy = row.learning_rate * (fall if row.cosine else 1)
        return {'critic': row.learning_rate, 'policy': policy, 'duals': row.dual_rate}

    def _move(
        self,
        batch: Transitions,
        temperature: Tensor,
        rates: dict[str, Tensor],
        move_policy: bool,
        move_target: bool,
    ) -> dict[str, Tensor]:
        """Make one update; pure but for the parameters, so it compiles as a whole."""
        # Without the cache: it would keep casts made without a gradient for where one is wanted.
        with torch.autocast(
            self.device.type, torch.bfloat16, enabled=self.bfloat16, cache_enabled=False
        ):
            gradients, found = self._gradients(batch, temperature, move_policy)
        for name, gradient in gradients.items():
            decay = self.method.weight_decay if name == 'policy' else 0.0
            found[f'gradient_{name}'] = self.groups[name].step(
                gradient, rates[name], self.method.max_gradient, decay
            )
        if move_target:
            self._move_target()
        return {name: value.detach() for name, value in found.items()}

    def _gradients(
        self, batch: Transitions, temperature: Tensor, move_policy: bool
    ) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        """Return the gradients by group, and what was found on the way."""
        row, networks = self.method, self.networks
        encoded = networks.encoder(batch.observation)
        terms: dict[str, Tensor] = {}
        gradients: dict[str, Tensor] = {}
        advantage = None
        if networks.auxiliary is not None:
            terms['auxiliary'] = networks.auxiliary(encoded, batch.observation)
        if row.has_critic:
            found, advantage = evaluation.losses(networks, self.target, encoded, batch, row)
            terms |= found
            gradients['critic'] = self.groups['critic'].gradient(sum(terms.values()))
            encoded = encoded.detach()
        watched: dict[str, Tensor] = {}
        if move_policy:
            found, watched = improvement.losses(
                networks, self.target, encoded, batch, row, temperature, advantage
            )
            total = sum((found if row.has_critic else terms | found).values())
            for name in gradients.keys() ^ self.groups.keys():
                gradients[name] = self.groups[name].gradient(total)
            terms |= found
        return gradients, {f'loss_{name}': value for name, value in terms.items()} | watched

    @torch.no_grad()
    def _move_target(self) -> None:
        for name, group in self.targets.items():
            group.vector.lerp_(self.groups[name].vector, self.method.target_rate)
        if 'duals' in self.groups:
            self.groups['duals'].vector.clamp_(min=MIN_LOG_DUAL)

    def _compiled(self) -> Callable[..., dict[str, Tensor]]:
        # One graph with the gradients in it needs their tracing, which is off by default.
        torch._dynamo.config.trace_autograd_ops = True
        options = {
            # Kernels this small take no longer than Python needs to call them one by one.
            'cpp_wrapper': self.device.type == 'cpu',
            # Nor does the update ask before each step whether its networks are still the same.
            'guard_filter_fn': torch.compiler.skip_guard_on_all_nn_modules_unsafe,
        }
        return torch.compile(self._move, fullgraph=True, dynamic=False, options=options)
