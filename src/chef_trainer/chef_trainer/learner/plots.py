"""Curves for people: an image at the end, TensorBoard files on the way."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from tensorboardX import SummaryWriter

from chef_trainer.policy_file import replacing

COLUMNS = 4
PANEL = (3.2, 2.2)  # inches


def draw_curves(rows: Sequence[dict[str, Any]], path: Path) -> None:
    """Draw every number of `rows` over `step` into an image, one panel each."""
    found = dict.fromkeys(name for row in rows for name in row)
    names = [name for name in found if name not in ('kind', 'step')]
    if not names:
        return
    lines = -(-len(names) // COLUMNS)
    figure = Figure((PANEL[0] * min(COLUMNS, len(names)), PANEL[1] * lines), layout='constrained')
    FigureCanvasAgg(figure)  # draws into memory, without a display
    axes = figure.subplots(lines, min(COLUMNS, len(names)), squeeze=False).flatten()
    for name, panel in zip(names, axes, strict=False):
        steps = [row['step'] for row in rows if name in row]
        panel.plot(steps, [row[name] for row in rows if name in row], linewidth=1)
        panel.set_title(name, fontsize=8)
        panel.tick_params(labelsize=6)
        panel.grid(alpha=0.3)
    for panel in axes[len(names) :]:
        panel.set_axis_off()
    with replacing(path) as temporary:
        figure.savefig(temporary, format='png', dpi=120)


class EventFile:
    """Numbers for TensorBoard. What comes after `step` in older files is not shown any more."""

    def __init__(self, folder: Path, step: int) -> None:
        self._writer = SummaryWriter(str(folder), purge_step=step + 1)

    def add(self, step: int, values: dict[str, float]) -> None:
        """Write one number per curve."""
        for name, value in values.items():
            self._writer.add_scalar(name, value, step)

    def close(self) -> None:
        """Write what is waiting."""
        self._writer.close()
