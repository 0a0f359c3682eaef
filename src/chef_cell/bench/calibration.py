"""How well are cameras calibrated? In the simulated cell the truth is known.

    python -m chef_cell.bench.calibration [--views 12] [--size 960x600] [--out DIR]

A textured board is shown to each of the three cameras in turn, in the gripper and without it, as
a person would. The pictures go through files and the whole of `chef calibrate cameras`; what comes
out is compared with the cameras of the model. The arm of the simulation is exact, its lenses are
ideal: a real Sawyer adds what it does not know of its own hand, 1 to 2 mm.
"""

import argparse
import tempfile
from pathlib import Path

import mujoco
import numpy as np
from rich.console import Console
from rich.progress import track
from rich.table import Table

from chef_cell.calibration import pictures, rigid
from chef_cell.calibration.board import Board
from chef_cell.calibration.calibrate import Calibration, calibrate
from chef_cell.calibration.report import write_report
from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.position_kinematics import NEUTRAL, Goal, PositionKinematics
from chef_cell.sim import addresses, basket, objects, robot, scene
from chef_cell.sim.basket import CAMERAS
from chef_cell.sim.cell import SimCell
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.sim.render import Renderer

BOARD = Board(7, 5, 0.025, 0.018)
#: The board in the tool: it hangs from the finger tips, its face aside.
HELD = rigid.from_vectors(np.array([np.pi / 2, 0.0, 0.0]), np.array([-0.0875, 0.0, 0.0]))
#: How far (m) from a camera's axis, and at which distances, the board is shown; its tilt (rad).
ASIDE, DISTANCES, TILT = 0.11, (0.30, 0.48), 0.5
_TEXELS = 6000.0  # a metre
_CENTRE = np.array([[0.6, 0.0, 0.1]])  # m, where errors are told


def scene_with_board(settings: scene.SimSettings) -> mujoco.MjModel:
    """Return the cell with a board in its gripper."""
    spec = scene.compose(objects.resolve_triplet('1'), settings)
    pixels = BOARD.draw(_TEXELS)
    width, height = BOARD.size
    texture = spec.add_texture(
        name='board',
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        width=pixels.shape[1],
        height=pixels.shape[0],
        nchannel=3,
    )
    texture.data = np.repeat(pixels[..., None], 3, axis=2).tobytes()
    material = spec.add_material(name='board', specular=0.0, shininess=0.0, emission=0.5)
    material.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = 'board'
    mesh = spec.add_mesh(
        name='board',
        uservert=[0, 0, 0, width, 0, 0, width, height, 0, 0, height, 0],
        userface=[0, 2, 1, 0, 3, 2],
        usertexcoord=[0, 0, 1, 0, 1, 1, 0, 1],
    )
    mesh.inertia = mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL
    tool = next(site for site in spec.sites if site.name == robot.TOOL_SITE)
    place = rigid.to_pose(HELD)
    tool.parent.add_geom(
        name='board',
        type=mujoco.mjtGeom.mjGEOM_MESH,
        meshname='board',
        material='board',
        contype=0,
        conaffinity=0,
        mass=1e-3,
        pos=tool.pos + place[:3],
        quat=place[3:],
    )
    return spec.compile()


def facing(camera: CameraCalibration, generator: np.random.Generator) -> np.ndarray:
    """Return a place (4, 4) in base of a board that a camera sees."""
    board = rigid.from_vectors(generator.uniform(-TILT, TILT, 3), np.zeros(3))
    aside = generator.uniform(-ASIDE, ASIDE, 2)
    middle = np.array([*(np.array(BOARD.size) / 2), 0.0])
    board[:3, 3] = (*aside, generator.uniform(*DISTANCES)) - board[:3, :3] @ middle
    return rigid.from_pose(camera.pose) @ board


def posture(camera: CameraCalibration, generator: np.random.Generator) -> np.ndarray:
    """Return joints (rad, (7,)) that show the board in the hand to a camera."""
    arm = PositionKinematics(ArmKinematics())
    while True:
        board = facing(camera, generator)
        if not _clear(board):
            continue
        goal = Goal(rigid.to_pose(board @ rigid.inverse(HELD)), 'right_gripper_tip')
        joints, _ = arm.inverse(goal, np.array(NEUTRAL))
        if joints is not None:
            return joints


def _clear(board: np.ndarray) -> bool:
    """Whether a board (4, 4) in base is above the basket, whose rim rises by 25.5 degrees."""
    corners = BOARD.corners @ board[:3, :3].T + board[:3, 3]
    beyond = np.abs(corners[:, :2] - basket.POSITION[:2]).max(axis=1) - 0.10
    floor = basket.FLOOR + np.tan(np.radians(25.5)) * np.maximum(beyond, 0.0)
    return bool((corners[:, 2] > floor + 1.5 * BOARD.square).all())


