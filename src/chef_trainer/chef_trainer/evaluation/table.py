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
    title = '% with 95 % Wilson intervals; median of peak forces'
    table = terminal_rows(_rows(summaries, force_limit), title)
    table.columns[0].no_wrap = True
    return table


def subtasks(summaries: Sequence[Summary]) -> list[tuple[str, ...]]:
    """Return titles and rows of who solved which sub-task at some step; [] if nobody was asked."""
    known = list(dict.fromkeys(name for one in summaries for name in one.subtasks))
    rows = [
        (one.candidate, one.triplet, *(str(one.subtasks.get(name, '-')) for name in known))
        for one in summaries
    ]
    return [('policy', 'triplet', *known), *rows] if known else []


def markdown(summaries: Sequence[Summary], force_limit: float) -> str:
    """Return a table for a Markdown file."""
    return markdown_rows(_rows(summaries, force_limit))


def _rows(summaries: Sequence[Summary], force_limit: float) -> list[tuple[str, ...]]:
    return [headings(force_limit), *map(cells, summaries)]


def terminal_rows(rows: Sequence[Sequence[str]], title: str) -> rich.table.Table:
    """Return rows, titles first, as a table for the terminal."""
    table = rich.table.Table(*rows[0], title=title)
    for row in rows[1:]:
        table.add_row(*row)
    return table


def markdown_rows(rows: Sequence[Sequence[str]]) -> str:
    """Return rows, titles first, as a Markdown table."""
    lines = [rows[0], ['---'] * len(rows[0]), *rows[1:]]
    return ''.join(f'| {" | ".join(row)} |\n' for row in lines)


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
