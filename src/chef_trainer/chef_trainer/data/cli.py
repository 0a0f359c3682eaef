"""The command line: chef-data VERB. Every verb is a module of its own, listed here."""

import argparse
import sys

from chef_trainer.data import (
    check,
    delete,
    export,
    importing,
    info,
    listing,
    merge,
    recover,
    relabel,
    split,
    stats,
    sync,
    view,
)
from chef_trainer.episodes import EpisodeFileError
from chef_trainer.interrupt import INTERRUPTED, interrupt_on_sigterm

#: Each adds its parser, which names the function that carries it out and returns the exit code.
VERBS = (
    listing, info, check, stats, view, relabel, recover, split, merge, export, importing, sync,
    delete,
)  # fmt: skip


def main() -> int:
    """Run one verb; one line on an error that the user can mend."""
    arguments = parser().parse_args()
    interrupt_on_sigterm()
    try:
        return int(arguments.command(arguments))
    except (EpisodeFileError, ImportError, ValueError, OSError) as error:
        print(f'chef-data: {error}', file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print('chef-data: interrupted', file=sys.stderr)
        return INTERRUPTED


def parser() -> argparse.ArgumentParser:
    """Return the parser of all verbs."""
    top = argparse.ArgumentParser(
        prog='chef-data',
        description='Look after recorded episodes. PATH is an episode file, its folder, or any '
        'folder above; nothing but delete removes data, and no verb changes an episode file.',
    )
    commands = top.add_subparsers(required=True, metavar='VERB')
    for verb in VERBS:
        verb.add(commands)
    return top


if __name__ == '__main__':
    sys.exit(main())
