"""The bench of memory makes sets of links that open as the recorded episodes do."""

from pathlib import Path

import numpy as np
from recorded_cell import Script, record

from chef_trainer.bench import loading, memory
from chef_trainer.replay import Dataset
from chef_trainer.task.observe import IMAGE_PREFIX, observation_specs

CAMERAS = tuple(name.removeprefix(IMAGE_PREFIX) for name in loading.IMAGES)


def test_links_are_episodes_of_their_own(tmp_path: Path) -> None:
    sources = [record(tmp_path / f'{n}', Script(n, steps=6, cameras=CAMERAS)) for n in range(2)]
    blind = record(tmp_path / 'blind', Script(2, steps=6))
    assert [memory.sees(path) for path in (*sources, blind)] == [True, True, False]
    folder = memory.linked(sources, tmp_path / 'set', 5)
    specs = observation_specs(('wrench', *loading.IMAGES))
    dataset, original = Dataset.open(folder, specs), Dataset.open(sources, specs)
    assert (len(dataset.episodes), len(dataset), dataset.refused) == (5, 30, ())
    linked, recorded = (one.gather(np.arange(6)) for one in (dataset, original))
    for name, values in recorded.observation.items():
        np.testing.assert_array_equal(linked.observation[name], values)
    used = memory.use(folder, loading.IMAGES, 1)
    assert (used.episodes, used.steps) == (5, 30)
    assert used.peak > used.own > 0
    assert used.files > 0