class Stage:
    """The cell with its board, in the hand or held before a camera by nobody."""

    def __init__(self) -> None:
        settings = scene.SimSettings(multisampling=4)
        self._model = scene_with_board(settings)
        self._data, self.renderer = mujoco.MjData(self._model), Renderer(self._model, settings)
        self._joints = addresses.find(self._model).arm_position
        self._board = self._data.geom('board')

    def pose(self, joints: np.ndarray) -> None:
        """Bring the arm, and the board in its hand, to joints (rad, (7,))."""
        self._data.qpos[self._joints] = joints
        mujoco.mj_forward(self._model, self._data)

    def hold(self, place: np.ndarray) -> None:
        """Take the board out of the hand to a place (4, 4) in base, until the next `pose`."""
        tool = rigid.from_pose(ArmKinematics().tool_pose(self._data.qpos[self._joints]))
        shown = np.eye(4)  # MuJoCo moves a mesh's frame to its middle
        shown[:3, :3], shown[:3, 3] = self._board.xmat.reshape(3, 3), self._board.xpos
        shown = place @ rigid.inverse(tool @ HELD) @ shown
        self._board.xmat[:], self._board.xpos[:] = shown[:3, :3].ravel(), shown[:3, 3]

    def shoot(self, truth: dict[str, CameraCalibration]) -> dict[str, np.ndarray]:
        """Return what all cameras see."""
        return {
            name: self.renderer.render(self._data, name, *camera.size)
            for name, camera in truth.items()
        }


def take(folder: Path, truth: dict[str, CameraCalibration], count: int) -> None:
    """Fill a folder with views as `chef calibrate collect` takes them, in the hand and not."""
    stage, generator = Stage(), np.random.default_rng(0)
    cameras = [camera for camera in truth.values() for _ in range(count)]
    for camera in track(cameras, 'taking pictures'):
        joints = posture(camera, generator)
        stage.pose(joints)
        name = pictures.new_name(folder)
        pictures.write_view(folder, name, stage.shoot(truth), BOARD, joints=joints)
        stage.pose(np.array(NEUTRAL))
        stage.hold(facing(camera, generator))
        pictures.write_view(folder, pictures.new_name(folder), stage.shoot(truth), BOARD)
    stage.renderer.close()


def table(result: Calibration, truth: dict[str, CameraCalibration]) -> Table:
    """Return the errors of each camera."""
    shown = Table(title='calibration of the simulated cell')
    titles = 'camera', 'views', 'error (pixels)', 'position (mm)', 'angle (mrad)', 'focal (%)'
    for title in (*titles, 'basket seen off by (mm)'):
        shown.add_column(title, justify='left' if title == 'camera' else 'right')
    for name, camera in truth.items():
        found, errors = result.extrinsics.cameras[name], result.extrinsics.errors[name]
        apart = rigid.turn_between(rigid.from_pose(found.pose), rigid.from_pose(camera.pose))
        distance = float(np.linalg.norm(_CENTRE - camera.pose[:3]))
        off = float(np.linalg.norm(found.project(_CENTRE) - camera.project(_CENTRE)))
        values = (
            len(errors),
            f'{np.sqrt(np.mean(np.square(list(errors.values())))):.3f}',
            f'{1e3 * np.linalg.norm(found.pose[:3] - camera.pose[:3]):.2f}',
            f'{1e3 * np.linalg.norm(apart):.2f}',
            f'{100 * (found.intrinsics.fx / camera.intrinsics.fx - 1):+.2f}',
            f'{1e3 * off * distance / camera.intrinsics.fx:.2f}',
        )
        shown.add_row(name, *map(str, values))
    return shown


def main() -> None:
    """Run the bench."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        '--views', type=int, default=12, help='of each kind for each camera. Default: 12'
    )
    parser.add_argument('--size', default='960x600', help='of the images. Default: 960x600')
    parser.add_argument('--out', type=Path, help='keep pictures and report in this folder')
    options = parser.parse_args()
    width, height = (int(part) for part in options.size.split('x'))
    cell = SimCell('1', cameras=CAMERAS)
    truth = {name: cell.camera(name).calibration(width, height) for name in CAMERAS}
    with tempfile.TemporaryDirectory(prefix='chef_calibration_') as temporary:
        folder = options.out or Path(temporary)
        take(folder, truth, options.views)
        result = calibrate(pictures.read_set(folder), {}, ArmKinematics())
        write_report(folder / 'calibration.html', result)
        Console(width=120).print(table(result, truth))


if __name__ == '__main__':
    main()
