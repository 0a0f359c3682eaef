"""Picture of where resets put the objects, beside what would be uniform."""

from pathlib import Path

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from chef_cell.core.reset.settings import ResetSettings

_COLOURS = {'red': '#c0392b', 'green': '#1e8449', 'blue': '#2471a3'}
_BINS = 8


def plot(places: list[list[list[float]]], path: Path) -> None:
    """Draw the final places (n, 3, 2) of all resets and their distributions.

    Left: every object from above. Right: how many lie in each eighth of x and y, with what a
    uniform distribution has there and its 95 % band.
    """
    mpl.use('agg')
    settings, data = ResetSettings(), np.array(places)
    figure = Figure(figsize=(9.0, 3.2), layout='constrained')
    above, *marginals = figure.subplots(1, 3)
    for index, (name, colour) in enumerate(_COLOURS.items()):
        above.scatter(data[:, index, 1], data[:, index, 0], s=6, color=colour, label=name)
    (x0, y0), (x1, y1) = settings.place_lower, settings.place_upper
    above.add_patch(Rectangle((y0, x0), y1 - y0, x1 - x0, fill=False, linestyle='--'))
    above.set(xlabel='y (m)', ylabel='x (m)', aspect='equal', title=f'{len(data)} resets')
    for axis, axes in enumerate(marginals):
        lower, upper = settings.place_lower[axis], settings.place_upper[axis]
        edges = np.linspace(lower, upper, _BINS + 1)
        for index, colour in enumerate(_COLOURS.values()):
            counts, _ = np.histogram(np.clip(data[:, index, axis], lower, upper), edges)
            axes.stairs(counts, edges, color=colour)
        mean = len(data) / _BINS
        spread = 1.96 * np.sqrt(mean * (1.0 - 1.0 / _BINS))
        axes.axhspan(mean - spread, mean + spread, color='0.9', zorder=0)
        axes.axhline(mean, color='0.4', linestyle='--', label='uniform')
        axes.set(xlabel=f'{"xy"[axis]} (m)', ylabel='resets', ylim=(0, None))
        axes.legend(frameon=False, fontsize=8)
    figure.savefig(path, dpi=110)
