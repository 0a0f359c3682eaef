"""What is learned: tasks, the data they are learned from, methods, seeds."""

import dataclasses
import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from chef_trainer.bench.grid.study import StudyError, read_study, tuples
from chef_trainer.learner.settings import TrainSettings, from_dict
from chef_trainer.spec import build

MEASURES = ('success', 'return')
REWARD = ('reward',)  # the tasks of these environments: they have one


@dataclasses.dataclass(frozen=True)
class Expert:
    """Who collects the data."""

    actor: str  # module:attribute, called with scene=, seed= and the arguments
    scene: str  # that it acts in
    episodes: int
    arguments: dict[str, Any] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass(frozen=True)
class Task:
    """One environment, and what is learned there."""

    environment: str  # module:attribute
    scene: str  # of evaluation and of the policies' own episodes
    contenders: dict[str, dict[str, Any]]  # name -> settings of the trainer, `method` among them
    settings: dict[str, Any]  # of the trainer, the same for all contenders
    needs: str = ''  # package that has it, as pip wants it; empty: nothing else
    expert: Expert | None = None  # whose episodes are the data; None: none
    measure: str = 'success'  # or the return

    def __post_init__(self) -> None:
        """Refuse what cannot be measured."""
        if self.measure not in MEASURES:
            raise StudyError(f'measure = {self.measure!r}, allowed: {MEASURES}')


@dataclasses.dataclass(frozen=True)
class Study:
    """All tasks."""

    tasks: dict[str, Task]
    settings: dict[str, Any] = dataclasses.field(default_factory=dict)  # of the trainer, for all
    seeds: tuple[int, ...] = (0, 1)
    episodes: int = 50  # of evaluation, of the final policy
    points: int = 5  # of a learning curve
    point_episodes: int = 10  # of evaluation, of each point before the last

    def __post_init__(self) -> None:
        """Refuse an empty study."""
        if not self.tasks or not self.seeds or self.points < 1:
            raise StudyError('needs at least one task, one seed and one point of the curves')


@dataclasses.dataclass(frozen=True)
class Cell:
    """One training run: a contender on a task with a seed."""

    task: str
    contender: str
    seed: int

    @property
    def name(self) -> str:
        """Name of its files."""
        return f'{self.task}_{self.contender}_{self.seed}'.replace(' ', '_')


def load_study(path: Path, flags: Mapping[str, Any], only: Sequence[str] = ()) -> Study:
    """Read a study from YAML; `flags` (key -> value) win, `only` names the tasks to keep.

    Raises:
        StudyError: it cannot be read, or something in it is unknown or malformed.
    """
    values = read_study(path)
    tasks = values.get('tasks') or {}
    if unknown := sorted(set(only) - set(tasks)):
        raise StudyError(f'tasks {unknown} are unknown, allowed: {sorted(tasks)}')
    values |= flags
    values['tasks'] = {name: _task(tasks[name]) for name in only or tasks}
    study: Study = build(Study, tuples(values), StudyError)
    for cell in cells(study):
        train_settings(study, cell, 'data')
    return study


def _task(values: dict[str, Any]) -> Task:
    expert = values.get('expert')
    expert = expert and build(Expert, expert, StudyError)
    task: Task = build(Task, {**values, 'expert': expert}, StudyError)
    return task


def check_installed(study: Study) -> None:
    """Raise StudyError naming the packages that are not installed, and how to get them."""
    absent = {}
    for name, task in study.tasks.items():
        try:
            if task.needs:
                importlib.metadata.version(task.needs.partition('==')[0])
        except importlib.metadata.PackageNotFoundError:
            absent[name] = task.needs
    if absent:
        packages = ' '.join(sorted(set(absent.values())))
        raise StudyError(
            f'not installed: {packages}, for {", ".join(absent)}; `pip install {packages}` in an '
            'environment of its own, or name other tasks with --tasks'
        )


def cells(study: Study) -> Iterator[Cell]:
    """Yield all cells in the order of the work: one seed of all tasks before the next one."""
    for seed in study.seeds:
        for name, task in study.tasks.items():
            for contender in task.contenders:
                yield Cell(name, contender, seed)


def train_settings(study: Study, cell: Cell, data: str) -> TrainSettings:
    """Return the settings of a cell's run; raises SettingsError."""
    task = study.tasks[cell.task]
    values = merged(study.settings, task.settings, task.contenders[cell.contender])
    values |= {
        'name': cell.name,
        'data': [data] if task.expert else [],
        'tasks': REWARD,
        'triplets': [task.scene],
        'seed': cell.seed,
    }
    if 'online' in values:
        values['online'] = values['online'] | {'env': task.environment, 'triplets': [task.scene]}
    updates = values.get('updates', TrainSettings.updates)
    if updates % study.points:
        raise StudyError(f'{cell.name}: updates {updates}, must be a multiple of {study.points}')
    return from_dict(values | {'keep_every': updates // study.points})


def merged(*parts: Mapping[str, Any]) -> dict[str, Any]:
    """Join settings; later ones win, sections are joined key by key."""
    found: dict[str, Any] = {}
    for part in parts:
        for key, value in part.items():
            section = isinstance(value, dict) and isinstance(found.get(key), dict)
            found[key] = found[key] | value if section else value
    return found
