"""The compiled scene holds the benchmark's constants."""

import dataclasses
import os

import mujoco
import numpy as np
import pytest

from chef_cell.core.settings import SettingsError
from chef_cell.sim import addresses, cache, objects, scene, wheels
from chef_cell.sim.decimate import cluster
from chef_cell.sim.scene import SimSettings


@pytest.fixture(scope='module')
def model():
    return scene.load('1', SimSettings())


def test_options(model):
    assert model.opt.timestep == 0.002
    assert model.opt.noslip_iterations == 0
    assert model.opt.impratio == 10.0
    assert model.opt.cone == mujoco.mjtCone.mjCONE_ELLIPTIC
    assert model.opt.integrator == mujoco.mjtIntegrator.mjINT_EULER
    assert model.opt.disableflags == 0  # several contacts per pair (multiccd) stay on


def test_arm_actuators_integrate_velocity(model):
    for index, force in enumerate((80, 80, 40, 40, 9, 9, 9)):
        actuator = model.actuator(f'arm/j{index}')
        assert actuator.dyntype == mujoco.mjtDyn.mjDYN_INTEGRATOR
        assert actuator.gainprm[0] == 500
        assert actuator.biasprm[:3].tolist() == [0, -500, -50]
        assert actuator.forcerange.tolist() == [-force, force]
        dof = model.joint(f'arm/right_j{index}').dofadr[0]
        assert model.dof_armature[dof] == 1
        assert model.dof_damping[dof] == 0.1
        assert model.dof_frictionloss[dof] == (0.3 if index < 4 else 0.1)
        np.testing.assert_array_equal(actuator.actrange, model.joint(f'arm/right_j{index}').range)


def test_gripper_actuator(model):
    fingers = model.actuator('gripper/fingers_actuator')
    assert fingers.ctrlrange.tolist() == [-255, 255]
    assert fingers.actrange.tolist() == [0, 255]
    assert fingers.gainprm[0] == pytest.approx(100 * 0.8 / 255)
    assert fingers.biasprm[:3].tolist() == [0, -100, 0]
    assert fingers.forcerange.tolist() == [-5, 5]


def test_contacts(model):
    for side in ('left', 'right'):
        for name in (f'reinforced_{side}_fingertip_geom', f'{side}_collision_box1'):
            tip = model.geom(f'gripper/{name}')
            assert tip.condim == 4
            assert tip.friction.tolist() == [0.5, 0.1, 0.01]
            assert tip.solref.tolist() == [-30000, -200]
            assert tip.solimp.tolist() == [0.9, 0.95, 0.001, 0.01, 2]
    for colour in ('red', 'green', 'blue'):
        prop = model.geom(colour)
        assert prop.condim == 6
        assert prop.friction.tolist() == [0.5, 0.005, 0.0001]
        assert prop.solref.tolist() == [0.004, 1]
        assert model.body(colour).mass == pytest.approx(0.2)
    assert model.geom('basket/floor').friction[0] == 1
    assert model.geom('ground').friction[0] == 0.4


def test_masses_are_those_of_dm_robotics(model):
    """Read from the original composition (dm_robotics 0.10.0 under dm_control 1.0.50)."""
    assert model.body('fts300/base_mount').mass == pytest.approx(0.5894252593596269)
    assert model.body('gripper/base').mass == pytest.approx(0.777441)
    assert model.body('gripper/left_pad').mass == pytest.approx(0.0329082744759138)
    arm = sum(model.body_mass[i] for i in addresses.find(model).robot_bodies)
    assert arm == pytest.approx(23.043174426361198)


def test_cameras_and_basket_are_where_they_are_in_the_benchmark(model):
    data = mujoco.MjData(model)
    mujoco.mj_forward(model, data)
    expected = {
        'basket_front_left': (0.970, -0.375, 0.2848),
        'basket_front_right': (0.970, 0.375, 0.2848),
        'basket_back_left': (0.060, -0.260, 0.4398),
    }
    for name, position in expected.items():
        np.testing.assert_allclose(data.camera(f'basket/{name}').xpos, position, atol=1e-6)
    floor = data.geom('basket/floor').xpos[2] + model.geom('basket/floor').size[2]
    assert floor == pytest.approx(0.0498)


def test_heavy_housings_are_drawn_light_but_collide_in_full(model):
    full = scene.load('1', SimSettings(full_meshes=True))

    def drawn(scene_model):
        meshes = [
            scene_model.geom_dataid[g]
            for g in range(scene_model.ngeom)
            if scene_model.geom_dataid[g] >= 0 and scene_model.geom_group[g] < 3
        ]
        return int(scene_model.mesh_facenum[meshes].sum())

    assert drawn(full) > 240_000
    assert drawn(model) < 50_000
    np.testing.assert_allclose(full.body_mass, model.body_mass, rtol=1e-12)
    np.testing.assert_allclose(full.body_inertia, model.body_inertia, rtol=1e-9)
    collide = [int((m.geom_contype > 0).sum()) for m in (full, model)]
    assert collide[0] == collide[1] == 37


