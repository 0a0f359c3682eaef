"""How fast is the cell, and how much of the time is physics?

    python -m chef_cell.bench.speed [--teachers DIR]

Times are CPU times of one process, so that other work on the machine does not count. Blocks of
the cell alternate with blocks of bare `mj_step` on the same model, from the same state and with
the same commands. The vectorised environment alone is timed by the clock on the wall.

The cell's joint loop turns five times a control step, so Python and physics take turns as often,
and each finds its caches filled by the other. The benchmark's own joint period, one turn a control
step, is timed for comparison.
"""

import argparse
import dataclasses
import functools
import pathlib
import statistics
import sys
import time
from collections.abc import Callable

import mujoco
import numpy as np
from gymnasium.vector import AsyncVectorEnv
from rich.console import Console
from rich.progress import track
from rich.table import Table

from chef_cell.core.observe import IMAGE_PREFIX, IMAGE_SHAPE
from chef_cell.sim.basket import CAMERAS
from chef_cell.sim.benchmark_observation import BenchmarkObserver
from chef_cell.sim.environment import STATE, StackingEnv
from chef_cell.sim.released_policy import ReleasedPolicy
from chef_cell.sim.scene import DEFAULTS, SimSettings
from chef_trainer.spec import ObservationSpec

BLOCK = 40  # control steps
PROCESSES = 2  # of the vectorised environment
BENCHMARK_RATE = dataclasses.replace(DEFAULTS, joint_period=DEFAULTS.control_period)
IMAGES = tuple(
    ObservationSpec(f'{IMAGE_PREFIX}{name}', IMAGE_SHAPE, '1', 'uint8') for name in CAMERAS
)

#: Given the released policies' observation, the action (5,).
Actor = Callable[[np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Speed:
    """Time per control step of one kind of environment, s, median over blocks."""

    name: str
    cell: float
    physics: float | None = None  # bare; None where it was not timed

    @property
    def steps_per_second(self) -> float:
        """Control steps per second."""
        return 1.0 / self.cell

    @property
    def share(self) -> float | None:
        """Share of the time that bare physics takes."""
        return None if self.physics is None else self.physics / self.cell


def measure(
    name: str,
    observations: tuple[ObservationSpec, ...],
    actor: Actor,
    blocks: int,
    settings: SimSettings = DEFAULTS,
) -> Speed:
    """Time `blocks` blocks of the cell and of bare physics, in turn, by CPU time."""
    environment = _environment(observations, settings)
    watcher = BenchmarkObserver(environment.cell, environment.kinematics)  # for the actor alone
    bare = mujoco.MjData(environment.cell.model)
    cell_times, physics_times = [], []
    for block in track(range(blocks), name, transient=True):
        if block % 10 == 0:  # as many blocks as an episode has
            environment.reset(seed=block)
            environment.step(np.zeros(5))  # opens the renderer, fills caches
            watcher.reset()
        mujoco.mj_copyData(bare, environment.cell.model, environment.cell.data)
        spent, commands = 0.0, []
        for _ in range(BLOCK):
            action = actor(watcher.observe())
            begin = time.process_time()
            environment.step(action)
            spent += time.process_time() - begin
            commands.append(environment.cell.data.ctrl.copy())
        cell_times.append(spent / BLOCK)
        physics_times.append(_bare(environment.cell.model, bare, commands) / BLOCK)
    environment.close()
    return Speed(name, statistics.median(cell_times), statistics.median(physics_times))


def measure_vectorised(name: str, blocks: int) -> Speed:
    """Time `blocks` blocks of `PROCESSES` environments at once, by the clock on the wall."""
    environments = AsyncVectorEnv(
        [functools.partial(_environment, STATE)] * PROCESSES, context='spawn'
    )
    rng, times = np.random.default_rng(0), []
    environments.reset(seed=0)
    for _ in track(range(blocks), name, transient=True):
        actions = rng.uniform(-1.0, 1.0, (PROCESSES, 5)).astype(np.float32)
        begin = time.perf_counter()
        for _ in range(BLOCK):
            environments.step(actions)
        times.append((time.perf_counter() - begin) / (BLOCK * PROCESSES))
    environments.close()
    return Speed(name, statistics.median(times))


def _environment(
    observations: tuple[ObservationSpec, ...], settings: SimSettings = DEFAULTS
) -> StackingEnv:
    return StackingEnv('1', observations, force_limit=None, max_steps=10**9, settings=settings)


def _bare(model: mujoco.MjModel, data: mujoco.MjData, commands: list[np.ndarray]) -> float:
    """Return the CPU time (s) of nothing but physics steps."""
    substeps = round(DEFAULTS.control_period / DEFAULTS.physics_period)
    begin = time.process_time()
    for command in commands:
        data.ctrl[:] = command
        mujoco.mj_step(model, data, substeps)
    return time.process_time() - begin


def tabulate(speeds: list[Speed]) -> Table:
    """Return the table of speeds."""
    table = Table(title='Control steps of the simulated cell')
    table.add_column('cell')
    for heading in ('control steps/s', 'times real time', 'bare mj_step, steps/s', 'of bare'):
        table.add_column(heading, justify='right')
    for speed in speeds:
        table.add_row(
            speed.name,
            f'{speed.steps_per_second:.0f}',
            f'{speed.steps_per_second * DEFAULTS.control_period:.1f}',
            '' if speed.physics is None else f'{1.0 / speed.physics:.0f}',
            '' if speed.share is None else f'{100 * speed.share:.0f} %',
        )
    return table


def _wanderer() -> Actor:
    """Return an actor that wanders through the basket and works the gripper."""
    rng = np.random.default_rng(0)
    held: dict[str, np.ndarray] = {}
    count = 0

    def act(observation: np.ndarray) -> np.ndarray:
        nonlocal count
        if count % 10 == 0:
            held['action'] = rng.uniform(-1.0, 1.0, 5) - [0.0, 0.0, 0.2, 0.0, 0.0]
        count += 1
        return held['action']

    return act


def _policy(path: pathlib.Path) -> Actor:
    policy, rng = ReleasedPolicy(path), np.random.default_rng(0)
    return lambda observation: policy.sample(observation, rng)


def main() -> int:
    """Run the bench; returns the exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument(
        '--teachers',
        type=pathlib.Path,
        help='folder with triplet1.npz: stack with the released policy (more contacts); '
        'without it, wander',
    )
    parser.add_argument('--blocks', type=int, default=40, help=f'of {BLOCK} control steps')
    arguments = parser.parse_args()
    actor = _policy(arguments.teachers / 'triplet1.npz') if arguments.teachers else _wanderer()
    try:
        fewer = max(arguments.blocks // 4, 1)
        speeds = [
            measure('state only, joint loop at 100 Hz', STATE, actor, arguments.blocks),
            measure('state only, at 20 Hz', STATE, actor, arguments.blocks, BENCHMARK_RATE),
            measure('with three cameras', (*STATE, *IMAGES), actor, fewer),
            measure_vectorised(f'state only, {PROCESSES} processes, wall clock', fewer),
        ]
    except KeyboardInterrupt:
        return 130
    Console(width=None if sys.stdout.isatty() else 120).print(tabulate(speeds))
    return 0


if __name__ == '__main__':
    sys.exit(main())
