"""Which pixels count as red, green and blue."""

import numpy as np
import pytest

from chef_cell.core.readings import COLOURS
from chef_cell.core.settings import SettingsError, from_dict
from chef_cell.tracking.segmentation import ColourSettings, Segmenter


def label(rgb, **settings):
    image = np.full((9, 9, 3), rgb, np.uint8)
    return Segmenter(ColourSettings(**settings)).labels(image)[4, 4]


@pytest.mark.parametrize('light', [0.3, 1.0, 1.3])
def test_colours_are_told_apart_in_any_light(light):
    for place, rgb in enumerate([(190, 30, 20), (20, 180, 40), (25, 30, 190)]):
        assert label(np.array(rgb) * light) == place + 1, COLOURS[place]


@pytest.mark.parametrize('grey', [0, 20, 130, 255])
def test_what_has_no_colour_belongs_to_nothing(grey):
    assert label((grey, grey, grey)) == 0


def test_what_is_too_dark_or_of_another_colour_belongs_to_nothing():
    assert label((20, 1, 1)) == 0
    assert label((20, 1, 1), min_value=0.05) == 1
    assert label((200, 200, 10)) == 0  # yellow
    assert label((200, 200, 10), hues=(60.0, 120.0, 240.0)) == 1


def test_reds_on_both_sides_of_zero_are_one():
    assert label((200, 40, 20)) == label((200, 20, 40)) == 1


def test_single_noisy_pixels_do_not_tear_an_object_apart():
    rng = np.random.default_rng(0)
    image = np.clip(np.array((180, 30, 30)) + rng.normal(0.0, 15.0, (60, 60, 3)), 0, 255)
    labels = Segmenter(ColourSettings()).labels(image.astype(np.uint8))
    assert (labels == 1).mean() > 0.999


@pytest.mark.parametrize(
    'values', [{'hues': (0.0, 120.0)}, {'hue_tolerance': 90.0}, {'min_saturation': 0.0}]
)
def test_settings_that_make_no_sense_are_refused(values):
    with pytest.raises(SettingsError, match=next(iter(values))):
        from_dict(ColourSettings, values)
