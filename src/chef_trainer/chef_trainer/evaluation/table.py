"""Results as text: a table for the terminal and one for a model card."""

from collections.abc import Sequence

import rich.table

from chef_trainer.evaluation.paired import Comparison
from chef_trainer.evaluation.statistics import Summary


def headings(force_limit: float) -> tuple[str, ...]:
    """Return the column titles; all rates are in %."""
    return (
        'policy',
        'triplet',
        'episodes',
        'success',
        f'{force_limit:.0f} N rule',
        'sparse stack',
        'peak N',
        f'over {force_limit:.0f} N',
    )


def cells(summary: Summary) -> tuple[str, ...]:
    """Return one row of text under `headings`."""
    return (
        summary.candidate,
        summary.triplet,
        str(summary.success.trials),
        str(summary.success),
        str(summary.within_limit),
        str(summary.sparse_stack),
        f'{summary.force_median:.1f}',
        str(summary.exceeded),
    )


def terminal(summaries: Sequence[Summary], force_limit: float) -> rich.table.Table:
    """Return a table for the terminal."""
    table = rich.table.Table(
        *headings(force_limit), title='% with 95 % Wilson intervals; median of peak forces'
    )
    table.columns[0].no_wrap = True
    for summary in summaries:
        table.add_row(*cells(summary))
    return table


def markdown(summaries: Sequence[Summary], force_limit: float) -> str:
    """Return a table for a Markdown file."""
    titles = headings(force_limit)
    rows = [titles, tuple('---' for _ in titles), *(cells(summary) for summary in summaries)]
    return ''.join(f'| {" | ".join(row)} |\n' for row in rows)


def paired(comparisons: Sequence[Comparison]) -> rich.table.Table:
    """Return a table of paired comparisons for the terminal."""
    baseline = comparisons[0].baseline
    table = rich.table.Table(
        'policy',
        'scenes',
        'only it',
        'only the baseline',
        'difference',
        'p',
        title=f'against {baseline}, scene by scene; exact McNemar test',
    )
    for one in comparisons:
        table.add_row(
            one.candidate,
            str(one.scenes),
            str(one.better),
            str(one.worse),
            f'{100 * one.difference:+.1f} points',
            f'{one.p_value:.3g}',
        )
    return table
