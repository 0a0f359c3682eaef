"""The table that closes a session in the terminal."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from rich.table import Table

from chef_cell.core.results import SessionResult, summarise
from chef_cell.core.timing import summarise as summarise_periods
from chef_cell.report.contents import control_periods
from chef_trainer.episodes import EpisodeFileError, EpisodeReader


def session_table(folder: Path, session: SessionResult) -> Table:
    """One row per triplet and policy; the caption says how regular the control loop was."""
    table = Table(title=f'Session {session.session_id}', caption=_timing(folder, session))
    table.add_column('triplet')
    table.add_column('policy')
    table.add_column('episodes', justify='right')
    table.add_column('successes', justify='right')
    table.add_column('rate', justify='right')
    table.add_column('95 % interval', justify='right')
    table.add_column('ended by')
    table.add_column('peak force p50 / max (N)', justify='right')
    for row in summarise(session.episodes):
        low, high = row.interval
        table.add_row(
            row.triplet,
            row.policy,
            str(row.episodes),
            str(row.successes),
            f'{row.rate:.0%}',
            f'{low:.0%} to {high:.0%}',
            _counts(row.outcomes),
            f'{row.peak_force_median:.1f} / {row.peak_force_max:.1f}',
        )
    return table


def _counts(outcomes: Mapping[str, int]) -> str:
    return ', '.join(f'{name} {count}' for name, count in outcomes.items())


def _timing(folder: Path, session: SessionResult) -> str:
    """Periods of the controller's joint loop over all episodes that can be read."""
    periods = [np.empty(0)]
    unread = 0
    for episode in session.episodes:
        try:
            periods.append(control_periods(EpisodeReader(folder / episode.file)))
        except EpisodeFileError:
            unread += 1
    summary = summarise_periods(np.concatenate(periods).tolist(), 0)
    text = (
        f'control period p50 {summary.p50:.2f}, p99 {summary.p99:.2f}, max {summary.max:.2f} ms'
        if summary.count
        else 'no control periods recorded'
    )
    return text + (f'; {unread} episodes without a readable file' if unread else '')
