"""Which episodes a verb is about, and whether it may go ahead: shared by all verbs."""

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import track

from chef_trainer.episodes import EpisodeFileError
from chef_trainer.episodes.discovery import find_episodes
from chef_trainer.episodes.step_index import load_steps
from chef_trainer.episodes.steps import Steps

Subparsers = argparse._SubParsersAction

#: Of what is for people; tables and JSON go to the standard output.
ERRORS = Console(stderr=True, highlight=False, soft_wrap=True)
OUTPUT = Console(highlight=False)


def add_paths(command: argparse.ArgumentParser, select: bool = True) -> None:
    """Add PATH and, where it makes sense, --select."""
    command.add_argument('paths', type=Path, nargs='+', metavar='PATH')
    if select:
        command.add_argument(
            '--select',
            action='append',
            default=[],
            metavar='KEY=VALUE',
            help='only episodes whose metadata say so, as triplet=3 or success=true; repeatable',
        )


def add_json(command: argparse.ArgumentParser, what: str) -> None:
    """Add --json."""
    command.add_argument('--json', action='store_true', help=f'{what}, for scripts')


def add_yes(command: argparse.ArgumentParser) -> None:
    """Add --yes."""
    command.add_argument('--yes', action='store_true', help='do not ask')


def confirmed(arguments: argparse.Namespace, question: str) -> bool:
    """Ask, unless --yes was given; without a terminal the answer is no."""
    if arguments.yes:
        return True
    if not ERRORS.is_terminal:
        ERRORS.print(f'{question} Not done: nobody to ask, give --yes')
        return False
    return ERRORS.input(f'{question} [y/N] ').strip().lower() in ('y', 'yes')


def files(arguments: argparse.Namespace) -> list[Path]:
    """Return all episode files at the paths; raises EpisodeFileError when there are none."""
    found = list(dict.fromkeys(find_episodes(arguments.paths)))
    if not found:
        first = arguments.paths[0]
        raise EpisodeFileError(first, 'path', 'no finished episode is here', 'name another folder')
    return found


def episodes(arguments: argparse.Namespace, about: str) -> Iterator[tuple[Path, Steps]]:
    """Yield the selected episodes with their steps, under a progress bar.

    One line tells of each file that is not usable; the rest goes on.
    """
    wanted = selector(getattr(arguments, 'select', ()))
    for path in bar(files(arguments), about):
        try:
            steps = load_steps(path)
        except EpisodeFileError as error:
            ERRORS.print(f'left out: {error}', style='yellow', markup=False)
            continue
        if wanted(steps.metadata):
            yield path, steps


def bar(items: Iterable[Any], about: str) -> Iterator[Any]:
    """Yield the items under a progress bar, which disappears at the end."""
    return iter(track(items, about, console=ERRORS, transient=True))


def selector(conditions: Iterable[str]) -> Callable[[Mapping[str, Any]], bool]:
    """Return whether an episode's metadata fulfil all KEY=VALUE; raises ValueError."""
    pairs = []
    for condition in conditions:
        key, equals, value = condition.partition('=')
        if not key or not equals:
            raise ValueError(f'--select {condition!r}, expected KEY=VALUE')
        pairs.append((key, value))
    return lambda metadata: all(_text(metadata.get(key)) == value for key, value in pairs)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
