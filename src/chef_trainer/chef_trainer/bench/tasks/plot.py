"""Learning curves as an image."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from chef_trainer.bench.tasks.report import EXPERT, Curve, Result
from chef_trainer.policy_file import replacing

COLUMNS = 3
PANEL = (4.2, 3.2)  # inches


def draw_curves(found: Sequence[Curve], rows: Sequence[Result], path: Path) -> None:
    """Draw a panel per task: the mean over the seeds, a thin line for each, expert as a line."""
    tasks = list(dict.fromkeys(one.task for one in found))
    columns = min(COLUMNS, len(tasks))
    lines = -(-len(tasks) // columns)
    figure = Figure((PANEL[0] * columns, PANEL[1] * lines), layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(lines, columns, squeeze=False).flatten()
    for panel, task in zip(panels, tasks, strict=False):
        _draw_task(panel, [one for one in found if one.task == task])
        for row in rows:
            if (row.task, row.candidate) == (task, EXPERT):
                panel.axhline(row.value, color='grey', linestyle='--', label=EXPERT)
        panel.set_title(task)
        panel.legend(fontsize=7)
    for panel in panels[len(tasks) :]:
        panel.set_axis_off()
    with replacing(path) as temporary:
        figure.savefig(temporary, format='png', dpi=100)


def _draw_task(panel: Axes, own: Sequence[Curve]) -> None:
    for index, curve in enumerate(own):
        colour = f'C{index}'
        for seed in curve.values:
            panel.plot(curve.updates, seed, color=colour, linewidth=0.6, alpha=0.5)
        mean = [statistics.fmean(values) for values in zip(*curve.values, strict=True)]
        panel.plot(curve.updates, mean, 'o-', color=colour, markersize=3, label=curve.contender)
    panel.set_xlabel('updates')
    panel.set_xlim(left=0)
    panel.grid(alpha=0.3)
    if own[0].measure == 'success':
        panel.set_ylim(-3, 103)
        panel.set_ylabel('success, %')
    else:
        panel.set_ylim(bottom=0)
        panel.set_ylabel('return')
