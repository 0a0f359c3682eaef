"""Carries out a study: collects, trains, exports, evaluates; may be killed at any time.

Several processes may work in one directory: each takes what nobody else works on.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from rich.progress import Progress

from chef_trainer import policy_file
from chef_trainer.bench.grid.stages import FIRST_SEED, Stages
from chef_trainer.bench.grid.times import timed
from chef_trainer.bench.results.outcomes import Solved
from chef_trainer.bench.results.study import Cell, Part, Study, cells
from chef_trainer.errors import DivergedError, RunError
from chef_trainer.evaluation.evaluate import evaluate, trials
from chef_trainer.evaluation.statistics import rate
from chef_trainer.export.onnx import export_policy
from chef_trainer.learner.run import TrainRun
from chef_trainer.learner.settings import TrainSettings, from_dict
from chef_trainer.learner.train import train
from chef_trainer.networks.deployed import DeployedPolicy
from chef_trainer.rollouts.collect import Rollout, run_rollout
from chef_trainer.rollouts.episode import read_episode
from chef_trainer.run_directory import claim
from chef_trainer.scripted.stacker import ScriptedStacker
from chef_trainer.spec import ObservationSpec, longest


@dataclasses.dataclass(frozen=True)
class Workplace(Stages[Cell]):
    """Where a study is carried out, and where everything lies.

    teachers/<triplet>.onnx     who drives there
    data/<triplet>/<driver>/    its episodes
    runs/<cell>/                training runs
    policies/<cell>.onnx        what came out
    and what `Stages` has
    """

    study: Study
    directory: Path
    env: str  # module:attribute
    workers: int = 1
    #: Name of a cell -> what came of it elsewhere.
    published: Mapping[str, Solved] = dataclasses.field(default_factory=dict)

    def policy(self, cell: Cell) -> Path:
        """Policy file of a cell."""
        return self._teacher(cell.triplet) if cell.is_teacher else self._policy(cell.name)

    def is_done(self, cell: Cell) -> bool:
        """Whether a cell has all its episodes, or never will."""
        enough = len(self.solved(cell)) >= self.study.episodes
        return enough or self.diverged(cell).exists()

    def solved(self, cell: Cell) -> Solved:
        """Return what came of a cell, here or elsewhere: whichever met more scenes."""
        own = {one.outcome.seed: one.outcome.success for one in self.verdicts(cell)}
        return max(own, self.published.get(cell.name, {}), key=len)

    def settings(self, cell: Cell) -> TrainSettings:
        """Settings of a cell's training run."""
        study, contender = self.study, self.study.contenders[cell.contender]
        values = {
            'name': cell.name,
            'method': contender.method,
            'change': study.changes(cell.contender),
            'data': [str(self.directory / part.folder) for part in cell.parts],
            'updates': study.updates * cell.updates,
            'observations': study.observations,
            'tasks': contender.tasks,
            'triplets': [cell.triplet],
            'networks': study.networks,
            'precision': study.precision,
            'compiled': study.compiled,
            'seed': cell.seed,
        }
        if study.row(cell.contender).has_teacher:
            values['teacher'] = str(self._teacher(cell.triplet))
        if cell.start:
            values['start'] = str(self.directory / 'runs' / cell.start / 'checkpoint.safetensors')
        if cell.online:
            values['online'] = {
                'env': self.env,
                'triplets': [cell.triplet],
                'episodes': cell.online // study.rounds,
                'updates': -(-study.updates // study.rounds),
            }
        return from_dict(values)

    def carry_out(self, progress: Progress) -> None:
        """Do what nobody has done, in the order of `cells`, until all is done."""
        for triplet in self.study.teachers:
            self._teach(triplet)
            self._check_episodes(triplet)
        self._fill_all(list(cells(self.study)), progress)

    def _ready(self, left: Sequence[Cell]) -> Iterable[Cell]:
        waiting = {cell.name for cell in left}
        return (cell for cell in left if not waiting & set(cell.needs))

    def _teach(self, triplet: str) -> None:
        path, settings = self._teacher(triplet), self.study.teachers[triplet]
        claim(path.with_suffix('.json'), dataclasses.asdict(settings))
        if not path.exists():
            stacker = ScriptedStacker(triplet, settings)
            export_policy(stacker, stacker.spec, path)

    def _check_episodes(self, triplet: str) -> None:
        """Refuse episodes of another study, which go with no others, before hours of work."""
        recorded = {spec.name for spec in self._recorded(triplet)}
        for folder in sorted((self.directory / 'data' / triplet).glob('*/*')):
            for file in sorted(folder.glob('*.npz'))[:1]:
                if different := recorded ^ set(read_episode(file).observations):
                    raise RunError(
                        f'{file} and this study differ in the observations {sorted(different)}; '
                        f'work in another folder, or delete {folder}'
                    )

    def _fill(self, cell: Cell, progress: Progress) -> bool:
        """Fill a cell; return False if others are still collecting what it needs."""
        if self.is_done(cell):
            return False
        if lost := [name for name in cell.needs if not self._policy(name).exists()]:
            return self._give_up(cell, f'it needs {lost}, which diverged')
        for part in cell.parts:
            if self._missing(part):
                self._taken(
                    part.folder.as_posix().replace('/', '_'), self._collect, part, progress
                )
        if any(self._missing(part) for part in cell.parts):
            return False
        if not self.policy(cell).exists():
            try:
                with timed(self.times, cell.name, 'train'):
                    self._train(cell, progress)
            except DivergedError as error:
                return self._give_up(cell, str(error))
        with timed(self.times, cell.name, 'evaluate'):
            self._evaluate(cell, progress)
        return True

    def _missing(self, part: Part) -> list[Path]:
        folder = self.directory / part.folder
        files = (folder / f'{index:06d}.npz' for index in range(part.begin, part.end))
        return [file for file in files if not file.exists()]

    def _rollouts(self, part: Part) -> list[Rollout]:
        """Return what is missing, to be run."""
        teacher, recorded = self._teacher(part.triplet), self._recorded(part.triplet)
        return [
            Rollout(
                entry=self.env,
                triplet=part.triplet,
                seed=FIRST_SEED + int(target.stem),
                policy=str(self._policy(part.driver) if part.driver else teacher),
                sampled=True,
                observations=recorded,
                tasks=self._tasks(),
                target=target,
            )
            for target in self._missing(part)
        ]

    def _recorded(self, triplet: str) -> tuple[ObservationSpec, ...]:
        """What episodes hold: a teacher that is asked about them may see more than its pupils."""
        teacher = policy_file.read_spec(self._teacher(triplet))
        return longest((*self.study.observations, *teacher.observations))

    def _tasks(self) -> tuple[str, ...]:
        contenders = self.study.contenders.values()
        return tuple(dict.fromkeys(task for one in contenders for task in one.tasks))

    def _collect(self, part: Part, progress: Progress) -> bool:
        name = part.folder.as_posix()
        return self._collected(name, name, run_and_judge, self._rollouts(part), progress)

    def _train(self, cell: Cell, progress: Progress) -> None:
        settings = self.settings(cell)
        run = TrainRun(settings, self.directory / 'runs' / cell.name)
        learner = train(run, progress, self.workers)
        for task in progress.task_ids:
            progress.remove_task(task)
        export_policy(DeployedPolicy(learner.networks), run.spec(learner.step), self.policy(cell))

    def _evaluate(self, cell: Cell, progress: Progress) -> None:
        # A teacher acts as it did for the data; of what was learned the cell takes the mode.
        sampled = cell.is_teacher
        candidate = {cell.name: ({cell.triplet: str(self.policy(cell))}, sampled)}
        jobs = trials(self.env, candidate, self.study.episodes)
        task = progress.add_task(cell.name, total=len(jobs), note='')
        solved = []
        for verdict in evaluate(jobs, self.workers, self._verdicts(cell)):
            solved.append(verdict.outcome.success)
            progress.update(task, advance=1, note=f'success {rate(solved)} %')
        progress.remove_task(task)

    def _policy(self, name: str) -> Path:
        return self.directory / 'policies' / f'{name}.onnx'

    def _teacher(self, triplet: str) -> Path:
        return self.directory / 'teachers' / f'{triplet}.onnx'


def run_and_judge(rollout: Rollout) -> bool:
    """Run one episode into its file; return whether it succeeded."""
    return run_rollout(rollout).success
