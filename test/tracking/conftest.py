"""A painted cell: what is seen of three objects of known shape and pose."""

import pytest

from chef_cell.testing.painted_cell import PaintedCell


@pytest.fixture(params=[128, 480])
def scene(request):
    return PaintedCell(request.param)


@pytest.fixture
def small_scene():
    return PaintedCell(160)
