"""How well does the tracker see, with perfect images and with disturbed ones?

    python -m chef_cell.bench.tracking [--triplets 1,2] [--episodes N] [--size PIXELS]

The shipped policy stacks in the simulated cell, so that the arm is in the way as it is in a real
one; instants are shown, disturbed in different ways, to trackers that follow the whole episode.
Errors are those of valid poses against the true ones; orientations are compared as far as the
shape lets one see them. A pose is false when it is valid and more than 15 mm off. Times are CPU
times of one thread, three images an instant.
"""

import argparse
import dataclasses
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from chef_cell.bench.tracking_disturbances import DISTURBANCES, Disturbance, misjudged
from chef_cell.bench.tracking_picture import draw
from chef_cell.core.readings import COLOURS, ObjectReading
from chef_cell.core.wrench import rotation
from chef_cell.drivers.onnx_runner import OnnxRunner
from chef_cell.sim import objects
from chef_cell.sim.basket import CAMERAS
from chef_cell.sim.calibration import calibrations
from chef_cell.sim.environment import MAX_STEPS, StackingEnv
from chef_cell.tracking.refinement import RefinementSettings
from chef_cell.tracking.segmentation import ColourSettings
from chef_cell.tracking.track import JudgementSettings
from chef_cell.tracking.tracker import CameraTracker

FALSE = 0.015  # m, error beyond which a valid pose is false
_SEED = 40_000  # scenes that neither training nor evaluation has seen
_PERIOD = 0.05  # s, an instant
_PICTURED = 100  # instant


@dataclasses.dataclass(frozen=True)
class Samples:
    """What one tracker said of three objects, instant by instant."""

    valid: np.ndarray  # (n, 3), bool
    error: np.ndarray  # (n, 3), m
    angle: np.ndarray  # (n, 3), rad
    seconds: np.ndarray  # (n,), CPU time of an update

    @classmethod
    def joined(cls, parts: list['Samples']) -> 'Samples':
        """Return all samples in one."""
        return cls(
            *(
                np.concatenate([getattr(part, field.name) for part in parts])
                for field in dataclasses.fields(cls)
            )
        )


class Trial:
    """A tracker that is shown images with one disturbance through one episode."""

    def __init__(self, disturbance: Disturbance, triplet: str, size: int, seed: int) -> None:
        ids = objects.resolve_triplet(triplet)
        self._shapes = dict(zip(COLOURS, map(objects.shape, ids), strict=True))
        for shape in self._shapes.values():
            shape.prepare()
        self._tracker = CameraTracker(
            self._shapes, ColourSettings(), RefinementSettings(), JudgementSettings()
        )
        self._disturbance = disturbance
        self._rng = np.random.default_rng(seed)
        self._calibrations = calibrations(size, size)
        if disturbance.miscalibrated:
            self._calibrations = misjudged(self._calibrations, self._rng)
        self._rows: list[tuple[list[bool], list[float], list[float], float]] = []

    def show(self, instant: int, images: dict[str, np.ndarray], truth: ObjectReading) -> None:
        """Disturb the images, track, and note how far from the truth that is."""
        shown = self._disturbance.apply(images, instant, self._rng)
        begin = time.process_time()
        reading = self._tracker.update(instant * _PERIOD, shown, self._calibrations)
        seconds = time.process_time() - begin
        errors, angles = [], []
        for colour in COLOURS:
            pose, true = reading.poses[colour], truth.poses[colour]
            errors.append(float(np.linalg.norm(pose[:3] - true[:3])))
            angles.append(self._shapes[colour].angle(rotation(pose[3:]), rotation(true[3:])))
        self._rows.append(([reading.valid[c] for c in COLOURS], errors, angles, seconds))
        self._shown = shown

    def draw(self, path: Path) -> None:
        """Write a picture of the last instant."""
        draw(path, self._shown, self._calibrations, self._shapes, self._tracker.read())

    def samples(self) -> Samples:
        """Return what was noted."""
        return Samples(*(np.array(column) for column in zip(*self._rows, strict=True)))


def episodes(
    triplet: str, count: int, size: int, every: int, policy: Path
) -> Iterator[tuple[int, int, dict[str, np.ndarray], ObjectReading]]:
    """Yield episode, instant, images and truth while the policy stacks, every so often."""
    runner = OnnxRunner(policy)
    environment = StackingEnv(triplet, runner.spec.observations, force_limit=None)
    for episode in range(count):
        observation, _ = environment.reset(seed=_SEED + episode)
        for instant in range(MAX_STEPS):
            if instant % every == 0:
                images = {name: environment.cell.render(name, size, size) for name in CAMERAS}
                yield episode, instant, images, environment.cell.tracker.read()
            observation = environment.step(runner.act(observation))[0]
    environment.close()


