"""Success rates with their intervals as an image."""

from collections.abc import Sequence
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from chef_trainer.evaluation.statistics import Summary
from chef_trainer.policy_file import replacing

WIDTH = 0.8  # of the bars of one triplet


def draw_success(summaries: Sequence[Summary], path: Path) -> None:
    """Draw a group of bars per triplet, a bar per candidate, 95 % Wilson intervals."""
    triplets = sorted({one.triplet for one in summaries})
    candidates = list(dict.fromkeys(one.candidate for one in summaries))
    figure = Figure((1.5 + 1.2 * len(triplets) + 0.3 * len(candidates), 3.5), layout='constrained')
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    width = WIDTH / len(candidates)
    for index, candidate in enumerate(candidates):
        own = [one for one in summaries if one.candidate == candidate]
        places = [triplets.index(one.triplet) + (index + 0.5) * width - WIDTH / 2 for one in own]
        values = [100 * one.success.value for one in own]
        lows = [100 * (one.success.value - one.success.interval[0]) for one in own]
        highs = [100 * (one.success.interval[1] - one.success.value) for one in own]
        axes.bar(places, values, width, label=candidate, yerr=[lows, highs], capsize=2)
    axes.set_xticks(range(len(triplets)), [f'triplet {name}' for name in triplets])
    axes.set_ylim(0, 100)
    axes.set_ylabel('success, %')
    axes.legend(fontsize=7)
    with replacing(path) as temporary:
        figure.savefig(temporary, format='png', dpi=150)
