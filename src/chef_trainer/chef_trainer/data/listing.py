"""chef-data ls: one line per episode."""

import argparse
import json
from pathlib import Path
from typing import Any

import numpy as np
from rich.box import SIMPLE_HEAD
from rich.table import Table

from chef_trainer.data.selection import OUTPUT, Subparsers, add_json, add_paths, episodes
from chef_trainer.episodes.steps import Steps

#: Heading -> key of `summary`.
COLUMNS = {
    'episode': 'episode', 'tri': 'triplet', 'policy': 'policy', 'steps': 'steps',
    'outcome': 'outcome', 'success': 'success', 'return': 'stack_leave', 'N': 'peak_force',
    'cams': 'cameras', 'MB': 'megabytes', 'marks': 'marks',
}  # fmt: skip


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser('ls', help='list episodes', description='List episodes.')
    add_paths(command)
    add_json(command, 'one JSON object per line')
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """List the episodes."""
    rows = [summary(path, steps) for path, steps in episodes(arguments, 'reading')]
    if arguments.json:
        for row in rows:
            OUTPUT.out(json.dumps(row))
        return 0
    table = Table(*COLUMNS, title=f'{len(rows)} episodes', box=SIMPLE_HEAD, padding=0)
    table.columns[0].no_wrap = True
    for row in rows:
        table.add_row(*(_cell(row[key]) for key in COLUMNS.values()))
    OUTPUT.print(table)
    return 0


def summary(path: Path, steps: Steps) -> dict[str, Any]:
    """Return what `ls` says about an episode."""
    metadata = steps.metadata
    rewards = steps.table['rewards'][1:, -1]
    named = {key: metadata.get(key) for key in ('triplet', 'policy', 'outcome', 'success')}
    return {
        'path': str(path),
        'episode': metadata.get('episode_id'),
        **named,
        'steps': len(steps),
        'stack_leave': round(float(np.nansum(rewards)), 3),  # the return of the whole task
        'peak_force': round(float(metadata.get('peak_force') or 0.0), 1),  # N
        'cameras': [camera.name for camera in steps.cameras],
        'megabytes': round(path.stat().st_size / 1e6, 1),
        'recorded': metadata.get('recorded'),
        'marks': list(metadata.get('marks') or ()),
    }


def _cell(value: Any) -> str:
    if isinstance(value, list):
        return str(len(value)) if value else ''
    if isinstance(value, bool):
        return 'yes' if value else 'no'
    return '' if value is None else str(value)