def measure(
    triplet: str, disturbances: tuple[Disturbance, ...], arguments: argparse.Namespace
) -> dict[str, Samples]:
    """Return the samples of all episodes of a triplet, by disturbance."""
    parts: dict[str, list[Trial]] = {d.name: [] for d in disturbances}
    size, every = arguments.size, arguments.every
    with Progress(transient=True) as progress:
        task = progress.add_task(f'triplet {triplet}', total=arguments.episodes * MAX_STEPS)
        for episode, instant, images, truth in episodes(
            triplet, arguments.episodes, size, every, arguments.policy
        ):
            for disturbance in disturbances:
                trials = parts[disturbance.name]
                if instant == 0:
                    trials.append(Trial(disturbance, triplet, size, episode))
                trials[-1].show(instant, images, truth)
            if arguments.picture and (episode, instant) == (0, _PICTURED):
                trials[-1].draw(arguments.picture)
            progress.advance(task, every)
    return {
        name: Samples.joined([trial.samples() for trial in trials])
        for name, trials in parts.items()
    }


def tabulate(found: dict[str, dict[str, Samples]], size: int) -> Table:
    """Return the table: disturbance by disturbance, triplet by triplet, and all triplets."""
    table = Table(title=f'Object tracker, three images of {size} x {size} pixels')
    for heading in ('disturbance', 'triplet'):
        table.add_column(heading)
    for heading in (
        'poses', 'valid %', 'mm p50', 'p95', 'max', 'degrees p50', 'p95', 'false %', 'ms p50',
        'p95',
    ):  # fmt: skip
        table.add_column(heading, justify='right')
    for name in next(iter(found.values())):
        rows = {triplet: samples[name] for triplet, samples in found.items()}
        if len(rows) > 1:
            rows['all'] = Samples.joined(list(rows.values()))
        for triplet, samples in rows.items():
            table.add_row(name, triplet, *_cells(samples))
        table.add_section()
    return table


def _cells(samples: Samples) -> list[str]:
    valid, times = samples.valid, 1e3 * np.percentile(samples.seconds, (50, 95))
    error, angle = samples.error[valid], np.degrees(samples.angle[valid])
    if not len(error):
        error = angle = np.array([np.nan])
    return [
        str(valid.size),
        f'{100 * valid.mean():.1f}',
        *(f'{1e3 * value:.2f}' for value in np.percentile(error, (50, 95, 100))),
        *(f'{value:.1f}' for value in np.percentile(angle, (50, 95))),
        f'{100 * (error > FALSE).mean():.3f}',
        *(f'{value:.0f}' for value in times),
    ]


def _kept(folder: Path | None, triplet: str, arguments: argparse.Namespace) -> Path | None:
    if folder is None:
        return None
    return folder / f'{triplet}_{arguments.size}_{arguments.episodes}_{arguments.every}.npz'


def _load(path: Path) -> dict[str, Samples]:
    """Return samples that were saved, by disturbance."""
    with np.load(path) as arrays:
        names = dict.fromkeys(key.partition('/')[0] for key in arrays)
        fields = [field.name for field in dataclasses.fields(Samples)]
        return {n: Samples(*(arrays[f'{n}/{field}'] for field in fields)) for n in names}


def _save(path: Path, samples: dict[str, Samples]) -> None:
    arrays = {f'{n}/{k}': v for n, s in samples.items() for k, v in dataclasses.asdict(s).items()}
    new = path.with_suffix('.new.npz')
    np.savez(new, **arrays)
    new.replace(path)


def _arguments() -> argparse.Namespace:
    names = [disturbance.name for disturbance in DISTURBANCES]
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--triplets', default='1,2,3,4,5', help='Default: %(default)s')
    parser.add_argument('--episodes', type=int, default=2, help='a triplet, of 20 s. Default: 2')
    parser.add_argument(
        '--every', type=int, default=2, help='show each n-th instant of 50 ms only. Default: 2'
    )
    parser.add_argument('--size', type=int, default=480, help='pixels, square. Default: 480')
    parser.add_argument('--policy', type=Path, default=Path('models/stack_state.onnx'))
    parser.add_argument(
        '--only', choices=names, action='append', help='disturbance; may be given again'
    )
    parser.add_argument(
        '--keep', type=Path, metavar='DIR', help='keep what was measured there, and go on from it'
    )
    parser.add_argument(
        '--picture', type=Path, metavar='FILE', help='draw what the last tracker saw after 5 s'
    )
    arguments = parser.parse_args()
    if arguments.keep and arguments.only:
        parser.error('--keep keeps all disturbances: leave out --only')
    return arguments


def main() -> int:
    """Run the bench; returns the exit code."""
    arguments = _arguments()
    chosen = tuple(d for d in DISTURBANCES if d.name in (arguments.only or [d.name]))
    cv2.setNumThreads(1)
    found = {}
    try:
        for triplet in arguments.triplets.split(','):
            path = _kept(arguments.keep, triplet, arguments)
            if path and path.exists():
                found[triplet] = _load(path)
                continue
            found[triplet] = measure(triplet, chosen, arguments)
            if path:
                path.parent.mkdir(parents=True, exist_ok=True)
                _save(path, found[triplet])
    except KeyboardInterrupt:
        return 130
    Console(width=None if sys.stdout.isatty() else 120).print(tabulate(found, arguments.size))
    return 0


if __name__ == '__main__':
    sys.exit(main())
