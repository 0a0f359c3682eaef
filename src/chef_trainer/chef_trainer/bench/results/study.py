"""What is compared: teachers, budgets, methods, seeds, and the order of the work."""

import dataclasses
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from chef_trainer.bench.grid.study import StudyError, read_study, tuples
from chef_trainer.learner.settings import changed_method
from chef_trainer.methods.method import Method
from chef_trainer.scripted.stacker import StackerSettings
from chef_trainer.spec import ObservationSpec, build
from chef_trainer.task.observe import observation_specs

TEACHER = 'teacher'  # in the place of a contender: who drove
NO_FLAGS: Mapping[str, Any] = types.MappingProxyType({})


@dataclasses.dataclass(frozen=True)
class Contender:
    """A row of the results: a method of the table, and what is changed in it."""

    method: str
    change: dict[str, Any] = dataclasses.field(default_factory=dict)
    tasks: tuple[str, ...] = ('stack_leave',)


@dataclasses.dataclass(frozen=True)
class Study:
    """The whole grid. Numbers are per triplet."""

    teachers: dict[str, StackerSettings]  # triplet -> how bad the stacker is that drives there
    contenders: dict[str, Contender]  # by name, in the order of the work
    observations: tuple[ObservationSpec, ...]
    budgets: tuple[int, ...] = (2000, 1000, 500)  # episodes
    seeds: tuple[int, ...] = (0, 1)
    updates: int = 20_000  # of every contender
    rounds: int = 10  # in which an online contender collects its half of the budget
    episodes: int = 200  # of evaluation
    chunk: int = 50  # episodes in one folder of data
    change: dict[str, Any] = dataclasses.field(default_factory=dict)  # in all methods
    networks: dict[str, Any] = dataclasses.field(default_factory=dict)
    precision: str = 'highest'
    compiled: bool = False  # updates: faster where they are many, see `TrainSettings`
    fine_tuned: tuple[str, ...] = ()  # contenders that are trained on, see `Cell`
    fine_tuning_budget: int = 500  # episodes of the teacher; as many of the first policy follow

    def __post_init__(self) -> None:
        """Refuse what cannot be carried out."""
        unknown = sorted(set(self.fine_tuned) - set(self.contenders))
        if unknown:
            raise StudyError(f'fine_tuned = {unknown}, allowed: {sorted(self.contenders)}')
        for budget in (*self.budgets, 2 * self.fine_tuning_budget):
            if budget < 2 * self.rounds or budget % (2 * self.chunk):
                raise StudyError(
                    f'budget {budget}: half of it must be at least {self.rounds} and a multiple '
                    f'of {self.chunk} episodes'
                )
        if not self.teachers or not self.contenders or not self.seeds:
            raise StudyError('needs at least one teacher, one contender and one seed')
        for contender in self.contenders:
            self.row(contender)

    def changes(self, contender: str) -> dict[str, Any]:
        """What all change in their method, and what a contender changes."""
        return self.change | self.contenders[contender].change

    def row(self, contender: str) -> Method:
        """The method of a contender, changed."""
        return changed_method(self.contenders[contender].method, self.changes(contender))

    def is_online(self, contender: str) -> bool:
        """Whether a contender collects half of its budget itself."""
        return self.row(contender).is_online


@dataclasses.dataclass(frozen=True)
class Part:
    """Episodes begin .. end of one driver: of the teacher, or of the cell `driver`."""

    triplet: str
    begin: int
    end: int
    driver: str = ''  # name of a cell; empty: the teacher

    @property
    def folder(self) -> Path:
        """Where they lie, relative to the study's directory."""
        who = self.driver or 'teacher'
        return Path('data', self.triplet, who, f'{self.begin:05d}_{self.end:05d}')


@dataclasses.dataclass(frozen=True)
class Cell:
    """One number of the table: a contender on a triplet with a budget and a seed.

    Fine-tuning starts from the cell `base` and trains on half old, half new episodes; `scratch`
    trains on the same episodes from the beginning, with `updates` times as many updates.
    """

    triplet: str
    contender: str  # or TEACHER
    budget: int
    seed: int
    start: str = ''  # cell whose networks are trained on
    parts: tuple[Part, ...] = ()
    online: int = 0  # episodes it collects itself
    updates: int = 1  # times those of the study
    suffix: str = ''  # tells apart the ways of fine-tuning

    @property
    def is_teacher(self) -> bool:
        """Whether nothing is learned."""
        return self.contender == TEACHER

    @property
    def candidate(self) -> str:
        """Name in tables."""
        return self.contender + self.suffix

    @property
    def name(self) -> str:
        """Name of its files."""
        return f'{self.triplet}_{self.candidate}_{self.budget}_{self.seed}'.replace(' ', '_')

    @property
    def needs(self) -> tuple[str, ...]:
        """Names of the cells that come before."""
        drivers = (part.driver for part in self.parts)
        return tuple(sorted({name for name in (self.start, *drivers) if name}))


def load_study(path: Path, flags: Mapping[str, Any] = NO_FLAGS) -> Study:
    """Read a study from YAML; `flags` (key -> value) win. Raises StudyError."""
    values = {**read_study(path), **flags}
    for key, kind in (('teachers', StackerSettings), ('contenders', Contender)):
        section = values.get(key) or {}
        values[key] = {str(n): build(kind, dict(one), StudyError) for n, one in section.items()}
    seen = values.get('observations') or {}
    if set(seen) != {'names', 'history'}:
        raise StudyError(f'observations = {seen}, expected names and history')
    values['observations'] = observation_specs(seen['names'], seen['history'])
    study: Study = build(Study, tuples(values), StudyError)
    return study


def cells(study: Study) -> Iterator[Cell]:
    """Yield all cells in the order of the work: what is done is a table at any time.

    One seed of all triplets before the next one, the largest budget first; a teacher before its
    pupils; fine-tuning at the end.
    """
    for seed in study.seeds:
        for triplet in study.teachers:
            if seed == study.seeds[0]:
                yield Cell(triplet, TEACHER, 0, seed)
            for budget in study.budgets:
                for contender in study.contenders:
                    yield _cell(study, triplet, contender, budget, seed)
    for seed in study.seeds:
        for triplet in study.teachers:
            for contender in study.fine_tuned:
                yield from _fine_tuning(study, triplet, contender, seed)


def _cell(study: Study, triplet: str, contender: str, budget: int, seed: int) -> Cell:
    online = budget // 2 if study.is_online(contender) else 0
    parts = _parts(study, triplet, budget - online)
    return Cell(triplet, contender, budget, seed, parts=parts, online=online)


def _parts(study: Study, triplet: str, episodes: int, driver: str = '') -> tuple[Part, ...]:
    """The first `episodes` of a driver; budgets share them, so they are nested."""
    return tuple(
        Part(triplet, begin, begin + study.chunk, driver)
        for begin in range(0, episodes, study.chunk)
    )


def _fine_tuning(study: Study, triplet: str, contender: str, seed: int) -> Iterator[Cell]:
    budget = study.fine_tuning_budget
    first = _cell(study, triplet, contender, budget, seed)
    if budget not in study.budgets:
        yield first
    parts = (*first.parts, *_parts(study, triplet, budget, first.name))
    whole = Cell(triplet, contender, 2 * budget, seed, parts=parts)
    yield dataclasses.replace(whole, start=first.name, suffix=' fine-tuned')
    yield dataclasses.replace(whole, suffix=' from scratch')
    yield dataclasses.replace(whole, suffix=' from scratch, twice the updates', updates=2)
