"""chef-data view: look at an episode, or at a whole set."""

import argparse
import os
import webbrowser
from pathlib import Path

from chef_trainer.data.selection import (
    ERRORS,
    OUTPUT,
    Subparsers,
    add_paths,
    bar,
    episodes,
)
from chef_trainer.episodes import EpisodeFileError


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'view',
        help='look at an episode, or at a whole set',
        description='One episode: a page with synchronised cameras, forces, actions, rewards and '
        'events. Several: a contact sheet, and what to look at before training. The pages need '
        'nothing but themselves.',
    )
    add_paths(command)
    command.add_argument(
        '--into',
        type=Path,
        metavar='FILE',
        help='page to write. Default: EPISODE.html or overview.html in the working directory',
    )
    command.add_argument(
        '--each', action='store_true', help='of several: write a page of each, too, and link it'
    )
    command.add_argument('--open', action='store_true', help='open the page in a browser')
    command.add_argument(
        '--rerun',
        nargs='?',
        const='',
        metavar='FILE.rrd',
        help='one episode: open it in Rerun, or write it to a file for Rerun',
    )
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Write the page and say where it is."""
    # Only now: drawing takes long to import.
    from chef_trainer.view import pages, to_rerun

    paths = [path for path, _ in episodes(arguments, 'reading')]
    if not paths:
        raise ValueError('no episode to show')
    if arguments.rerun is not None:
        if len(paths) > 1:
            raise ValueError(f'{len(paths)} episodes: --rerun shows one, name its file')
        to_rerun.show(paths[0], Path(arguments.rerun) if arguments.rerun else None)
        return 0
    if len(paths) == 1:
        page = arguments.into or Path(f'{paths[0].stem}.html')
        _write(page, pages.episode_page(paths[0]))
    else:
        page = arguments.into or Path('overview.html')
        links = _each(paths, page.parent) if arguments.each else {}
        _write(page, pages.overview_page(bar(paths, 'drawing'), links, _refuse))
    OUTPUT.print(str(page), soft_wrap=True)
    if arguments.open:
        webbrowser.open(page.resolve().as_uri())
    return 0


def _each(paths: list[Path], folder: Path) -> dict[Path, str]:
    """Write a page of each episode; return its name."""
    from chef_trainer.view import pages

    links = {}
    for path in bar(paths, 'drawing'):
        try:
            _write(folder / f'{path.stem}.html', pages.episode_page(path))
            links[path] = f'{path.stem}.html'
        except EpisodeFileError as error:
            _refuse(error)
    return links


def _refuse(error: EpisodeFileError) -> None:
    ERRORS.print(f'left out: {error}', style='yellow', markup=False)


def _write(page: Path, text: str) -> None:
    page.parent.mkdir(parents=True, exist_ok=True)
    part = page.with_name(f'.{page.name}.part')
    part.write_text(text, encoding='utf-8')
    os.replace(part, page)
