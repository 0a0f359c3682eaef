"""Does the scripted reset leave a fair start, how soon, how gently, and how evenly spread?

    python -m chef_cell.bench.reset [--resets 300] [--first-seed N] [--results FILE] [--plot FILE]

Every reset begins where an episode of the shipped policy has ended: stacked, toppled, in a
corner, held, or stopped by the 20 N rule and drawn back. Nothing is put anywhere by hand. As in a
session, a reset that breaks the rule is stopped, drawn back and begun anew, `ATTEMPTS` times.
Results are appended to a file as they come; what is in it is not measured again.
"""

import argparse
import dataclasses
import functools
import json
import multiprocessing
import sys
from collections.abc import Iterable
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from chef_cell.bench.reset_plot import plot
from chef_cell.core.act import clip_action, to_command
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.core.retreat import Retreat, RetreatSettings
from chef_cell.core.velocity import CartesianController, ControllerSettings
from chef_cell.drivers.onnx_runner import OnnxRunner
from chef_cell.sim.cell import SimCell
from chef_cell.sim.environment import StackingEnv
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.sim.objects import TRIPLETS
from chef_cell.sim.scripted_reset import play, script

FORCE_LIMIT = 20.0  # N, of the safety latch
ATTEMPTS = 3
RETREAT_TIME = 0.4  # s
PROCESSES = 2
FIRST_SEED = 20_000  # scenes that neither training nor evaluation saw


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What came of one reset."""

    triplet: str
    seed: int
    end: str  # how the episode before it ended: stacked, not stacked, force
    success: bool
    failure: str
    seconds: float  # simulated, all attempts
    peak_force: float  # N
    broken: int  # attempts that broke the 20 N rule
    failed_tries: int  # grasps and the like that had to be done again
    places: list[list[float]]  # x, y of red, green, blue (m)
    tool: list[float]  # pose (7,) at the end


def measure(triplet: str, seed: int, policy: str) -> Outcome:
    """Play an episode to its end and reset the cell from there."""
    environment, runner = _environment(triplet, policy), _runner(policy)
    end = _play_episode(environment, runner, seed)
    cell, kinematics = environment.cell, environment.kinematics
    begun, peak, broken, failed, failure = cell.time, 0.0, 0, 0, ''
    for attempt in range(ATTEMPTS):
        # Other draws for each triplet, although the scenes are the same.
        reset = script(cell, int(f'{triplet}{seed}{attempt}'))
        way = Retreat(RetreatSettings())
        force = 0.0
        for view, command in play(cell, reset, kinematics):
            force = max(force, view.force)
            if view.force > FORCE_LIMIT:
                break
            way.follow(command, cell.time)
        failed, failure, peak = failed + len(reset.failures), reset.failure, max(peak, force)
        if force <= FORCE_LIMIT:
            break
        broken, failure = broken + 1, f'{force:.1f} N while {reset.phase}'
        _draw_back(cell, kinematics, way)
    places = [pose[:2].tolist() for pose in cell.tracker.read().poses.values()]
    tool = kinematics.tool_pose(cell.arm.position).tolist()
    seconds = cell.time - begun
    return Outcome(
        triplet, seed, end, not failure, failure, seconds, peak, broken, failed, places, tool
    )


@functools.cache
def _runner(policy: str) -> OnnxRunner:
    return OnnxRunner(policy)


@functools.cache
def _environment(triplet: str, policy: str) -> StackingEnv:
    return StackingEnv(triplet, _runner(policy).spec.observations, force_limit=FORCE_LIMIT)


def _play_episode(environment: StackingEnv, runner: OnnxRunner, seed: int) -> str:
    """Leave the cell as an episode of the policy leaves it; returns how that ended."""
    observation, info = environment.reset(seed=seed)
    way, stopped, over = Retreat(RetreatSettings()), False, False
    while not (stopped or over):
        action = runner.act(observation)
        way.follow(to_command(clip_action(action), runner.spec.action, 0.0), environment.cell.time)
        observation, _, stopped, over, info = environment.step(action)
    if stopped:
        _draw_back(environment.cell, environment.kinematics, way)
        return 'force'
    return 'stacked' if info['success'] else 'not stacked'


def _draw_back(cell: SimCell, kinematics: ArmKinematics, way: Retreat) -> None:
    """Do what the controller does after the 20 N rule, to a whole control period."""
    period = cell.settings.joint_period
    controller = CartesianController(kinematics, ControllerSettings(), period)
    controller.reset(cell.arm.position)
    whole = round(cell.settings.control_period * 1e9)
    end = cell.time + RETREAT_TIME
    while cell.time < end or cell.time_ns % whole:
        command = way.command(cell.time)
        moving = command is not None
        velocity = controller.step(cell.arm.position, command).joint_velocity
        cell.step_joint(velocity if moving else np.zeros(7), 0.0)


def run(resets: int, first_seed: int, path: Path, policy: str, console: Console) -> list[Outcome]:
    """Measure `resets` resets over all triplets, and append to `path` those not yet in it."""
    known = load(path)
    done = {(outcome.triplet, outcome.seed) for outcome in known}
    jobs = [
        (triplet, first_seed + index // len(TRIPLETS))
        for index, triplet in zip(range(resets), _cycle(), strict=False)
    ]
    jobs = [job for job in jobs if job not in done]
    context = multiprocessing.get_context('spawn')
    with (
        ProcessPoolExecutor(PROCESSES, context) as pool,
        Progress(console=console, transient=True) as progress,
        path.open('a') as file,
    ):
        bar = progress.add_task('resets', total=len(jobs))
        futures = [pool.submit(measure, *job, policy) for job in jobs]
        try:
            for future in as_completed(futures):
                known.append(future.result())
                file.write(json.dumps(dataclasses.asdict(known[-1])) + '\n')
                file.flush()
                progress.advance(bar)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return known


def load(path: Path) -> list[Outcome]:
    """Return the outcomes in a file of results; none when there is no file."""
    if not path.exists():
        return []
    return [Outcome(**json.loads(line)) for line in path.read_text().splitlines()]


def _cycle() -> Iterable[str]:
    while True:
        yield from TRIPLETS


def table(outcomes: list[Outcome]) -> Table:
    """Return the results by triplet, by how the episodes ended, and of all."""
    result = Table(title='Scripted resets')
    for column in ('from', 'resets', 'success', 'time p50', 'p95', 'force p50', 'p95', 'max',
                   'attempts > 20 N', 'failed tries'):  # fmt: skip
        result.add_column(column, justify='left' if column == 'from' else 'right')
    groups = {f'triplet {name}': [o for o in outcomes if o.triplet == name] for name in TRIPLETS}
    for end in ('stacked', 'not stacked', 'force'):
        groups[f'end: {end}'] = [o for o in outcomes if o.end == end]
    for name, group in {**groups, 'all': outcomes}.items():
        if not group:
            continue
        times = np.percentile([o.seconds for o in group], (50, 95))
        forces = np.percentile([o.peak_force for o in group], (50, 95, 100))
        successes = sum(o.success for o in group)
        result.add_row(
            name,
            str(len(group)),
            f'{successes} = {successes / len(group):.1%}',
            *(f'{value:.1f} s' for value in times),
            *(f'{value:.1f} N' for value in forces),
            str(sum(o.broken for o in group)),
            str(sum(o.failed_tries for o in group)),
        )
    return result


def coverage(outcomes: list[Outcome]) -> Table:
    """Return how far the places are from uniform: largest difference of the distributions."""
    settings = ResetSettings()
    places = np.array([o.places for o in outcomes if o.success])  # (n, 3, 2)
    result = Table(title='Places against uniform (Kolmogorov-Smirnov distance)')
    for column in ('object', 'x', 'y', '95 % of uniform samples below'):
        result.add_column(column, justify='right')
    limit = 1.358 / np.sqrt(max(len(places), 1))
    for index, colour in enumerate(('red', 'green', 'blue')):
        distances = [
            _distance(
                places[:, index, axis], settings.place_lower[axis], settings.place_upper[axis]
            )
            for axis in range(2)
        ]
        result.add_row(colour, *(f'{d:.3f}' for d in distances), f'{limit:.3f}')
    return result


def _distance(values: np.ndarray, lower: float, upper: float) -> float:
    """Largest distance of the empirical distribution function to the uniform one."""
    values = np.sort(values)
    uniform = np.clip((values - lower) / (upper - lower), 0.0, 1.0)
    steps = np.arange(len(values) + 1) / len(values)
    return float(max((steps[1:] - uniform).max(), (uniform - steps[:-1]).max()))


def main() -> int:
    """Measure, print, plot."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--resets', type=int, default=300, help='how many, over all triplets')
    parser.add_argument('--first-seed', type=int, default=FIRST_SEED, help='of the scenes')
    parser.add_argument('--policy', default='models/stack_state.onnx', help='makes the ends')
    parser.add_argument('--results', type=Path, default=Path('reset.jsonl'), help='is continued')
    parser.add_argument('--plot', type=Path, help='picture of the coverage to write')
    arguments = parser.parse_args()
    console = Console()
    try:
        outcomes = run(
            arguments.resets, arguments.first_seed, arguments.results, arguments.policy, console
        )
    except KeyboardInterrupt:
        console.print(f'interrupted; go on with --results {arguments.results}')
        return 130
    console.print(table(outcomes), coverage(outcomes))
    for outcome in outcomes:
        if not outcome.success:
            console.print(f'triplet {outcome.triplet}, seed {outcome.seed}: {outcome.failure}')
    if arguments.plot:
        plot([o.places for o in outcomes if o.success], arguments.plot)
    return 0


if __name__ == '__main__':
    sys.exit(main())
