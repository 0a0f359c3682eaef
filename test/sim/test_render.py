import numpy as np
import pytest

from chef_cell.sim import render
from chef_cell.sim.basket import CAMERAS
from chef_cell.sim.cell import SimCell


@pytest.fixture(scope='module')
def cell():
    made = SimCell('5', cameras=CAMERAS)
    made.reset(0)
    yield made
    made.close()


@pytest.mark.parametrize('name', CAMERAS)
def test_cameras_see_the_three_colours(cell, name):
    pixels = cell.camera(name).read().pixels
    assert pixels.shape == (128, 128, 3)
    assert pixels.dtype == np.uint8
    wide = pixels.astype(int)
    for channel in range(3):
        others = [c for c in range(3) if c != channel]
        share = (wide[..., channel] > 90 + wide[..., others].max(-1)).sum()
        assert share > 20, f'colour {channel} seen by {name}'


def test_images_are_upright(cell):
    """The front cameras look down into the basket: sky and far rim above, floor below."""
    image = cell.render('main_camera', 160, 120).astype(int)
    blueness = image[..., 2] - image[..., 0]
    assert blueness[:10].mean() > blueness[-10:].mean() + 10


def test_sizes_can_change_and_images_repeat(cell):
    small = cell.render(CAMERAS[0], 64, 48)
    large = cell.render(CAMERAS[0], 320, 240)
    assert small.shape == (48, 64, 3)
    assert large.shape == (240, 320, 3)
    np.testing.assert_array_equal(cell.render(CAMERAS[0], 64, 48), small)


def test_a_new_triplet_gets_new_images(cell):
    before = cell.render(CAMERAS[0], 128, 128)
    cell.reset(0, triplet='3')
    assert (cell.render(CAMERAS[0], 128, 128) != before).any()
    cell.reset(0, triplet='5')
    np.testing.assert_array_equal(cell.render(CAMERAS[0], 128, 128), before)


@pytest.mark.parametrize('name', CAMERAS)
def test_the_calibration_says_where_objects_are_seen(cell, name):
    cell.reset(0, triplet='1')
    model, data = cell.model, cell.data
    geom = data.geom(int(model.body('blue').geomadr[0]))  # a prism: its corners are its outline
    first = model.mesh_vertadr[model.geom_dataid[geom.id]]
    count = model.mesh_vertnum[model.geom_dataid[geom.id]]
    corners = model.mesh_vert[first : first + count] @ geom.xmat.reshape(3, 3).T + geom.xpos
    expected = cell.camera(name).calibration(640, 480).project(corners)
    before = model.geom_rgba.copy(), model.mat_rgba.copy()
    try:
        model.mat_rgba[:, 3] = 0.0
        model.geom_rgba[np.arange(model.ngeom) != geom.id, 3] = 0.0
        pixels = cell.render(name, 640, 480).astype(int)
    finally:
        model.geom_rgba[:], model.mat_rgba[:] = before
    rows, columns = np.nonzero(pixels[..., 2] > 60 + pixels[..., 1])
    found = [[columns.min(), rows.min()], [columns.max(), rows.max()]]
    np.testing.assert_allclose(found, [expected.min(axis=0), expected.max(axis=0)], atol=1.5)


def test_an_unknown_camera_is_named(cell):
    with pytest.raises(render.RenderError, match="camera 'ceiling', the scene has"):
        cell.render('ceiling', 64, 64)


def test_without_a_library_the_packages_are_named(monkeypatch):
    monkeypatch.setattr(render.ctypes.util, 'find_library', lambda name: None)
    cell = SimCell('1')
    cell.reset(0)
    with pytest.raises(render.RenderError, match='apt install'):
        cell.render(CAMERAS[0], 64, 64)
