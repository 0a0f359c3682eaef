"""How many samples a second does an update on camera images take in?

    python -m chef_trainer.bench.pixels [--batch 64] [--torsos small large] [--device cuda]

CRR on three cameras of 128x128 with proprioception and wrist forces, the whole update: encoder,
critic, policy, optimiser. Each torso in float32 and with its convolutions in bfloat16; blocks of
all alternate, the best of each counts, by the clock on the wall and by processor time.
"""

import argparse
import time
from collections.abc import Callable

import torch
from rich.console import Console
from rich.progress import track
from rich.table import Table

from chef_trainer.learner.batch import Transitions
from chef_trainer.learner.learner import Learner
from chef_trainer.methods.table import METHODS
from chef_trainer.networks.agent import NetworkSettings
from chef_trainer.networks.encoder import SIZES, VisionSettings
from chef_trainer.spec import ObservationSpec

CAMERAS = 3
OBSERVATIONS = (
    ObservationSpec('proprioception', (18,), '1'),
    ObservationSpec('wrench', (6,), 'N, N m'),
    *(ObservationSpec(f'image/{n}', (128, 128, 3), '1', 'uint8') for n in range(CAMERAS)),
)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--batch', type=int, default=64, help='samples (%(default)s)')
    parser.add_argument('--torsos', nargs='+', default=list(SIZES), choices=SIZES)
    parser.add_argument('--device', default='cpu', help='cpu or cuda (%(default)s)')
    parser.add_argument('--blocks', type=int, default=3, help='per contender (%(default)s)')
    parser.add_argument('--updates', type=int, default=1, help='per block (%(default)s)')
    parser.add_argument('--threads', type=int, default=2, help='of torch (%(default)s)')
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    batch = samples(arguments.batch).to(torch.device(arguments.device))
    updates = {
        (torso, bfloat16): update(torso, bfloat16, batch, arguments.device)
        for torso in arguments.torsos
        for bfloat16 in (False, True)
    }
    best = dict.fromkeys(updates, (0.0, 0.0))
    for one in updates.values():
        one()  # allocate
    for _ in track(range(arguments.blocks), 'blocks'):
        for name, one in updates.items():
            begin = time.perf_counter(), time.process_time()
            for _ in range(arguments.updates):
                one()
            spent = time.perf_counter() - begin[0], time.process_time() - begin[1]
            count = arguments.batch * arguments.updates
            best[name] = max(best[name][0], count / spent[0]), max(best[name][1], count / spent[1])
    table = Table('torso', 'convolutions', 'samples/s', 'images/s', 'samples/CPU-s')
    for (torso, bfloat16), (wall, processor) in best.items():
        form = 'bfloat16' if bfloat16 else 'float32'
        table.add_row(torso, form, f'{wall:.1f}', f'{CAMERAS * wall:.1f}', f'{processor:.1f}')
    Console().print(table)


def samples(count: int) -> Transitions:
    """Random transitions: what is learned does not matter."""
    random = torch.Generator().manual_seed(0)

    def observation() -> dict[str, torch.Tensor]:
        return {
            one.name: torch.randint(256, (count, *one.shape), generator=random, dtype=torch.uint8)
            if one.dtype == 'uint8'
            else torch.randn(count, *one.shape, generator=random)
            for one in OBSERVATIONS
        }

    action = torch.rand(count, 5, generator=random) * 2 - 1
    action[:, 4] = action[:, 4].sign()
    reward = torch.rand(1, count, generator=random)
    return Transitions(observation(), action, reward, torch.full((count,), 0.95), observation())


def update(torso: str, bfloat16: bool, batch: Transitions, device: str) -> Callable[[], object]:
    """Return one update of CRR on `batch`, finished when it returns."""
    settings = NetworkSettings(OBSERVATIONS, vision=VisionSettings(torso, bfloat16))
    learner = Learner(METHODS['crr'], settings, 10**6, device=device)

    def one() -> None:
        learner.update(batch)
        learner.check()

    return one


if __name__ == '__main__':
    main()
