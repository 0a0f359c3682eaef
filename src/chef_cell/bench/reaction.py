"""How fast does the arm stop, and how regular is the joint loop?

    python -m chef_cell.bench.reaction [--trips 500] [--hangs 50] [--kills 5]

Real time, under full load: three cameras, recorder, policy, all nodes in processes of their own.
This process plays the session, and the moment in which something is touched: at a random time it
decides that the force is above the limit, and the next sample of the 100 Hz sensor says so. The
time until then is the sensor's share; the rest is that of wrist node, latch, controller and
network, up to the arrival of a joint command of zero velocity in this process.

For hangs (SIGSTOP) and deaths (kill -9) of nodes the time runs from the signal to that arrival. A
hung policy brings the arm to rest within its limits of acceleration; the others halt it.
"""

import argparse
import dataclasses
import random
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from chef_cell.bench.live import BenchError, LiveCell, live_cell
from chef_cell.cli.arguments import add_overrides, by_node
from chef_cell.cli.paths import default_policy
from chef_cell.core.readings import WrenchReading
from chef_cell.graph import CAMERAS
from chef_cell.nodes import messages
from chef_interfaces.msg import SafetyState

FORCE = 25.0  # N, above the limit of 20 N
TRIPS_PER_EPISODE = 50  # then the scene is made anew, so that the arm always has something to do
NODES = {'safety': 'safety', 'policy': 'policy', 'wrist': 'wrist', 'mujoco_bridge': 'bridge'}


@dataclasses.dataclass(frozen=True)
class Row:
    """One line of the table: times in ms, and the aim for their 99th percentile."""

    name: str
    times: Sequence[float]
    aim: float | None = None


def measure_trips(cell: LiveCell, trips: int, rng: random.Random) -> list[Row]:
    """Let the force rule stop the arm again and again."""
    waits, reactions = [], []
    for trip in track(range(trips), 'force', transient=True):
        if trip % TRIPS_PER_EPISODE == 0:
            cell.begin_episode()
        while (times := _trip(cell, rng)) is None:
            pass
        waits.append(times[0])
        reactions.append(times[1])
    total = np.add(waits, reactions)
    share = 100.0 * np.sum(waits) / np.sum(total)
    return [
        Row('force above 20 N to zero velocity', total.tolist(), 15.0),
        Row(f'  of which until the next sample ({share:.0f} %)', waits),
        Row('  of which from the sample on', reactions),
    ]


def _trip(cell: LiveCell, rng: random.Random) -> tuple[float, float] | None:
    """Return the times (ms) until the sample, and from it until zero velocity arrives.

    None if the arm was stopped by something else.
    """
    felt: list[float] = []

    def feel() -> None:
        stamp = cell.node.get_clock().now().to_msg()
        wrench = WrenchReading(0.0, np.array([0.0, 0.0, FORCE]), np.zeros(3))
        felt.append(time.monotonic())
        cell.wrenches.publish(messages.wrench_to_message(wrench, stamp, 'ft300_sensor'))

    cell.move_for(rng.uniform(0.05, 0.1))  # at any phase of any period
    touched = time.monotonic()
    cell.on_wrench = feel
    halted = cell.rest()
    cell.wait_for(lambda: felt and cell.verdict.level != SafetyState.OK, 'the verdict')
    if halted < felt[0] or abs(cell.verdict.value - FORCE) > 0.5:
        return None
    return 1e3 * (felt[0] - touched), 1e3 * (halted - felt[0])


def measure_hangs(cell: LiveCell, name: str, count: int, rng: random.Random) -> Row:
    """Hang a node again and again."""
    times = []
    for _ in track(range(count), f'{name} hangs', transient=True):
        cell.begin_episode()
        cell.move_for(rng.uniform(0.2, 0.3))
        frozen = cell.freeze(name)
        try:
            times.append(1e3 * (cell.rest() - frozen))
        finally:
            cell.thaw(name)
    return Row(f'{NODES[name]} hangs (SIGSTOP)', times, 150.0)


def measure_kills(cell: LiveCell, name: str, count: int, rng: random.Random) -> Row:
    """Kill a node again and again."""
    times = []
    for _ in track(range(count), f'{name} dies', transient=True):
        cell.begin_episode()
        cell.move_for(rng.uniform(0.2, 0.3))
        killed = cell.kill(name)
        times.append(1e3 * (cell.rest() - killed))
        cell.restart(name)
    return Row(f'{NODES[name]} dies (kill -9)', times, 150.0)


def measure_periods(cell: LiveCell, seconds: float, name: str, aim: float) -> Row:
    """Watch the joint loop for a while."""
    cell.spin_for(1.0)
    cell.errors.clear()
    cell.spin_for(seconds)
    return Row(name, list(cell.errors), aim)


def run(options: argparse.Namespace) -> list[Row]:
    """Measure everything that was asked for."""
    rng, rows, overrides = random.Random(0), [], by_node(options.overrides)
    with tempfile.TemporaryDirectory() as folder:
        with live_cell(Path(folder) / 'idle', (), overrides) as cell:
            cell.prepare(options.policy)
            name = 'period error, idle, no cameras'
            rows.append(measure_periods(cell, options.seconds, name, 2.0))
        with live_cell(Path(folder) / 'load', CAMERAS, overrides) as cell:
            cell.prepare(options.policy)
            cell.begin_episode()
            cell.recover()
            name = f'period error, running, {len(CAMERAS)} cameras'
            rows.append(measure_periods(cell, options.seconds, name, 5.0))
            if options.trips:
                rows += measure_trips(cell, options.trips, rng)
            if options.hangs:
                rows += [measure_hangs(cell, node, options.hangs, rng) for node in NODES]
            if options.kills:
                rows += [measure_kills(cell, node, options.kills, rng) for node in NODES]
    return rows


def tabulate(rows: list[Row]) -> Table:
    """Return the table of times."""
    table = Table(title='Reaction of the cell in real time, ms')
    table.add_column('what')
    for heading in ('n', 'p50', 'p99', 'max', 'aim for p99', ''):
        table.add_column(heading, justify='right')
    for row in rows:
        p50, p99 = np.percentile(row.times, (50, 99))
        aim = '' if row.aim is None else f'< {row.aim:g}'
        verdict = '' if row.aim is None else 'met' if p99 < row.aim else 'missed'
        times = (f'{value:.1f}' for value in (p50, p99, max(row.times)))
        table.add_row(row.name, str(len(row.times)), *times, aim, verdict)
    return table


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--trips', type=int, default=500, help='of the force rule')
    parser.add_argument('--hangs', type=int, default=50, help='per node')
    parser.add_argument(
        '--kills', type=int, default=5, help='per node; each takes some 10 s to start it anew'
    )
    parser.add_argument('--seconds', type=float, default=30.0, help='of each watch on the periods')
    add_overrides(parser, 'set a parameter of a node, in YAML')
    parser.add_argument('--policy', type=Path, default=default_policy(), help='policy file')
    return parser.parse_args()


def main() -> int:
    """Run the bench; returns the exit code."""
    options = _arguments()
    # A file has no width of its own; a narrow table would be hard to read.
    console = Console(width=None if sys.stdout.isatty() else 120)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        rows = run(options)
    except KeyboardInterrupt:
        return 130
    except BenchError as error:
        console.print(f'the cell does not do its part: {error}')
        return 1
    console.print(tabulate(rows))
    return 0


if __name__ == '__main__':
    sys.exit(main())