def test_clustering_merges_near_vertices_and_drops_flat_faces():
    corners = np.array([[0, 0, 0], [0.0001, 0, 0], [0.1, 0, 0], [0, 0.1, 0]], float)
    vertices, faces = cluster(corners, np.array([[0, 1, 2], [0, 2, 3], [1, 2, 3]]))
    assert len(vertices) == 3
    assert len(faces) == 1


@pytest.mark.parametrize(
    ('change', 'named'),
    [
        ({'physics_period': 0.005}, 'physics_period 0.005 s, allowed'),
        ({'joint_period': 0.003}, 'joint_period 0.003 s, must be a multiple'),
        ({'control_period': 0.004}, 'control_period 0.004 s'),
    ],
)
def test_settings_that_cannot_work_are_refused(change, named):
    with pytest.raises(SettingsError, match=named):
        dataclasses.replace(SimSettings(), **change)


def test_cache_gives_the_same_model_and_survives_a_corrupt_file(tmp_path, monkeypatch, caplog):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.chdir(tmp_path)  # MuJoCo leaves a log where it meets the corrupt file
    built = scene.load('3', SimSettings())
    (path,) = cache.folder().iterdir()
    read = scene.load('3', SimSettings())
    np.testing.assert_array_equal(built.body_inertia, read.body_inertia)
    np.testing.assert_array_equal(built.mesh_vert, read.mesh_vert)
    path.write_bytes(path.read_bytes()[:1000])
    again = scene.load('3', SimSettings())
    assert 'building it anew' in caplog.text
    np.testing.assert_array_equal(built.body_inertia, again.body_inertia)
    assert os.listdir(cache.folder()) == [path.name]
    assert path.stat().st_size > 1_000_000


def test_the_cache_keeps_the_newest_models(tmp_path, monkeypatch, model):
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path))
    monkeypatch.setattr(cache, 'KEPT', 2)
    for key in 'abc':
        cache.model(key, lambda: model)
    assert len(os.listdir(cache.folder())) == 2
    cache.model('c', lambda: pytest.fail('c is the newest'))


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch, caplog):
    (tmp_path / 'file').write_text('in the way')
    monkeypatch.setenv('XDG_CACHE_HOME', str(tmp_path / 'file'))
    assert scene.load('1', SimSettings()).nbody == 32
    assert 'cannot cache' in caplog.text


def test_missing_model_files_name_the_wheel():
    with pytest.raises(wheels.ModelFilesError, match='has no dm_robotics/nothing'):
        wheels.locate(wheels.MOMA, 'dm_robotics/nothing')
    with pytest.raises(wheels.ModelFilesError, match='pip install --no-deps'):
        wheels.locate('no-such-wheel', 'file')


def test_every_object_has_a_mesh_and_parameters():
    assert len(objects.mesh_files()) == 152
    sides, taper = {'sds': 4}, {'shr': 75, 'drf': 0, 'hlw': 0, 'shx': 0, 'shy': 0}
    assert objects.parameters('r3') == {**sides, **taper, 'scx': 41, 'scy': 49, 'scz': 71}


@pytest.mark.parametrize(
    ('object_id', 'extent'),
    [('s0', (50, 50, 50)), ('g6', (40, 56, 80)), ('r6', (29, 29, 150)), ('r5', (50, 95, 50))],
)
def test_objects_have_their_size(object_id, extent):
    loaded = scene.load(f'{object_id},s0,b2', SimSettings())
    mesh = loaded.mesh('red').id
    begin = loaded.mesh_vertadr[mesh]
    vertices = loaded.mesh_vert[begin : begin + loaded.mesh_vertnum[mesh]]
    rotation = np.empty(9)
    mujoco.mju_quat2Mat(rotation, loaded.mesh_quat[mesh])
    size = np.ptp(vertices @ rotation.reshape(3, 3).T, axis=0) * 1000
    np.testing.assert_allclose(size, extent, atol=0.1)


def test_triplets():
    assert objects.resolve_triplet('2') == ('r5', 'g2', 'b3')
    assert objects.resolve_triplet('s0,r6,g2') == ('s0', 'r6', 'g2')
    with pytest.raises(objects.UnknownObjectError, match="triplet '6': allowed are 1, 2, 3, 4, 5"):
        objects.resolve_triplet('6')
    with pytest.raises(objects.UnknownObjectError, match="object 'zz' is not one of"):
        objects.resolve_triplet('s0,zz,g2')
