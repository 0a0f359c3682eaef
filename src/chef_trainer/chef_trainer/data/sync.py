"""chef-data sync: sets of episodes to and from remote stores."""

import argparse
from pathlib import Path

from rich.progress import DownloadColumn, Progress, TextColumn, TransferSpeedColumn

from chef_trainer.data.selection import ERRORS, Subparsers
from chef_trainer.remote import sync
from chef_trainer.remote.store import Store

SCHEME = '://'


def add(commands: Subparsers) -> None:
    """Add the verb."""
    command = commands.add_parser(
        'sync',
        help='copy a set to or from a remote store',
        description='Copy what DESTINATION lacks; nothing is deleted. A folder, or a URL as '
        's3://bucket/set, gs://bucket/set, file:///mnt/set. It may be interrupted and run again. '
        'Keys and endpoints come from where the store looks for them, as AWS_ENDPOINT_URL.',
    )
    command.add_argument('source', metavar='SOURCE')
    command.add_argument('destination', metavar='DESTINATION')
    command.add_argument(
        '--verify', action='store_true', help='then read the remote side and compare checksums'
    )
    command.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Copy, and say how much."""
    source, destination = arguments.source, arguments.destination
    if SCHEME in source and SCHEME in destination:
        raise ValueError(f'{source}, {destination}: one of them must be a folder here')
    columns = (TextColumn('{task.description}'), DownloadColumn(), TransferSpeedColumn())
    with Progress(*columns, console=ERRORS, transient=True) as bar:
        task = bar.add_task('comparing', total=None)

        def tell(name: str, count: int) -> None:
            bar.update(task, description=Path(name).name, advance=count)

        if SCHEME in source:
            store = Store(source)
            report = sync.download(store, Path(destination), tell)
        else:
            if not Path(source).is_dir():
                raise ValueError(f'{source} is no folder')
            store = Store(destination)
            report = sync.upload(Path(source), store, tell)
        wrong = sync.verify(store, tell) if arguments.verify else []
    for name in report.unverified:
        ERRORS.print(f'came without a checksum: {name}', style='yellow', markup=False)
    for name in wrong:
        ERRORS.print(f'{store.url}: {name} is not what was sent', style='red', markup=False)
    size = report.bytes / 1e6
    ERRORS.print(f'{report.copied} files copied ({size:.1f} MB), {report.same} there already')
    return int(bool(wrong))
