"""chef-data check: what is wrong with which episode, and why."""

import argparse
import dataclasses
import json

from rich.progress import Progress

from chef_trainer.data.selection import (
    ERRORS,
    OUTPUT,
    Subparsers,
    add_json,
    add_paths,
    files,
)
from chef_trainer.episodes.validation import Finding, check_set, check_unfinished


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'check',
        help='say what is wrong with which episode, and why',
        description='Read every byte of every episode. One line per finding: file, field, what '
        'is wrong, what to do. Exit code 1 when an episode cannot be used.',
    )
    add_paths(command, select=False)
    add_json(command, 'one JSON object per line')
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Check the episodes."""
    paths, unusable, findings = files(arguments), set(), 0
    with Progress(console=ERRORS, transient=True) as progress:
        task = progress.add_task('checking', total=len(paths))
        for finding in check_set(paths, lambda done, _: progress.update(task, completed=done)):
            _show(finding, arguments.json)
            findings += 1
            if finding.error:
                unusable.add(finding.path)
    for folder in (path for path in arguments.paths if path.is_dir()):
        for finding in check_unfinished(folder):
            _show(finding, arguments.json)
            findings += 1
    words = f'{len(paths)} episodes, {len(unusable)} of them unusable, {findings} findings'
    ERRORS.print(words)
    return 1 if unusable else 0


def _show(finding: Finding, as_json: bool) -> None:
    if as_json:
        fields = {**dataclasses.asdict(finding), 'path': str(finding.path)}
        OUTPUT.out(json.dumps(fields))
    else:
        OUTPUT.out(f'{"error" if finding.error else "warning"}: {finding}')
