"""The loop: episodes in, updates, curves and checkpoints out. It may be killed at any time."""

from pathlib import Path

import torch
from rich.progress import Progress, TaskID

from chef_trainer.curves import Log
from chef_trainer.errors import DivergedError
from chef_trainer.evaluation.pool import run_jobs
from chef_trainer.export.onnx import export_policy
from chef_trainer.learner import checkpoint
from chef_trainer.learner.learner import Learner
from chef_trainer.learner.plots import EventFile, draw_curves
from chef_trainer.learner.prefetch import prefetched
from chef_trainer.learner.run import TrainRun, digest
from chef_trainer.learner.sources import Source, Sources
from chef_trainer.learner.teacher import Teacher
from chef_trainer.networks.deployed import DeployedPolicy
from chef_trainer.rollouts.collect import run_rollout
from chef_trainer.rollouts.episode import read_episode
from chef_trainer.rollouts.memory import Memory

FITTED_BATCHES = 50  # of which the states' mean and deviation are taken
SHOWN_LOSSES = 3


def train(run: TrainRun, progress: Progress, workers: int = 1) -> Learner:
    """Carry out `run` from where it stands; return the trained learner.

    Args:
        run: settings and directory.
        progress: where to show what happens.
        workers: processes that collect online episodes.

    Raises:
        RunError: the directory belongs to another run, or there is no data.
        DivergedError: a number was not finite; the last checkpoint is kept.
        OSError: with the file's name, when the disk is full.
    """
    return _Training(run, progress, workers).carry_out()


class _Training:
    """A run in progress."""

    def __init__(self, run: TrainRun, progress: Progress, workers: int) -> None:
        self._run, self._progress, self._workers = run, progress, workers
        settings = run.settings
        medium = settings.precision == 'medium'
        torch.set_float32_matmul_precision('high' if medium else settings.precision)
        row = settings.row
        sets: dict[str, tuple[Source, list[int]]] = {}
        dataset = None
        if settings.data:
            task = progress.add_task('read', total=None, note='')
            dataset = run.open_dataset(
                lambda done, total: progress.update(task, completed=done, total=total)
            )
            progress.update(task, note=f'{len(dataset)} transitions')
            sets['dataset'] = dataset, run.columns(dataset)
        run.claim(digest(dataset))
        self._online = Memory()
        if row.is_online:
            sets['online'] = self._online, list(range(len(settings.tasks)))
        teacher = None
        if row.has_teacher:
            teacher = Teacher(Path(settings.teacher))
        self._sources = Sources(row, sets, teacher, settings.seed, run.recorded, settings.seen)
        self._learner = Learner(
            row,
            settings.network_settings,
            settings.updates,
            settings.seed,
            settings.device,
            settings.compiled,
            medium,
        )

    def carry_out(self) -> Learner:
        """Train to the end."""
        run, learner = self._run, self._learner
        if run.checkpoint.exists():
            checkpoint.load(learner, run.checkpoint)
        elif run.settings.start:
            checkpoint.start_from(learner, Path(run.settings.start))
        self._log = Log(run.curves, learner.step)
        self._events = EventFile(run.directory, learner.step)
        task = self._progress.add_task(
            'train', total=run.settings.updates, completed=learner.step, note=''
        )
        try:
            for number, updates in enumerate(run.rounds()):
                if learner.step < updates.stop:
                    self._begin_round(number)
                    self._train(updates, task)
                elif run.rollouts(number):
                    self._take_in(number)
        finally:
            self._events.close()
            draw_curves(self._log.rows('train') + self._log.rows('online'), run.plot)
        return learner

    def _begin_round(self, number: int) -> None:
        """Collect the round's episodes, as far as they are missing, and take them in."""
        jobs = self._run.rollouts(number)
        if jobs:
            policy = self._run.policy(number)
            if not policy.exists():
                self._keep(policy)
            missing = [job for job in jobs if not job.target.exists()]
            task = self._progress.add_task(f'collect {number}', total=len(missing), note='')
            for _ in run_jobs(run_rollout, missing, self._workers):
                self._progress.update(task, advance=1)
            self._take_in(number)
        if self._learner.step == 0 and not self._run.settings.start:
            updates = self._run.rounds()[number][:FITTED_BATCHES]  # later ones may ask for more
            batches = [self._sources.draw(update) for update in updates]
            self._learner.fit_features(batches)

    def _take_in(self, number: int) -> None:
        jobs = self._run.rollouts(number)
        episodes = [read_episode(job.target) for job in jobs]
        self._online.extend(episodes)
        update = self._run.rounds()[number].start
        self._log.add(
            'online',
            update,
            success=sum(one.success for one in episodes) / len(episodes),
            episode_return=float(sum(one.rewards[:, 0].sum() for one in episodes)) / len(episodes),
            online_transitions=len(self._online),
        )

    def _train(self, updates: range, task: TaskID) -> None:
        """Make the updates of a round that are still to be made."""
        learner, settings = self._learner, self._run.settings
        batches = prefetched(self._sources.draw, learner.step, updates.stop, learner.device)
        for batch in batches:
            learner.update(batch)
            at_end = learner.step == updates.stop
            if learner.step % settings.log_every == 0 or at_end:
                self._report(task)
            if settings.keep_every and learner.step % settings.keep_every == 0:
                self._keep(self._run.kept(learner.step))
            if learner.step % settings.save_every == 0 or at_end:
                checkpoint.save(learner, self._run.checkpoint)
                self._log.save()

    def _keep(self, path: Path) -> None:
        """Export what has been learned so far."""
        export_policy(
            DeployedPolicy(self._learner.networks), self._run.spec(self._learner.step), path
        )

    def _report(self, task: TaskID) -> None:
        try:
            found = self._learner.check()
        except DivergedError as error:
            raise self._explained(error) from error
        self._log.add('train', self._learner.step, **found)
        self._events.add(self._learner.step, found)
        losses = {n.removeprefix('loss_'): v for n, v in found.items() if n.startswith('loss_')}
        shown = list(losses.items())[:SHOWN_LOSSES]
        note = '  '.join(f'{name} {value:.3g}' for name, value in shown)
        self._progress.update(task, completed=self._learner.step, note=note)

    def _explained(self, error: DivergedError) -> DivergedError:
        """Say which part of the batch was not finite, or that the data was and what is kept."""
        batch = self._sources.draw(error.update)
        named = {**batch._asdict(), **batch.observation, **batch.next_observation}
        broken = [
            name
            for name, value in named.items()
            if isinstance(value, torch.Tensor) and not value.isfinite().all()
        ]
        where = f'in the data, {broken}' if broken else 'not in the data: try a smaller rate'
        kept = self._run.checkpoint if self._run.checkpoint.exists() else 'no checkpoint'
        return DivergedError(f'{error} (the cause is {where}); kept: {kept}', error.update)
