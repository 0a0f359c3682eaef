"""Progress bars of the command line."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)


def progress_bars(quiet: bool = False) -> Progress:
    """Return bars with a `note` field (losses, success so far), elapsed and remaining time."""
    return Progress(
        TextColumn('{task.description:>12}'),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TextColumn('left'),
        TimeRemainingColumn(),
        TextColumn('{task.fields[note]}'),
        console=Console(quiet=quiet),
    )
