"""Figures of the pages, as SVG that stands inside them."""

import io
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from chef_trainer.episodes.steps import Steps
from chef_trainer.exchange.trajectory import MissingLibraryError
from chef_trainer.spec import ACTION_NAMES
from chef_trainer.task.rewards import REWARD_NAMES
from chef_trainer.view.moments import Moment

try:
    import matplotlib as mpl
    from cycler import cycler
    from matplotlib.figure import Figure
except ImportError as _error:
    raise MissingLibraryError('matplotlib', 'chef-data view') from _error

#: Left and right edge of the axes of an episode's figure (shares of its width): the page puts its
#: cursor between them.
LEFT, RIGHT = 0.085, 0.985
#: Colours that the colour-blind can tell apart (Okabe and Ito).
COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#e69f00', '#56b4e9')
#: How an action is drawn: it holds until the next one.
HOLD = 'steps-post'
ALARM = '#c0392b'
STYLE = {
    'font.size': 9,
    'axes.grid': True,
    'grid.alpha': 0.3,
    'axes.spines.top': False,
    'axes.spines.right': False,
    'axes.prop_cycle': cycler(color=COLOURS),
    'legend.frameon': False,
    'legend.fontsize': 8,
    'lines.linewidth': 1.1,
    # Text as text: smaller, and it can be searched for.
    'svg.fonttype': 'none',
}


def episode_figure(steps: Steps, moments: Iterable[Moment], force_limit: float | None) -> str:
    """Return force, torque, action and rewards over time, with the moments as lines."""
    table = steps.table
    time = (table['stamp'] - table['stamp'][0]) * 1e-9
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 8.2))
        axes = figure.subplots(5, 1, sharex=True)
        figure.subplots_adjust(left=LEFT, right=RIGHT, top=0.96, bottom=0.06, hspace=0.32)
        _lines(axes[0], time, table['wrench'][:, :3], ('x', 'y', 'z'), 'force (N)')
        axes[0].plot(time, table['force'], color='black', label='largest')
        if force_limit is not None:
            axes[0].axhline(force_limit, color=ALARM, linestyle='--', label='limit')
        _lines(axes[1], time, table['wrench'][:, 3:], ('x', 'y', 'z'), 'torque (N m)')
        _lines(axes[2], time[:-1], table['action'][:-1, :4], ACTION_NAMES[:4], 'action', HOLD)
        _lines(axes[3], time[:-1], table['action'][:-1, 4:], ('gripper',), 'gripper', HOLD)
        _lines(axes[4], time, table['rewards'], REWARD_NAMES, 'reward')
        axes[2].set_ylim(-1.1, 1.1)
        axes[3].set_ylim(-1.2, 1.2)
        axes[4].set_ylim(-0.03, 1.03)
        for moment in moments:
            for axis in axes:
                axis.axvline(moment.time, color=ALARM, linewidth=0.8, linestyle=':')
        for axis in axes:
            axis.legend(loc='lower left', bbox_to_anchor=(0, 0.98), ncols=7)
        axes[-1].set_xlabel('time (s)')
        axes[-1].set_xlim(0, max(time[-1], 1e-3))
        return _svg(figure)


def success_figure(successes: Sequence[bool], window: int = 20) -> str:
    """Return the success of the episodes in the order in which they were recorded."""
    values = np.array(successes, dtype=float)
    with mpl.rc_context(STYLE):
        figure, axis = _figure()
        count = np.arange(1, len(values) + 1)
        axis.plot(count, values, '.', color='#9aa5b1', markersize=4, label='episode')
        sums = np.concatenate(([0.0], np.cumsum(values)))
        start = np.maximum(count - window, 0)
        axis.plot(count, (sums[count] - sums[start]) / (count - start), label=f'last {window}')
        axis.set(xlabel='episode', ylabel='success', ylim=(-0.05, 1.05))
        axis.legend(loc='lower left', bbox_to_anchor=(0, 0.98), ncols=2)
        return _svg(figure)


def force_figure(peaks: Sequence[float], successes: Sequence[bool]) -> str:
    """Return a histogram of the episodes' peak forces (N), by success."""
    good = np.array(successes, dtype=bool)
    values = np.array(peaks, dtype=float)
    with mpl.rc_context(STYLE):
        figure, axis = _figure()
        groups = [values[good], values[~good]]
        edges = np.linspace(0.0, max(float(np.nanmax(values, initial=1.0)), 1.0), 25)
        labels, colours = ['success', 'no success'], [COLOURS[2], COLOURS[1]]
        axis.hist(groups, bins=edges.tolist(), stacked=True, label=labels, color=colours)
        axis.set(xlabel='peak wrist force of an episode (N)', ylabel='episodes')
        axis.legend(loc='lower left', bbox_to_anchor=(0, 0.98), ncols=2)
        return _svg(figure)


def coverage_figure(sets: Sequence[Steps]) -> str:
    """Return where the tool went (from above) and how often each action was taken."""
    tools = np.concatenate([steps.table['tool_pose'][:, :2] for steps in sets])
    actions = np.concatenate([steps.table['action'][:-1] for steps in sets])
    tools = tools[np.isfinite(tools).all(axis=1)]
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(11, 3.0), layout='constrained')
        place, *rest = figure.subplots(1, 6, width_ratios=[2, 1, 1, 1, 1, 1])
        # Only cells that were visited: white is where the data say nothing.
        place.hist2d(tools[:, 1], tools[:, 0], bins=40, cmin=1, cmap='viridis', rasterized=True)
        place.set(xlabel='tool y (m)', ylabel='tool x (m)', aspect='equal')
        for axis, name, column in zip(rest, ACTION_NAMES, actions.T, strict=True):
            axis.hist(column, bins=41, range=(-1.025, 1.025), log=True)
            axis.set(title=name, xlim=(-1.1, 1.1), ylim=(0.5, None))
        return _svg(figure)


def drops_figure(losses: dict[str, float]) -> str:
    """Return the share of messages that was lost, topic -> 0 .. 1."""
    worst = sorted(losses.items(), key=lambda item: item[1])
    with mpl.rc_context(STYLE):
        figure, axis = _figure(0.8 + 0.22 * len(worst))
        axis.barh([name for name, _ in worst], [100.0 * share for _, share in worst])
        axis.set(xlabel='messages lost (%)', xlim=(0, max(1.0, 105.0 * max(losses.values()))))
        return _svg(figure)


def _figure(height: float = 3.0) -> tuple[Any, Any]:
    figure = Figure(figsize=(5.4, height), layout='constrained')
    return figure, figure.subplots()


def _lines(
    axis: Any,
    time: np.ndarray,
    values: np.ndarray,
    names: Sequence[str],
    label: str,
    drawstyle: str = 'default',
) -> None:
    axis.set_ylabel(label)
    for column, name in zip(values.T, names, strict=True):
        axis.plot(time, column, label=name, drawstyle=drawstyle)


def _svg(figure: Any) -> str:
    stream = io.StringIO()
    figure.savefig(stream, format='svg', metadata={'Date': None})
    # The page, not the figure, decides how large it is; what comes before <svg is for files.
    text = stream.getvalue()[stream.getvalue().index('<svg') :]
    return re.sub(r'width="[\d.]+pt" height="[\d.]+pt"', 'width="100%"', text, count=1)
