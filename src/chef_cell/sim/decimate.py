"""Light stand-ins for the heavy housing meshes: what the cameras see, not what collides."""

import mujoco
import numpy as np

HEAVY = 10_000  # faces; a mesh above this is drawn through a stand-in
CELL = 0.003  # m, vertices within one cell of this size become one
HIDDEN_GROUP = 4  # of geoms that collide but are not drawn


def lighten(scene: mujoco.MjSpec) -> None:
    """Draw every heavy mesh of `scene` through a decimated copy; collisions keep the original."""
    model = scene.compile()
    heavy = [model.mesh(index).name for index in np.flatnonzero(model.mesh_facenum > HEAVY)]
    for name in heavy:
        vertices, faces = cluster(*_mesh(model, name))
        scene.add_mesh(
            name=f'{name}_light',
            uservert=vertices.ravel(),
            userface=faces.ravel(),
            inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,  # it need not be watertight
        )
    for geom in [geom for geom in scene.geoms if geom.meshname in heavy]:
        geom.parent.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=f'{geom.meshname}_light',
            pos=geom.pos,
            quat=geom.quat,
            rgba=geom.rgba,
            contype=0,
            conaffinity=0,
            mass=0.0,
            group=1,
        )
        geom.group = HIDDEN_GROUP


def cluster(vertices: np.ndarray, faces: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Merge the vertices within each cell of a grid into their mean; drop faces that collapse.

    Args:
        vertices: m, (v, 3).
        faces: indices, (f, 3).
    """
    cells = np.floor(vertices / CELL).astype(int)
    _, label = np.unique(cells, axis=0, return_inverse=True)
    label = label.ravel()
    count = np.bincount(label)
    merged = np.stack([np.bincount(label, column) / count for column in vertices.T], axis=1)
    corners = label[faces]
    distinct = (corners != np.roll(corners, 1, axis=1)).all(axis=1)
    return merged, np.unique(_rotated(corners[distinct]), axis=0)


def _rotated(corners: np.ndarray) -> np.ndarray:
    """Start each face at its smallest index, so that equal faces look equal."""
    first = np.argmin(corners, axis=1)
    order = (first[:, None] + np.arange(3)) % 3
    return np.take_along_axis(corners, order, axis=1)


def _mesh(model: mujoco.MjModel, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Return vertices and faces as in the mesh's file; the compiler moves meshes to their axes."""
    mesh = model.mesh(name).id
    begin, face = model.mesh_vertadr[mesh], model.mesh_faceadr[mesh]
    rotation = np.empty(9)
    mujoco.mju_quat2Mat(rotation, model.mesh_quat[mesh])
    vertices = model.mesh_vert[begin : begin + model.mesh_vertnum[mesh]]
    return (
        vertices @ rotation.reshape(3, 3).T + model.mesh_pos[mesh],
        model.mesh_face[face : face + model.mesh_facenum[mesh]],
    )
