"""The RGB objects: convex prisms named by id, and the triplets of the benchmark.

The wheel holds one mesh per id, whose file name carries the parameters it was made from (Lee et
al., 2021, appendix): `sds` sides, `shr` taper in percent, `drf` draft, `hlw` hollow, `shx`, `shy`
shear in degrees, `scx`, `scy`, `scz` size in mm.
"""

import functools
import pathlib
import re

import mujoco
import numpy as np

from chef_cell.core.convex_shape import ConvexShape
from chef_cell.core.readings import COLOURS
from chef_cell.sim import wheels

MESHES = 'dm_robotics/manipulation/props/rgb_objects/assets/rgb_v1.3/meshes'
#: (red, green, blue); the task is red on blue.
TRIPLETS = {
    '1': ('r3', 's0', 'b2'),
    '2': ('r5', 'g2', 'b3'),
    '3': ('r6', 'g3', 'b5'),
    '4': ('s0', 'g5', 'b6'),
    '5': ('r2', 'g6', 's0'),
}
MASS = 0.2  # kg
_RGBA = {'red': (1, 0, 0, 1), 'green': (0, 1, 0, 1), 'blue': (0, 0, 1, 1)}


class UnknownObjectError(ValueError):
    """A triplet or object id does not exist."""


@functools.cache
def mesh_files() -> dict[str, pathlib.Path]:
    """Return object id -> mesh file, for all 152 objects."""
    folder = wheels.locate(wheels.MANIPULATION, MESHES)
    return {path.name.split('_')[0]: path for path in sorted(folder.glob('*/*.stl'))}


def parameters(object_id: str) -> dict[str, int]:
    """Return the shape parameters of an object, from its file name."""
    _check(object_id)
    pairs = re.findall(r'_([a-z]{3})(\d+)', mesh_files()[object_id].stem)
    return {name: int(value) for name, value in pairs}


def resolve_triplet(triplet: str) -> tuple[str, str, str]:
    """Return the (red, green, blue) object ids of `triplet`.

    Args:
        triplet: '1' .. '5', or three object ids joined by commas, such as 'r3,s0,b2'.

    Raises:
        UnknownObjectError: naming what is allowed.
    """
    if triplet in TRIPLETS:
        return TRIPLETS[triplet]
    ids = tuple(triplet.split(','))
    if len(ids) != len(COLOURS):
        raise UnknownObjectError(
            f'triplet {triplet!r}: allowed are {", ".join(TRIPLETS)}, or three object ids for '
            f'red, green and blue joined by commas, such as r3,s0,b2'
        )
    for object_id in ids:
        _check(object_id)
    return ids[0], ids[1], ids[2]


@functools.cache
def shape(object_id: str) -> ConvexShape:
    """Return the shape of an object, in the frame that its pose is told of.

    Raises:
        UnknownObjectError: no such object.
    """
    _check(object_id)
    scene = mujoco.MjSpec()
    scene.add_mesh(name='object', file=str(mesh_files()[object_id]))
    scene.worldbody.add_geom(type=mujoco.mjtGeom.mjGEOM_MESH, meshname='object')
    model = scene.compile()
    # MuJoCo keeps meshes in the axes of their inertia; this undoes it.
    turn = np.empty(9)
    mujoco.mju_quat2Mat(turn, model.mesh_quat[0])
    vertices = model.mesh_vert @ turn.reshape(3, 3).T + model.mesh_pos[0]
    return ConvexShape.from_triangles(vertices[model.mesh_face])


def add_objects(scene: mujoco.MjSpec, ids: tuple[str, str, str]) -> None:
    """Add three free bodies named by their colours to `scene`."""
    for colour, object_id in zip(COLOURS, ids, strict=True):
        scene.add_mesh(name=colour, file=str(mesh_files()[object_id]))
        body = scene.worldbody.add_body(name=colour)
        body.add_freejoint(name=colour)
        body.add_geom(
            name=colour,
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=colour,
            mass=MASS,
            condim=6,
            friction=[0.5, 0.005, 0.0001],
            solref=[0.004, 1.0],
            rgba=_RGBA[colour],
            group=1,
        )


def _check(object_id: str) -> None:
    if object_id not in mesh_files():
        raise UnknownObjectError(
            f'object {object_id!r} is not one of the RGB objects: {", ".join(mesh_files())}'
        )
