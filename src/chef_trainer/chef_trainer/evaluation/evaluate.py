"""Candidates in the simulated cell, all on the same scenes."""

import dataclasses
import json
from collections.abc import Iterator
from pathlib import Path

from chef_trainer.evaluation.actors import load_actor
from chef_trainer.evaluation.environment import environment
from chef_trainer.evaluation.pool import run_jobs
from chef_trainer.evaluation.rollout import Outcome, outcome, rollout
from chef_trainer.policy_file import sha256

# Scenes of evaluation; distillation draws its scenes below these.
FIRST_SEED = 1_000_000_000


@dataclasses.dataclass(frozen=True)
class Trial:
    """One episode to run: who acts how, in which scene."""

    entry: str  # environment, module:attribute
    candidate: str  # name in tables
    path: str  # .onnx or .npz of who acts
    triplet: str
    seed: int
    sampled: bool  # draw actions, or take the likeliest


@dataclasses.dataclass(frozen=True)
class Verdict:
    """A candidate's outcome in one scene; `sha256` says which file it was."""

    candidate: str
    sha256: str
    outcome: Outcome


def trials(
    entry: str,
    candidates: dict[str, tuple[dict[str, str], bool]],
    episodes: int,
    first_seed: int = FIRST_SEED,
) -> list[Trial]:
    """Return `episodes` trials per candidate and triplet, interleaved, all on the same scenes.

    `candidates` maps a name to (triplet -> file that acts, whether it draws its actions).
    """
    return [
        Trial(entry, name, path, triplet, first_seed + index, sampled)
        for index in range(episodes)
        for name, (paths, sampled) in candidates.items()
        for triplet, path in paths.items()
    ]


def run_trial(trial: Trial) -> Verdict:
    """Run one episode in this process."""
    actor = load_actor(trial.path)
    released = trial.path.endswith('.npz')
    env = environment(trial.entry, trial.triplet, actor.observations, released)
    steps = rollout(env, actor, trial.seed, trial.sampled)
    ended = outcome(trial.triplet, trial.seed, steps)
    return Verdict(trial.candidate, sha256(trial.path), ended)


def evaluate(jobs: list[Trial], workers: int, results: Path) -> Iterator[Verdict]:
    """Yield verdicts as episodes end, first those that `results` (JSON lines) has already.

    New ones are appended there at once, so that a killed evaluation goes on where it was.

    Raises:
        ValueError: a line of `results` is not a verdict.
    """
    files = {path: sha256(path) for path in {job.path for job in jobs}}
    wanted = {(job.candidate, files[job.path], job.triplet, job.seed): job for job in jobs}
    for verdict in read_verdicts(results):
        ended = verdict.outcome
        key = (verdict.candidate, verdict.sha256, ended.triplet, ended.seed)
        if wanted.pop(key, None):
            yield verdict
    results.parent.mkdir(parents=True, exist_ok=True)
    with open(results, 'a') as file:
        for verdict in run_jobs(run_trial, wanted.values(), workers):
            file.write(json.dumps(dataclasses.asdict(verdict)) + '\n')
            file.flush()
            yield verdict


def read_verdicts(path: Path) -> list[Verdict]:
    """Read the verdicts at `path`; an absent file has none. Raises ValueError on a bad line."""
    lines = path.read_text().splitlines() if path.exists() else []
    try:
        rows = [json.loads(line) for line in lines]
        return [Verdict(**{**row, 'outcome': Outcome(**row['outcome'])}) for row in rows]
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise ValueError(f'{path}: not a file of results: {error}') from error
