"""How many updates a second, beside the libraries that others train with?

    python -m chef_trainer.bench.learning [--methods iql crr] [--blocks 10] [--forms ...]

State networks of two hidden layers of 256, batch 256, 60 numbers in, 5 actions out, the batch
drawn and made into tensors as in training. Blocks of all contenders alternate; the best block of
each counts, by the clock on the wall and by processor time. Peers that are not installed are
listed as absent. `products` is the limit: the matrix products of an update alone, as torch
multiplies them, and nothing else of it.

What differs: our networks have a layer norm behind the first layer, and our CRR here has a scalar
critic and one step, as d3rlpy's. All compute in float32 but for the form `bfloat16`, whose hidden
layers multiply bfloat16 numbers (`precision: medium`).
"""

import argparse
import functools
import itertools
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table
from torch.utils._python_dispatch import TorchDispatchMode

from chef_trainer.bench import learning_peers as peers
from chef_trainer.learner.learner import Learner
from chef_trainer.learner.settings import TrainSettings
from chef_trainer.learner.sources import Sources
from chef_trainer.methods.schedule import NEVER
from chef_trainer.methods.table import METHODS
from chef_trainer.rollouts.episode import Episode
from chef_trainer.rollouts.memory import Memory
from chef_trainer.spec import ObservationSpec

OBSERVATION, ACTION, BATCH = 60, 5, 256
EPISODES, STEPS = 25, 400
HIDDEN = (256, 256)
#: How our update runs -> arguments of the learner.
FORMS = {
    'eager': {},
    'compiled': {'compiled': True},
    'compiled, bfloat16': {'compiled': True, 'bfloat16': True},
}

Update = Callable[[], object]
Factors = tuple[torch.Tensor, torch.Tensor]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--methods', nargs='+', default=list(peers.METHODS), choices=peers.METHODS)
    parser.add_argument('--blocks', type=int, default=10, help='per contender (%(default)s)')
    parser.add_argument('--updates', type=int, default=40, help='per block (%(default)s)')
    parser.add_argument('--threads', type=int, default=1, help='of torch (%(default)s)')
    parser.add_argument(
        '--forms', nargs='+', default=list(FORMS), choices=FORMS, help='of ours (all)'
    )
    parser.add_argument('--json', type=Path, help='file to write the numbers to')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch._dynamo.config.recompile_limit = 64  # all learners share the code of their update
    data = episodes()
    contenders: dict[str, Update] = {}
    for method in arguments.methods:
        for form in arguments.forms:
            contenders[f'{method} here, {form}'] = ours(method, data, **FORMS[form])
        for bfloat16 in sorted({bool(FORMS[form].get('bfloat16')) for form in arguments.forms}):
            name = f'{method} products, {"bfloat16" if bfloat16 else "float32"}'
            update = ours(method, data, bfloat16=bfloat16)
            # TD3 moves its policy in every other update.
            noted = itertools.cycle([factors(update), factors(update)])
            contenders[name] = functools.partial(multiply, noted)
        for name, make in peers.PEERS.items():
            peer = make(method, data, HIDDEN, BATCH)
            if peer is not None:
                contenders[f'{method} {name}'] = peer
    found = measure(contenders, arguments.blocks, arguments.updates)
    Console().print(table(found))
    if arguments.json:
        arguments.json.write_text(json.dumps(found, indent=1))


def episodes() -> list[Episode]:
    """Random episodes: what is learned does not matter."""
    random = np.random.default_rng(0)
    return [
        Episode(
            {'x': random.normal(size=(STEPS + 1, OBSERVATION)).astype(np.float32)},
            np.sign(random.normal(size=(STEPS, ACTION))).astype(np.float32) * 0.5,
            random.uniform(size=(STEPS, 1)).astype(np.float32),
            ('task',),
            True,
            True,
        )
        for _ in range(EPISODES)
    ]


def ours(
    method: str, data: list[Episode], compiled: bool = False, bfloat16: bool = False
) -> Update:
    """Return one update of our learner, with its batch."""
    row = METHODS[method]
    change: dict[str, object] = {'batch': BATCH, 'online_share': NEVER}
    if row.atoms:
        change |= {'atoms': 0, 'n_step': 1}
    settings = TrainSettings(
        name=method,
        method=method,
        data=('memory',),
        updates=10**6,
        observations=(ObservationSpec('x', (OBSERVATION,), '1'),),
        change=change,
        networks={'hidden': HIDDEN, 'critic_hidden': HIDDEN, 'discrete': False},
    )
    learner = Learner(
        settings.row, settings.network_settings, 10**6, compiled=compiled, bfloat16=bfloat16
    )
    sources = Sources(settings.row, {'dataset': (Memory(data), [0])})
    return lambda: learner.update(sources.draw(learner.step))


class _Noted(TorchDispatchMode):
    """Remembers the factors of every matrix product."""

    def __init__(self) -> None:
        super().__init__()
        self.factors: list[Factors] = []

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        if func in (torch.ops.aten.mm.default, torch.ops.aten.bmm.default):
            self.factors.append((args[0].detach(), args[1].detach()))
        return func(*args, **(kwargs or {}))


def factors(update: Update) -> list[Factors]:
    """Return the factors of all matrix products that an eager update makes."""
    with _Noted() as noted:
        update()
    return noted.factors


def multiply(noted: Iterator[list[Factors]]) -> list[torch.Tensor]:
    """Return the products of the next update."""
    return [a @ b for a, b in next(noted)]


def measure(
    contenders: dict[str, Update], blocks: int, updates: int
) -> dict[str, dict[str, float]]:
    """Return updates per second of wall and of processor time, the best block of each."""
    for update in contenders.values():  # compile, allocate
        for _ in range(3):
            update()
    best = {name: {'wall': 0.0, 'processor': 0.0} for name in contenders}
    for _ in track(range(blocks), 'blocks'):
        for name, update in contenders.items():
            wall, processor = time.perf_counter(), time.process_time()
            for _ in range(updates):
                update()
            spent = {
                'wall': time.perf_counter() - wall,
                'processor': time.process_time() - processor,
            }
            for clock, seconds in spent.items():
                best[name][clock] = max(best[name][clock], updates / seconds)
    return best


def table(found: dict[str, dict[str, float]]) -> Table:
    """Return the result, and how many times as fast as each peer our fastest float32 form is."""
    result = Table('method', 'updates/s', 'updates/CPU-s', 'times as fast')
    for name, clocks in found.items():
        method, _, who = name.partition(' ')
        best = found.get(f'{method} here, compiled') or found.get(f'{method} here, eager')
        peer = who in peers.PEERS
        times = f'{best["processor"] / clocks["processor"]:.1f}' if peer and best else ''
        result.add_row(name, f'{clocks["wall"]:.0f}', f'{clocks["processor"]:.0f}', times)
    return result


if __name__ == '__main__':
    main()
