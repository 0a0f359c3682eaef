"""Plots of a session and of its episodes, as SVG files."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.rcsetup import cycler
from matplotlib.ticker import MaxNLocator

from chef_cell.core.results import EpisodeResult, wilson_interval
from chef_cell.core.rewards import REWARD_NAMES
from chef_cell.report.contents import Contents, Series

#: Colours that people with colour-blindness tell apart (Okabe and Ito, 2008).
COLOURS = ('#0072b2', '#d55e00', '#009e73', '#cc79a7', '#56b4e9', '#e69f00')
LIMIT_COLOUR = '#c0392b'

STYLE: Any = {
    'axes.prop_cycle': cycler(color=COLOURS),
    'axes.spines.right': False,
    'axes.spines.top': False,
    'axes.grid': True,
    'grid.color': '#e4e7eb',
    'axes.edgecolor': '#9aa5b1',
    'axes.axisbelow': True,
    'font.size': 9,
    'legend.frameon': False,
    'legend.fontsize': 8,
    'lines.linewidth': 1.2,
    'svg.fonttype': 'none',  # the browser's font; smaller files
    'svg.hashsalt': 'chef',  # the same session gives the same file
}


def success_over_session(episodes: Sequence[EpisodeResult], path: Path) -> None:
    """Success rate so far per policy, with its 95 % Wilson interval."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure(1, 5.2, 2.9)
        policies = sorted({episode.policy for episode in episodes})
        for policy in policies:
            done = np.array([e.success for e in episodes if e.policy == policy])
            number = np.arange(1, len(done) + 1)
            total = np.cumsum(done)
            bounds = [wilson_interval(int(s), int(n)) for s, n in zip(total, number, strict=True)]
            low, high = np.array(bounds).T
            (line,) = axes[0].plot(number, total / number, marker='.', label=policy)
            axes[0].fill_between(number, low, high, alpha=0.15, color=line.get_color())
        axes[0].set(ylim=(-0.03, 1.03), xlabel='episodes', ylabel='success rate so far')
        axes[0].xaxis.set_major_locator(MaxNLocator(integer=True))
        _legend(axes[0])
        _save(figure, path)


def force_histogram(episodes: Sequence[EpisodeResult], limit: float, path: Path) -> None:
    """Peak wrist force of every episode, by outcome."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure(1, 5.2, 2.9)
        groups = {
            name: [e.peak_force for e in episodes if e.success is good and e.peak_force >= 0]
            for name, good in (('success', True), ('no success', False))
        }
        top = max([limit * 1.2, *(force for group in groups.values() for force in group)])
        axes[0].hist(
            list(groups.values()),
            bins=np.linspace(0, top, 25).tolist(),
            stacked=True,
            label=list(groups),
            color=(COLOURS[2], COLOURS[1]),
        )
        axes[0].axvline(limit, color=LIMIT_COLOUR, linestyle='--', label=f'limit {limit:g} N')
        axes[0].set(xlabel='peak wrist force of an episode (N)', ylabel='episodes')
        axes[0].yaxis.set_major_locator(MaxNLocator(integer=True))
        _legend(axes[0])
        _save(figure, path)


def period_histogram(periods: np.ndarray, path: Path) -> None:
    """Periods of the controller's joint loop (ms of wall time)."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure(1, 5.2, 2.9)
        p50, p99 = np.percentile(periods, (50, 99))
        # The few worst would flatten the rest: they are named, not drawn to scale.
        edge = max(1.5 * p99, p50 * 1.1, 1e-3)
        axes[0].hist(np.minimum(periods, edge), bins=60, range=(0, edge), log=True)
        for value, name, style in ((p50, 'p50', '-'), (p99, 'p99', '--')):
            axes[0].axvline(
                value, color=COLOURS[1], linestyle=style, label=f'{name} {value:.2f} ms'
            )
        axes[0].plot([], [], ' ', label=f'max {periods.max():.2f} ms')
        axes[0].set(xlabel='period of the joint loop (ms of wall time)', ylabel='periods')
        _legend(axes[0])
        _save(figure, path)


def episode_plot(contents: Contents, limit: float, path: Path) -> None:
    """Wrist force, commands and rewards of one episode over time."""
    with mpl.rc_context(STYLE):
        figure, axes = _figure(4, 7.5, 7.6)
        _force(axes[0], contents.force, limit)
        _lines(axes[1], contents.velocity, ('x', 'y', 'z', 'yaw'), 'command\n(m/s, rad/s)')
        _lines(axes[2], contents.gripper, ('closing',), 'gripper\n(share of full speed)')
        _lines(axes[3], contents.rewards, REWARD_NAMES, 'reward')
        axes[2].set_ylim(-1.15, 1.15)
        axes[3].set_ylim(-0.03, 1.03)
        axes[-1].set_xlabel('time (s)')
        axes[-1].set_xlim(0, max(contents.duration, 1e-3))
        _save(figure, path)


def _force(axes: Axes, force: Series, limit: float) -> None:
    _lines(axes, force, ('|F|',), 'wrist force (N)')
    axes.axhline(limit, color=LIMIT_COLOUR, linestyle='--', label=f'limit {limit:g} N')
    axes.set_ylim(0, max(1.1 * limit, 1.05 * np.max(force.values, initial=0.0)))
    _legend(axes)


def _lines(axes: Axes, series: Series, names: Sequence[str], label: str) -> None:
    axes.set_ylabel(label)
    if not series:
        axes.text(0.5, 0.5, 'not recorded', ha='center', va='center', transform=axes.transAxes)
        return
    columns = series.values.reshape(len(series.time), -1)
    for column, name in zip(columns.T, names, strict=True):
        axes.plot(series.time, column, label=name)
    if len(names) > 1:
        _legend(axes)


def _legend(axes: Axes) -> None:
    """Above the axes, where it hides nothing."""
    axes.legend(loc='lower left', bbox_to_anchor=(0, 1.0), borderaxespad=0, ncols=6)


def _figure(rows: int, width: float, height: float) -> tuple[Figure, Sequence[Axes]]:
    figure = Figure(figsize=(width, height), layout='constrained')
    return figure, list(figure.subplots(rows, 1, sharex=True, squeeze=False)[:, 0])


def _save(figure: Figure, path: Path) -> None:
    figure.savefig(path, metadata={'Date': None})
