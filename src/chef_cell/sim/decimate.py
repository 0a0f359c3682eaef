"""Stand-ins for the robot's heavy meshes: hulls that collide, light meshes for the cameras."""

import mujoco
import numpy as np

HEAVY = 2_000  # faces
CELL = 0.003  # m, vertices within one cell of this size become one
HIDDEN_GROUP = 4  # of geoms that collide but are not drawn


def lighten(scene: mujoco.MjSpec, full_meshes: bool) -> None:
    """Give every geom with a heavy mesh its convex hull to collide and a copy to be seen.

    MuJoCo collides convex hulls anyway, so contacts stay the same, and so does every body's
    inertia; the compiled scene shrinks to a fifth.

    Args:
        scene: the editable model to change.
        full_meshes: draw the original mesh, not a decimated one.
    """
    model = scene.compile()
    heavy = [model.mesh(index).name for index in np.flatnonzero(model.mesh_facenum > HEAVY)]
    for name in heavy:
        vertices, faces, hull = _mesh(model, name)
        scene.add_mesh(name=f'{name}_hull', uservert=hull.ravel())
        if not full_meshes:
            scene.delete(scene.mesh(name))
            vertices, faces = cluster(vertices, faces)
            scene.add_mesh(
                name=name,
                uservert=vertices.ravel(),
                userface=faces.ravel(),
                inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL,  # it may have gaps
            )
    for geom in [geom for geom in scene.geoms if geom.meshname in heavy]:
        _keep_inertia(geom.parent, model)
        geom.parent.add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=geom.meshname,
            pos=geom.pos,
            quat=geom.quat,
            rgba=geom.rgba,
            material=geom.material,
            contype=0,
            conaffinity=0,
            group=1,
        )
        geom.meshname += '_hull'
        geom.group = HIDDEN_GROUP


def _keep_inertia(body: mujoco.MjsBody, model: mujoco.MjModel) -> None:
    """Fix the inertia of `body` at what its original geoms gave it."""
    index = model.body(body.name).id
    body.explicitinertial = True
    body.mass = model.body_mass[index]
    body.ipos = model.body_ipos[index]
    body.iquat = model.body_iquat[index]
    body.inertia = model.body_inertia[index]


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


def _mesh(model: mujoco.MjModel, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return vertices, faces and hull vertices as in the mesh's file.

    The compiler moves a mesh to its principal axes; this moves it back.
    """
    mesh = model.mesh(name).id
    begin, face, graph = (
        int(table[mesh]) for table in (model.mesh_vertadr, model.mesh_faceadr, model.mesh_graphadr)
    )
    rotation = np.empty(9)
    mujoco.mju_quat2Mat(rotation, model.mesh_quat[mesh])
    vertices = model.mesh_vert[begin : begin + model.mesh_vertnum[mesh]].astype(float)
    vertices = vertices @ rotation.reshape(3, 3).T + model.mesh_pos[mesh]
    # The graph begins with the numbers of hull vertices and faces, then one address per vertex,
    # then the vertices' indices.
    count = int(model.mesh_graph[graph])
    hull = model.mesh_graph[graph + 2 + count : graph + 2 + 2 * count]
    return vertices, model.mesh_face[face : face + model.mesh_facenum[mesh]], vertices[hull]
