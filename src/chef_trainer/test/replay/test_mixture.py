"""Mixtures hold their shares exactly."""

from pathlib import Path

import numpy as np
import pytest
from recorded_cell import Script, record

from chef_trainer.replay import Dataset, Mixture
from chef_trainer.task.observe import observation_specs


@pytest.fixture(scope='module')
def sets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Dataset, ...]:
    """Three sets of one episode each."""
    folder = tmp_path_factory.mktemp('sets')
    for index in range(3):
        record(folder / str(index), Script(index, 5 + index, ('front',)))
    specs = observation_specs(('wrench', 'image/front'))
    return tuple(Dataset.open(folder / str(index), specs) for index in range(3))


def test_half_and_half_is_exact_in_every_batch(sets: tuple[Dataset, ...]) -> None:
    mixture = Mixture([(sets[0], 1.0), (sets[1], 1.0)])
    rng = np.random.default_rng(0)
    for _ in range(10):
        batch = mixture.sample(64, rng, n_step=2)
        assert np.bincount(batch.source).tolist() == [32, 32]
        # The y component of the image's blue channel tells the set: see recorded_cell.pixels.
        assert np.array_equal(batch.observation['image/front'][:, 127, 0, 0], batch.source)
        assert batch.observation['wrench'].shape == batch.next_observation['wrench'].shape


def test_uneven_shares_hold_on_average_and_within_one_place(sets: tuple[Dataset, ...]) -> None:
    mixture = Mixture(list(zip(sets, (0.5, 0.2, 0.3), strict=True)))
    rng = np.random.default_rng(0)
    counts = np.array(
        [np.bincount(mixture.sample(7, rng, images=()).source, minlength=3) for _ in range(500)]
    )
    assert (np.abs(counts - 7 * mixture.shares) < 1.0 + 1e-9).all()
    np.testing.assert_allclose(counts.mean(axis=0), 7 * mixture.shares, atol=0.1)
    assert len(mixture) == 5 + 6 + 7


def test_what_is_no_mixture_is_refused(sets: tuple[Dataset, ...], tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r'weights \[1.0, 0.0\], must be positive'):
        Mixture([(sets[0], 1.0), (sets[1], 0.0)])
    with pytest.raises(ValueError, match=r'weights \[\], must be positive'):
        Mixture([])
    with pytest.raises(ValueError, match='same observations'):
        Mixture([(sets[0], 1.0), (Dataset.open(tmp_path), 1.0)])
