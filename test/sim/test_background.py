"""Images rendered beside a running cell show the state at which they were asked for."""

import threading

import numpy as np
import pytest

from chef_cell.sim.background import BackgroundRenderer
from chef_cell.sim.cell import SimCell
from chef_cell.sim.render import RenderError

CAMERA = 'basket_front_left'
DEADLINE = 20.0  # s


class Album:
    """Collects images; the rendering thread may be held up."""

    def __init__(self):
        self.images = []
        self.arrived = threading.Semaphore(0)
        self.go_on = threading.Event()
        self.go_on.set()

    def add(self, camera, pixels, stamp_ns):
        assert self.go_on.wait(DEADLINE)
        self.images.append((camera, stamp_ns, pixels))
        self.arrived.release()

    def wait(self):
        assert self.arrived.acquire(timeout=DEADLINE)
        return self.images[-1]


@pytest.fixture(scope='module')
def shared_cell():
    made = SimCell('1')
    yield made
    made.close()


@pytest.fixture
def cell(shared_cell):
    shared_cell.reset(0, '1')
    return shared_cell


@pytest.fixture
def album():
    return Album()


@pytest.fixture
def background(cell, album):
    renderer = BackgroundRenderer(cell, (CAMERA,), 64, album.add)
    yield renderer
    album.go_on.set()
    renderer.close()


def test_nothing_is_delivered_before_it_is_asked_for(background, album):
    assert not album.images


def test_an_image_equals_one_rendered_on_the_spot(background, album, cell):
    expected = cell.render(CAMERA, 64, 64)
    assert background.offer(7)
    camera, stamp_ns, pixels = album.wait()
    assert (camera, stamp_ns) == (CAMERA, 7)
    np.testing.assert_array_equal(pixels, expected)


def test_it_shows_the_state_at_which_it_was_asked_for(background, album, cell):
    expected = cell.render(CAMERA, 64, 64)
    album.go_on.clear()
    background.offer(1)
    for _ in range(30):
        cell.step_joint(np.full(7, 0.5), 1.0)
    album.go_on.set()
    np.testing.assert_array_equal(album.wait()[2], expected)
    assert (cell.render(CAMERA, 64, 64) != expected).any()


def test_a_busy_renderer_drops_what_is_offered_and_counts_it(background, album):
    album.go_on.clear()
    assert background.offer(1)
    assert not background.offer(2)
    assert not background.offer(3)
    assert background.dropped == 2
    album.go_on.set()
    assert album.wait()[1] == 1


def test_other_objects_are_rendered_after_a_reset_to_them(background, album, cell):
    cell.reset(0, '5')
    background.offer(1)
    np.testing.assert_array_equal(album.wait()[2], cell.render(CAMERA, 64, 64))


def test_an_unknown_camera_is_refused_at_once(cell, album):
    with pytest.raises(RenderError, match='nowhere'):
        BackgroundRenderer(cell, ('nowhere',), 64, album.add)


def test_a_new_scene_is_prepared_without_an_image(background, album, cell):
    cell.reset(0, '5')
    background.prepare()
    assert not album.images
    background.offer(1)
    np.testing.assert_array_equal(album.wait()[2], cell.render(CAMERA, 64, 64))
