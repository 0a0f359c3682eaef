"""Cells that several processes fill in one directory."""

import abc
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Generic, Protocol, TypeVar

from rich.progress import Progress

from chef_trainer.bench.grid.times import alone, hours, timed
from chef_trainer.evaluation.evaluate import Verdict, read_verdicts
from chef_trainer.evaluation.pool import run_jobs
from chef_trainer.evaluation.statistics import rate
from chef_trainer.policy_file import replacing

#: Scenes of the data; those of the policies' own episodes are below, those of evaluation above.
FIRST_SEED = 500_000_000
PAUSE = 5.0  # s, until what others work on is looked at again


class Named(Protocol):
    """One number of a study's table: a cell."""

    @property
    def name(self) -> str:
        """Name of its files."""


Cell = TypeVar('Cell', bound=Named)
Job = TypeVar('Job')


class Stages(abc.ABC, Generic[Cell]):
    """A directory in which cells are filled, by several processes: each takes what is free.

    verdicts/<cell>.jsonl       evaluation of a cell, an episode per line
    diverged/<cell>.txt         in its place, why there is no policy
    locks/                      what is being worked on
    times.jsonl                 seconds of every stage
    """

    directory: Path
    workers: int

    @abc.abstractmethod
    def is_done(self, cell: Cell) -> bool:
        """Whether a cell has all its episodes, or never will."""

    @abc.abstractmethod
    def _fill(self, cell: Cell, progress: Progress) -> bool:
        """Fill a cell; return False if others are still collecting what it needs."""

    def _ready(self, left: Sequence[Cell]) -> Iterable[Cell]:
        """Return those of the cells that are left for which nothing is missing."""
        return left

    @property
    def times(self) -> Path:
        """Seconds of every stage."""
        return self.directory / 'times.jsonl'

    def verdicts(self, cell: Cell) -> list[Verdict]:
        """Evaluated episodes of a cell, so far."""
        return read_verdicts(self._verdicts(cell))

    def diverged(self, cell: Cell) -> Path:
        """Why a cell has no policy, if the file exists."""
        return self.directory / 'diverged' / f'{cell.name}.txt'

    def progress_report(self, everything: Sequence[Cell], what: str) -> str:
        """Return how many cells (`what` they are called) are done, hours, and what diverged."""
        done = sum(self.is_done(cell) for cell in everything)
        text = f'{done} of {len(everything)} {what} are done; {hours(self.times)}.\n'
        for cell in everything:
            if (why := self.diverged(cell)).exists():
                text += f'{cell.name} has no policy: {why.read_text()}'
        return text

    def _fill_all(self, everything: Sequence[Cell], progress: Progress) -> None:
        """Do what nobody has done, in the order given, until all is done."""
        while left := [cell for cell in everything if not self.is_done(cell)]:
            ready = self._ready(left)
            if not any(self._taken(cell.name, self._fill, cell, progress) for cell in ready):
                time.sleep(PAUSE)

    def _taken(self, name: str, work: Callable[..., bool], *arguments: object) -> bool:
        """Work alone on `name`; return whether something was done."""
        with alone(self.directory / 'locks' / name) as mine:
            return mine and work(*arguments)

    def _collected(
        self,
        name: str,
        title: str,
        work: Callable[[Job], bool],
        jobs: Sequence[Job],
        progress: Progress,
    ) -> bool:
        """Run episodes of the data: `work` says whether one succeeded; `name` is the stage's."""
        task = progress.add_task(title, total=len(jobs), note='')
        solved = []
        with timed(self.times, name, 'collect'):
            for success in run_jobs(work, jobs, self.workers):
                solved.append(success)
                progress.update(task, advance=1, note=f'success {rate(solved)} %')
        progress.remove_task(task)
        return True

    def _give_up(self, cell: Cell, reason: str) -> bool:
        with replacing(self.diverged(cell)) as temporary:
            temporary.write_text(f'{reason}\n')
        return True

    def _verdicts(self, cell: Cell) -> Path:
        return self.directory / 'verdicts' / f'{cell.name}.jsonl'
