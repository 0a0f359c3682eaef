"""The only mutable state of a distillation: network, optimiser and step count."""

import json
import math
from pathlib import Path

import safetensors.torch
import torch
from safetensors import safe_open
from torch import Tensor

from chef_trainer.distillation.aggregate import Aggregate, States
from chef_trainer.distillation.augment import mix_states, move_objects
from chef_trainer.distillation.recipe import Recipe, RecipeError
from chef_trainer.distillation.teachers import Teachers
from chef_trainer.errors import DivergedError
from chef_trainer.losses.hints import hidden_mismatch
from chef_trainer.losses.projection import mixed_kl
from chef_trainer.networks.policy import MixedPolicy
from chef_trainer.policy_file import replacing


class Learner:
    """Fits a student to the teachers' distributions by Adam."""

    def __init__(self, recipe: Recipe, teachers: Teachers) -> None:
        torch.manual_seed(recipe.seed)
        self.recipe = recipe
        self.policy = MixedPolicy(
            recipe.observations, recipe.differences, recipe.hidden, recipe.chooser
        )
        self.optimizer = torch.optim.Adam(
            self.policy.parameters(), lr=recipe.learning_rate, fused=True
        )
        self.step = 0
        self._teachers = teachers
        if recipe.hints and teachers.hidden != recipe.hidden:
            raise RecipeError(
                f'hidden = {recipe.hidden}: hints need the layers of the teachers, '
                f'{teachers.hidden}'
            )

    def update(self, states: States) -> float:
        """Make one gradient step; return the mean KL(teacher || student) before it, in nats.

        Raises:
            DivergedError: the loss is not finite; the network is as it was.
        """
        divergence, mismatch = self.compare(states)
        loss = divergence.mean() + self.recipe.hints * mismatch
        if not torch.isfinite(loss):
            raise DivergedError(f'loss is {loss.item()} at update {self.step}', self.step)
        for group in self.optimizer.param_groups:
            group['lr'] = self.learning_rate()
        self.optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.policy.parameters(), self.recipe.max_gradient)
        self.optimizer.step()
        self.step += 1
        return divergence.mean().item()

    def compare(self, states: States) -> tuple[Tensor, Tensor]:
        """KL(teacher || student) of each state in nats, (B,), and how much their layers differ."""
        self.policy.train()
        teacher, target = self._teachers.traced(states.benchmark, states.task)
        teacher = teacher._replace(stddev=teacher.stddev.clamp(min=self.recipe.min_stddev))
        student, hidden = self.policy.traced(states.observations)
        mismatch = hidden_mismatch(target, hidden) if self.recipe.hints else torch.zeros(())
        return mixed_kl(teacher, student), mismatch

    def learning_rate(self) -> float:
        """Cosine from the recipe's rate to 0 over the whole run."""
        progress = self.step / self.recipe.updates
        return 0.5 * self.recipe.learning_rate * (1 + math.cos(math.pi * progress))

    def draw(self, aggregate: Aggregate) -> States:
        """Return the states of this step: they depend on seed and step only, so runs resume."""
        states = aggregate.random_states(self.recipe.batch, (self.recipe.seed, self.step))
        generator = torch.Generator().manual_seed(self.recipe.seed * 10_000_000 + self.step)
        states = move_objects(states, self.recipe.jitter, generator)
        return mix_states(states, self.recipe.mix, generator)

    @torch.no_grad()
    def divergence(self, aggregate: Aggregate, first: int) -> float:
        """Mean KL(teacher || student) in nats over all states from row `first` on."""
        parts = [self.compare(states)[0] for states in aggregate.in_order(8192, first)]
        return torch.cat(parts).mean().item()

    def save(self, path: Path) -> None:
        """Write network, optimiser and step to `path`, atomically."""
        tensors = {f'policy.{name}': value for name, value in self.policy.state_dict().items()}
        for index, state in self.optimizer.state_dict()['state'].items():
            tensors |= {f'adam.{index}.{name}': value for name, value in state.items()}
        metadata = {'step': json.dumps(self.step)}
        with replacing(path) as temporary:
            safetensors.torch.save_file(tensors, temporary, metadata)

    def load(self, path: Path) -> None:
        """Go on from a file written by `save`.

        Raises:
            ValueError: the file is broken or belongs to another network.
        """
        try:
            with safe_open(path, 'pt') as file:
                tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
                step = json.loads(file.metadata()['step'])
            self.policy.load_state_dict(_under('policy.', tensors))
        except (OSError, KeyError, RuntimeError, safetensors.SafetensorError) as error:
            raise ValueError(f'{path}: not a checkpoint of this recipe: {error}') from error
        state: dict[int, dict[str, torch.Tensor]] = {}
        for key, value in _under('adam.', tensors).items():
            index, name = key.split('.')
            state.setdefault(int(index), {})[name] = value
        groups = self.optimizer.state_dict()['param_groups']
        self.optimizer.load_state_dict({'state': state, 'param_groups': groups})
        self.step = step


def _under(prefix: str, tensors: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {
        name.removeprefix(prefix): value
        for name, value in tensors.items()
        if name.startswith(prefix)
    }
