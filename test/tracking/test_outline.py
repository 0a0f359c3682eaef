"""Outlines, and which of them may be hidden."""

import numpy as np
import pytest

from chef_cell.tracking.outline import outline


def rectangle(left, upper, right, lower, label=1, size=100):
    labels = np.zeros((size, size), np.uint8)
    labels[upper:lower, left:right] = label
    return labels


def test_the_outline_lies_on_the_edge_between_pixels():
    # Pixels 20 to 59 are covered: the first is centred at 20, so the edges are at 19.5 and 59.5.
    found = outline(rectangle(20, 30, 60, 70), 1, 9.0, 1000)
    assert found.points.min(axis=0) == pytest.approx((19.5, 29.5), abs=0.2)
    assert found.points.max(axis=0) == pytest.approx((59.5, 69.5), abs=0.2)
    assert found.free.all()


def test_points_are_few_and_all_around():
    found = outline(rectangle(20, 30, 60, 70), 1, 9.0, 40)
    assert 20 < len(found.points) <= 40
    assert np.ptp(found.points, axis=0) == pytest.approx((40, 40), abs=4.0)


def test_an_outline_beside_another_object_is_doubtful():
    labels = rectangle(20, 30, 60, 70)
    labels[30:70, 61:90] = 2  # one pixel of mixed colour lies between
    found = outline(labels, 1, 9.0, 1000)
    right = found.points[:, 0] > 58.0
    assert not found.free[right].any()
    assert found.free[found.points[:, 0] < 55.0].all()


def test_an_outline_at_the_edge_of_the_image_is_doubtful():
    found = outline(rectangle(0, 30, 40, 100), 1, 9.0, 1000)
    x, y = found.points.T
    assert not found.free[(x < 1.0) | (y > 98.0)].any()
    assert found.free[(x > 5.0) & (y < 95.0)].all()


def test_parts_of_one_object_belong_together_and_specks_do_not():
    labels = rectangle(10, 10, 40, 60)
    labels[10:60, 50:70] = 1  # cut in two by something in front
    labels[80:82, 80:82] = 1
    found = outline(labels, 1, 9.0, 1000)
    assert found.points[:, 0].max() == pytest.approx(69.5, abs=0.2)
    assert found.points[:, 1].max() < 61.0


def test_next_to_nothing_is_nothing():
    assert outline(rectangle(10, 10, 12, 12), 1, 9.0, 60) is None
    assert outline(rectangle(10, 10, 60, 60, label=2), 1, 9.0, 60) is None
