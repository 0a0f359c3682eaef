"""chef-data split: divide a set, the same way whenever it has grown."""

import argparse
import hashlib
from collections import Counter

from chef_trainer.data.selection import ERRORS, Subparsers, add_paths, episodes
from chef_trainer.data.transfer import add_how, place


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'split',
        help='divide a set into parts',
        description='Each episode goes to one part, chosen by its id: it stays there when the '
        'set has grown and is split again. Sources are not changed.',
    )
    add_paths(command)
    add_how(command)
    command.add_argument(
        '--parts',
        default='train=0.9,test=0.1',
        metavar='NAME=SHARE,...',
        help='names and shares, which sum to 1 (%(default)s)',
    )
    command.add_argument('--seed', default='0', help='another division (%(default)s)')
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Split the set."""
    parts = parse_parts(arguments.parts)
    counts: Counter[str] = Counter()
    for path, steps in episodes(arguments, 'splitting'):
        part = part_of(str(steps.metadata.get('episode_id', path.name)), parts, arguments.seed)
        place(path, arguments.into / part, arguments.copy)
        counts[part] += 1
    for part in parts:
        ERRORS.print(f'{arguments.into / part}: {counts[part]} episodes', markup=False)
    return 0


def parse_parts(text: str) -> dict[str, float]:
    """Return name -> share; raises ValueError unless the shares are positive and sum to 1."""
    try:
        pairs = dict(item.split('=') for item in text.split(','))
        parts = {name: float(share) for name, share in pairs.items()}
    except ValueError as error:
        raise ValueError(f'--parts {text!r}, expected NAME=SHARE,...') from error
    if abs(sum(parts.values()) - 1.0) > 1e-9 or min(parts.values()) <= 0.0:
        raise ValueError(f'--parts {text!r}: shares must be positive and sum to 1')
    return parts


def part_of(episode_id: str, parts: dict[str, float], seed: str) -> str:
    """Return the part of an episode: a fixed function of its id and the seed."""
    digest = hashlib.sha256(f'{seed}/{episode_id}'.encode()).digest()
    point, edge = int.from_bytes(digest[:8], 'big') / 2**64, 0.0
    for name, share in parts.items():
        edge += share
        if point < edge:
            return name
    return name
