"""Success over the budget as an image."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from chef_trainer.bench.results.report import Result
from chef_trainer.bench.results.study import TEACHER
from chef_trainer.policy_file import replacing

SPREAD = 0.6  # of the candidates at one budget, in its unit


def draw_results(found: Sequence[Result], path: Path) -> None:
    """Draw a panel per triplet: success over budget, 95 % Wilson intervals, teacher as a band.

    Small crosses: the seeds, where there are several.
    """
    triplets = list(dict.fromkeys(one.triplet for one in found))
    budgets = sorted({one.budget for one in found if one.candidate != TEACHER})
    candidates = list(dict.fromkeys(one.candidate for one in found if one.candidate != TEACHER))
    figure = Figure((1 + 4.5 * len(triplets), 4.5), layout='constrained')
    FigureCanvasAgg(figure)
    panels = figure.subplots(1, len(triplets), sharey=True, squeeze=False)[0]
    for axes, triplet in zip(panels, triplets, strict=True):
        own = [one for one in found if one.triplet == triplet]
        _draw_triplet(axes, own, budgets, candidates)
        axes.set_title(f'triplet {triplet}')
        axes.set_xticks(range(len(budgets)), [f'{budget:,}' for budget in budgets])
        axes.set_xlabel('episodes')
    panels[0].set_ylim(0, 100)
    panels[0].set_ylabel('success, %')
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc='outside right center', fontsize=8)
    with replacing(path) as temporary:
        figure.savefig(temporary, format='png', dpi=120)


def _draw_triplet(
    axes: Axes, own: Sequence[Result], budgets: Sequence[int], candidates: Sequence[str]
) -> None:
    for one in own:
        if one.candidate == TEACHER:
            low, high = one.success.interval
            axes.axhline(100 * one.success.value, color='grey', label=TEACHER)
            axes.axhspan(100 * low, 100 * high, color='grey', alpha=0.2, linewidth=0)
    for index, candidate in enumerate(candidates):
        shift = SPREAD * ((index + 0.5) / len(candidates) - 0.5)
        mine = sorted(
            (one for one in own if one.candidate == candidate), key=lambda one: one.budget
        )
        places = [budgets.index(one.budget) + shift for one in mine]
        values = [100 * one.success.value for one in mine]
        ends = [one.success.interval for one in mine]
        lows = [value - 100 * low for value, (low, _) in zip(values, ends, strict=True)]
        highs = [100 * high - value for value, (_, high) in zip(values, ends, strict=True)]
        style = 'o-' if index < 10 else 's--'
        axes.errorbar(
            places, values, [lows, highs], fmt=style, color=f'C{index}', capsize=2, label=candidate
        )
        for place, one in zip(places, mine, strict=True):
            if len(one.by_seed) > 1:
                seeds = [100 * share for share in one.by_seed]
                axes.scatter([place] * len(seeds), seeds, s=20, color=f'C{index}', marker='x')
