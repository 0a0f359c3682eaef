"""Carries out a study: collects, trains, evaluates; may be killed at any time.

Several processes may work in one directory: each takes what nobody else works on.
"""

import dataclasses
from pathlib import Path

from rich.progress import Progress

from chef_trainer.bench.grid.stages import FIRST_SEED, Stages
from chef_trainer.bench.grid.times import timed
from chef_trainer.bench.tasks.collect import Demonstration, run_demonstration
from chef_trainer.bench.tasks.study import Cell, Study, cells, train_settings
from chef_trainer.errors import DivergedError
from chef_trainer.evaluation.evaluate import FIRST_SEED as FIRST_EVALUATED
from chef_trainer.evaluation.evaluate import evaluate, trials
from chef_trainer.learner.run import TrainRun
from chef_trainer.learner.train import train
from chef_trainer.rollouts.episode import read_episode
from chef_trainer.run_directory import claim


@dataclasses.dataclass(frozen=True)
class Workplace(Stages[Cell]):
    """Where a study is carried out, and where everything lies.

    data/<task>/*.npz           episodes of the expert
    runs/<cell>/                training runs, with the policies kept on the way
    and what `Stages` has; the candidate of a verdict is the update
    """

    study: Study
    directory: Path
    workers: int = 1

    def run(self, cell: Cell) -> TrainRun:
        """Training run of a cell."""
        data = str(self.directory / 'data' / cell.task)
        settings = train_settings(self.study, cell, data)
        return TrainRun(settings, self.directory / 'runs' / cell.name)

    def points(self, cell: Cell) -> range:
        """Updates after which a cell's policy is evaluated; the last ones make the table."""
        settings = self.run(cell).settings
        return range(settings.keep_every, settings.updates + 1, settings.keep_every)

    def is_done(self, cell: Cell) -> bool:
        """Whether a cell has all its episodes, or never will."""
        study = self.study
        wanted = study.episodes + (study.points - 1) * study.point_episodes
        return len(self.verdicts(cell)) >= wanted or self.diverged(cell).exists()

    def demonstrations(self, task: str) -> list[Demonstration]:
        """All episodes of a task's expert."""
        expert = self.study.tasks[task].expert
        if expert is None:
            return []
        cell = Cell(task, next(iter(self.study.tasks[task].contenders)), self.study.seeds[0])
        settings = self.run(cell).settings
        return [
            Demonstration(
                environment=self.study.tasks[task].environment,
                actor=expert.actor,
                scene=expert.scene,
                seed=FIRST_SEED + index,
                arguments=expert.arguments,
                observations=settings.observations,
                tasks=settings.tasks,
                target=self.directory / 'data' / task / f'{index:06d}.npz',
            )
            for index in range(expert.episodes)
        ]

    def expert_successes(self, task: str) -> list[bool]:
        """Whether the expert succeeded, episode by episode, as far as they are there."""
        there = (one.target for one in self.demonstrations(task) if one.target.exists())
        return [read_episode(path).success for path in there]

    def carry_out(self, progress: Progress) -> None:
        """Do what nobody has done, in the order of `cells`, until all is done."""
        for name, task in self.study.tasks.items():
            who = {'environment': task.environment, 'expert': task.expert}
            claimed = dataclasses.asdict(task.expert) if task.expert else {}
            claim(self.directory / 'data' / f'{name}.json', who | {'expert': claimed})
        self._fill_all(list(cells(self.study)), progress)

    def _fill(self, cell: Cell, progress: Progress) -> bool:
        """Fill a cell; return False if others are still collecting its data."""
        if self.is_done(cell):
            return False
        if self._missing(cell.task):
            self._taken(f'{cell.task}_data', self._collect, cell.task, progress)
        if self._missing(cell.task):
            return False
        run = self.run(cell)
        if not run.kept(run.settings.updates).exists():
            try:
                with timed(self.times, cell.name, 'train'):
                    train(run, progress, self.workers)
            except DivergedError as error:
                return self._give_up(cell, str(error))
            finally:
                for task in progress.task_ids:
                    progress.remove_task(task)
        with timed(self.times, cell.name, 'evaluate'):
            self._evaluate(cell, progress)
        return True

    def _missing(self, task: str) -> list[Demonstration]:
        return [one for one in self.demonstrations(task) if not one.target.exists()]

    def _collect(self, name: str, progress: Progress) -> bool:
        missing = self._missing(name)
        return self._collected(name, f'{name} data', run_demonstration, missing, progress)

    def _evaluate(self, cell: Cell, progress: Progress) -> None:
        run, study, task = self.run(cell), self.study, self.study.tasks[cell.task]
        jobs = []
        for update in self.points(cell):
            who = {str(update): ({task.scene: str(run.kept(update))}, False)}
            last = update == run.settings.updates
            count = study.episodes if last else study.point_episodes
            jobs += trials(task.environment, who, count, FIRST_EVALUATED)
        bar = progress.add_task(f'{cell.name} evaluation', total=len(jobs), note='')
        for _ in evaluate(jobs, self.workers, self._verdicts(cell)):
            progress.update(bar, advance=1)
        progress.remove_task(bar)
