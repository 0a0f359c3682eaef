"""What to distil and how: everything that decides the result, in one YAML file."""

import dataclasses
from pathlib import Path
from typing import Any

import yaml

from chef_trainer.spec import ObservationSpec, build


class RecipeError(ValueError):
    """A recipe is malformed: the message names the key, its value and what is allowed."""


@dataclasses.dataclass(frozen=True)
class Iteration:
    """One round of DAgger: collect, then train on everything collected so far."""

    updates: int  # gradient steps
    teacher_share: float = 0.0  # share of the time that the teacher drives, 0 .. 1
    scale: float = 1.0  # times the recipe's episodes per triplet


@dataclasses.dataclass(frozen=True)
class Jitter:
    """How far an object's pose is moved in the data, see `augment`; uniform up to these."""

    name: str  # of the observation
    position: float  # m, along x and y
    height: float  # m, along z
    yaw: float  # rad, about the vertical


@dataclasses.dataclass(frozen=True)
class Recipe:
    """Settings of one distillation run."""

    name: str
    observations: tuple[ObservationSpec, ...]  # what the student sees
    episodes: dict[str, int]  # triplet -> episodes per iteration
    iterations: tuple[Iteration, ...]
    differences: tuple[tuple[str, str], ...] = ()  # see networks.Features
    hidden: tuple[int, ...] = (512, 512, 512)  # units per layer
    chooser: str = ''  # observation that chooses one of several networks, see MixedPolicy
    batch: int = 2048  # states per gradient step
    learning_rate: float = 1e-3  # Adam, at the start; falls to 0 along a cosine
    min_stddev: float = 0.1  # teachers surer than this are taken to be this sure, 1
    jitter: tuple[Jitter, ...] = ()  # objects that are moved in the data
    mix: float = 0.0  # share of states that are mixed with another one, see `augment`
    hints: float = 0.0  # weight of the teachers' hidden layers, see losses.hints; nats
    max_gradient: float = 40.0  # global norm, as in Acme's agents
    segment: float = 20.0  # control steps that teacher or student drives before a new draw, mean
    sampled_share: float = 0.5  # share of episodes whose driver samples its actions, 0 .. 1
    seed: int = 0

    def __post_init__(self) -> None:
        """Refuse values that cannot work."""
        shares = {'sampled_share': self.sampled_share, 'mix': self.mix}
        for index, iteration in enumerate(self.iterations):
            shares[f'iterations[{index}].teacher_share'] = iteration.teacher_share
        for name, value in shares.items():
            if not 0 <= value <= 1:
                raise RecipeError(f'{name} = {value}, must be in 0 .. 1')
        if not self.iterations or self.iterations[0].teacher_share != 1:
            raise RecipeError(
                'the first iteration has no student yet: its teacher_share must be 1'
            )
        for name in ('batch', 'learning_rate', 'max_gradient', 'min_stddev', 'segment'):
            if not getattr(self, name) > 0:
                raise RecipeError(f'{name} = {getattr(self, name)}, must be positive')
        if self.hints < 0 or (self.hints and not self.chooser):
            raise RecipeError(
                f'hints = {self.hints}, chooser = {self.chooser!r}: hints must not be negative, '
                'and need a network per teacher, which a chooser gives'
            )
        if not self.episodes or min(self.episodes.values()) < 1:
            raise RecipeError(f'episodes = {self.episodes}, needs at least one per triplet')

    @property
    def updates(self) -> int:
        """Gradient steps of the whole run."""
        return sum(iteration.updates for iteration in self.iterations)


def load_recipe(path: str | Path) -> Recipe:
    """Read a recipe from YAML; raises RecipeError naming unknown and missing keys."""
    try:
        values = yaml.safe_load(Path(path).read_text())
    except (OSError, yaml.YAMLError) as error:
        raise RecipeError(f'{path}: {error}') from error
    if not isinstance(values, dict):
        raise RecipeError(f'{path}: expected a mapping, got {type(values).__name__}')
    return from_dict(values)


def from_dict(values: dict[str, Any]) -> Recipe:
    """Build a recipe from plain lists and dictionaries."""
    values = dict(values)
    values['observations'] = tuple(
        build(ObservationSpec, {**item, 'shape': tuple(item.get('shape', ()))}, RecipeError)
        for item in values.get('observations', ())
    )
    values['iterations'] = tuple(
        build(Iteration, item, RecipeError) for item in values.get('iterations', ())
    )
    values['jitter'] = tuple(build(Jitter, item, RecipeError) for item in values.get('jitter', ()))
    values['differences'] = tuple(tuple(pair) for pair in values.get('differences', ()))
    values['episodes'] = {str(key): count for key, count in values.get('episodes', {}).items()}
    if 'hidden' in values:
        values['hidden'] = tuple(values['hidden'])
    return build(Recipe, values, RecipeError)
