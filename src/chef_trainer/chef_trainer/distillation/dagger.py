"""The loop of DAgger (Ross, Gordon and Bagnell, 2011): collect, aggregate, train, repeat.

The teacher drives the first iteration; then its share of the time falls and the student drives.
The teacher answers with its whole distribution instead of an action, so that one state teaches as
much as many samples, and about states nobody visited (see `augment`). A killed run goes on from
its last checkpoint and episode, and ends with the same policy as a run that was not killed.
"""

from pathlib import Path

import numpy as np
from rich.progress import Progress

from chef_trainer.curves import Log
from chef_trainer.distillation.aggregate import Aggregate
from chef_trainer.distillation.collect import Collection, collect
from chef_trainer.distillation.learner import Learner
from chef_trainer.distillation.run import Run
from chef_trainer.evaluation.pool import run_jobs
from chef_trainer.export.onnx import export_policy

LOG_EVERY = 100  # updates
SAVE_EVERY = 500  # updates, a multiple of LOG_EVERY


def distill(run: Run, progress: Progress, workers: int) -> Path:
    """Carry out the recipe of `run`, from where it stands; return the final policy file.

    `workers` processes collect.

    Raises:
        RunError: the directory belongs to another recipe, or a teacher is missing.
        DivergedError: a loss was not finite.
    """
    run.claim()
    learner = Learner(run.recipe, run.load_teachers())
    if run.checkpoint.exists():
        learner.load(run.checkpoint)
    log = Log(run.log, learner.step)
    aggregate = Aggregate(run.recipe.observations)
    end = 0
    for index, iteration in enumerate(run.recipe.iterations):
        jobs = run.collections(index)
        collect_missing(jobs, workers, progress, f'collect {index}')
        known, start, end = len(aggregate), end, end + iteration.updates
        aggregate.add(run.episodes(index))
        if learner.step == 0:
            learner.policy.features.fit(one.observations for one in aggregate.in_order(8192))
        if learner.step == start:
            divergence = learner.divergence(aggregate, known)
            rates = success_rates(jobs)
            log.add(
                'iteration', start, divergence=divergence, states=len(aggregate), success=rates
            )
            progress.console.print(
                f'iteration {index}: teacher drives {iteration.teacher_share:.0%} of the time, '
                f'KL on new states {divergence:.2f} nats, success {rates}'
            )
        train(learner, aggregate, end, log, run, progress, f'train {index}')
        if not run.student(index).exists():
            spec = run.spec(index, aggregate.sha256)
            export_policy(learner.policy, spec, run.student(index))
    return run.student(index)


def collect_missing(jobs: list[Collection], workers: int, progress: Progress, title: str) -> None:
    """Run those episodes whose file is not there yet."""
    missing = [job for job in jobs if not job.target.exists()]
    task = progress.add_task(title, total=len(jobs), completed=len(jobs) - len(missing), note='')
    solved = 0
    for done, ended in enumerate(run_jobs(collect, missing, workers), start=1):
        solved += ended.success
        progress.update(task, advance=1, note=f'success {100 * solved / done:.0f} %')


def train(
    learner: Learner,
    aggregate: Aggregate,
    end: int,
    log: Log,
    run: Run,
    progress: Progress,
    title: str,
) -> None:
    """Make gradient steps until the learner has made `end`; log and save on the way."""
    task = progress.add_task(title, total=end, completed=learner.step, note='')
    losses: list[float] = []
    while learner.step < end:
        losses.append(learner.update(learner.draw(aggregate)))
        progress.update(task, completed=learner.step)
        if learner.step % LOG_EVERY == 0:
            log.add('train', learner.step, loss=float(np.mean(losses)))
            progress.update(task, note=f'KL {np.mean(losses):.3f} nats')
            losses.clear()
        if learner.step % SAVE_EVERY == 0 or learner.step == end:
            learner.save(run.checkpoint)
            log.save()


def success_rates(jobs: list[Collection]) -> dict[str, float]:
    """Share of solved episodes per triplet."""
    solved: dict[str, list[bool]] = {}
    for job in jobs:
        with np.load(job.target) as episode:
            solved.setdefault(job.triplet, []).append(bool(episode['outcome'][0]))
    return {triplet: float(np.mean(outcomes)) for triplet, outcomes in solved.items()}
