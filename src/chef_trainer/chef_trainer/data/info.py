"""chef-data info: all that is known about one episode."""

import argparse
import json
from pathlib import Path
from typing import Any

from rich.table import Table

from chef_trainer.data.listing import summary
from chef_trainer.data.selection import OUTPUT, Subparsers, add_json
from chef_trainer.episodes import EpisodeReader
from chef_trainer.episodes.step_index import index_file, load_steps
from chef_trainer.task.observe import IMAGE_PREFIX


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'info',
        help='show one episode in full',
        description="Show an episode's metadata, topics, cameras and bytes per step.",
    )
    command.add_argument('episode', type=Path, metavar='EPISODE')
    add_json(command, 'all as one JSON object')
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Show the episode."""
    about = describe(arguments.episode)
    if arguments.json:
        OUTPUT.out(json.dumps(about))
        return 0
    for title, key in (('summary', 'summary'), ('metadata', 'metadata')):
        table = Table(title=title, show_header=False, title_justify='left')
        for name, value in sorted(about[key].items()):
            table.add_row(name, value if isinstance(value, str) else json.dumps(value))
        OUTPUT.print(table)
    table = Table('topic', 'type', 'messages', 'Hz', 'bytes/step', title_justify='left')
    for name, topic in about['topics'].items():
        numbers = (f'{topic["rate_hz"]:.1f}', f'{topic["bytes_per_step"]:.0f}')
        table.add_row(name, topic['type'], str(topic['messages']), *numbers)
    OUTPUT.print(table)
    return 0


def describe(path: Path) -> dict[str, Any]:
    """Return everything about one episode as JSON takes it."""
    reader, steps = EpisodeReader(path), load_steps(path)
    topics: dict[str, Any] = {}
    for name, topic in reader.topics.items():
        index = reader.index(name)
        spread = (int(index.log_time[-1] - index.log_time[0]) * 1e-9) if len(index.size) else 0.0
        topics[name] = {
            'type': topic.type_name,
            'messages': len(index.size),
            'rate_hz': (len(index.size) - 1) / spread if spread else 0.0,
            'bytes_per_step': float(index.size.sum()) / len(steps),
        }
    size, index_at = reader.path.stat().st_size, index_file(reader.path)
    return {
        'summary': {
            **summary(reader.path, steps),
            'bytes_per_step': round(size / len(steps)),
            'index_bytes_per_step': round(steps.table.dtype.itemsize),
            'index': str(index_at) if index_at.exists() else 'not kept: the folder is read-only',
            'images': {
                camera.name: {
                    'encoding': camera.encoding,
                    'shape': list(camera.shape),
                    'bytes': float(steps.table[IMAGE_PREFIX + camera.name][:, 1].mean()),
                }
                for camera in steps.cameras
            },
        },
        'metadata': dict(steps.metadata),
        'topics': topics,
    }
