"""chef-data stats: what a set holds, in numbers."""

import argparse
import json
from collections import defaultdict
from typing import Any

import numpy as np
from rich.table import Table

from chef_trainer.data.selection import OUTPUT, Subparsers, add_json, add_paths, episodes
from chef_trainer.episodes.steps import PERIOD_NS, STATES, Steps
from chef_trainer.task.rewards import REWARD_NAMES

QUANTILES = (0.01, 0.5, 0.99)


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'stats',
        help='what a set holds, in numbers',
        description='Episodes and success by triplet and policy; mean, deviation, range and '
        'quantiles of every observation, of actions, rewards and forces.',
    )
    add_paths(command)
    add_json(command, 'all as one JSON object')
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the numbers."""
    numbers = statistics([steps for _, steps in episodes(arguments, 'reading')])
    if arguments.json:
        OUTPUT.out(json.dumps(numbers))
        return 0
    table = Table('triplet', 'policy', 'episodes', 'success', 'steps', 'hours', title='episodes')
    for group in numbers['groups']:
        share = f'{100 * group["success"] / group["episodes"]:.0f}%'
        hours = f'{group["steps"] * PERIOD_NS * 1e-9 / 3600:.2f}'
        counts = (str(group['episodes']), share, str(group['steps']), hours)
        table.add_row(group['triplet'], group['policy'], *counts)
    OUTPUT.print(table)
    heads = ('mean', 'std', 'min', *(f'q{100 * q:g}' for q in QUANTILES), 'max')
    table = Table('number', *heads, title='every step')
    table.columns[0].no_wrap = True
    for name, columns in numbers['columns'].items():
        for index, row in enumerate(zip(*(columns[head] for head in heads), strict=True)):
            table.add_row(f'{name}[{index}]', *(f'{value:.4g}' for value in row))
    OUTPUT.print(table)
    return 0


def statistics(sets: list[Steps]) -> dict[str, Any]:
    """Return the numbers of a list of episodes; steps with nan are left out of each column."""
    groups: dict[tuple[str, str], dict[str, int]] = defaultdict(
        lambda: {'episodes': 0, 'success': 0, 'steps': 0}
    )
    for steps in sets:
        key = str(steps.metadata.get('triplet')), str(steps.metadata.get('policy'))
        groups[key]['episodes'] += 1
        groups[key]['success'] += bool(steps.metadata.get('success'))
        groups[key]['steps'] += len(steps)
    names = [*(spec.name for spec in STATES), 'action', 'rewards', 'force']
    return {
        'groups': [
            {'triplet': triplet, 'policy': policy, **counts}
            for (triplet, policy), counts in sorted(groups.items())
        ],
        'reward_names': list(REWARD_NAMES),
        'columns': {name: column for name in names if (column := _column(name, sets))},
    }


def _column(name: str, sets: list[Steps]) -> dict[str, list[float]]:
    """Return statistic -> one number per component; empty when nothing was recorded."""
    # The last row of an episode has no action.
    rows = [steps.table[name][: len(steps) + (name != 'action')] for steps in sets]
    if not rows:
        return {}
    values = np.concatenate([part.reshape(len(part), -1) for part in rows]).astype(np.float64)
    values = values[np.isfinite(values).all(axis=1)]
    if not len(values):
        return {}
    quantiles = np.quantile(values, QUANTILES, axis=0)
    found = {'mean': values.mean(0), 'std': values.std(0), 'min': values.min(0)}
    found |= {f'q{100 * q:g}': row for q, row in zip(QUANTILES, quantiles, strict=True)}
    found['max'] = values.max(0)
    return {key: value.tolist() for key, value in found.items()}
