"""A calibrated cell with a board, and what its cameras would see: the truth is known."""

import numpy as np

from chef_cell.calibration import rigid
from chef_cell.calibration.board import Board, Detection
from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.imaging import Intrinsics

BOARD = Board(7, 5, 0.025, 0.018)
LENS = (-0.18, 0.09, 0.001, -0.0005, 0.0)
INTRINSICS = Intrinsics(960, 600, 1030.0, 1028.0, 483.0, 297.0, LENS)
CENTRE = np.array([0.6, 0.0, 0.2])  # m, where the cameras look
#: Where the hand holds the board: below the finger tips, hanging.
BOARD_IN_TOOL = rigid.from_vectors(
    np.array([np.pi / 2, 0.05, -0.03]), np.array([-0.09, 0.01, 0.0])
)


def looking_at(position, target=CENTRE, intrinsics=INTRINSICS):
    """A camera at a position (m, in base) that looks at a target, upright."""
    forward = np.subtract(target, position) / np.linalg.norm(np.subtract(target, position))
    right = np.cross(forward, [0.0, 0.0, 1.0])
    right /= np.linalg.norm(right)
    pose = np.eye(4)
    pose[:3, :3] = np.column_stack((right, np.cross(forward, right), forward))
    pose[:3, 3] = position
    return CameraCalibration(intrinsics, rigid.to_pose(pose))


CAMERAS = {
    'left': looking_at((0.97, -0.375, 0.285)),
    'right': looking_at((0.97, 0.375, 0.285)),
    'back': looking_at((0.06, -0.26, 0.44)),
}


def facing(camera, generator, tilt=0.5, distance=0.45):
    """A board in base, (4, 4), that a camera sees whole from about a distance (m)."""
    turn = generator.uniform(-tilt, tilt, 3)
    motion = rigid.from_vectors(turn, np.zeros(3))
    middle = np.array([*(np.array(BOARD.size) / 2), 0.0])
    place = generator.uniform((-0.06, -0.04, distance - 0.08), (0.06, 0.04, distance + 0.08))
    motion[:3, 3] = place - motion[:3, :3] @ middle
    return rigid.from_pose(camera.pose) @ motion


def seen(camera, place, generator, noise):
    """What a camera sees of a board at a place (4, 4) in base; noise in pixels."""
    corners = BOARD.corners @ place[:3, :3].T + place[:3, 3]
    # From behind there is nothing to see: the board's z axis points away from who looks at it.
    if (place[:3, 3] - camera.pose[:3]) @ place[:3, 2] <= 0.05:
        return Detection(np.empty(0, int), np.empty((0, 2)))
    pixels = camera.project(corners)
    inside = ((pixels > 3) & (pixels < np.array(camera.size) - 3)).all(axis=1)
    pixels = pixels + generator.normal(scale=noise, size=pixels.shape)
    return Detection(np.flatnonzero(inside), pixels[inside])


def held_views(count, noise=0.15, seed=0, cameras=CAMERAS, tilt=0.5):
    """Views of a board in the hand, and the tool's pose (7,) in each."""
    generator = np.random.default_rng(seed)
    views, places = {name: {} for name in cameras}, {}
    for target in cameras.values():
        for _ in range(count):
            board = facing(target, generator, tilt)
            name = f'view_{len(places):03}'
            places[name] = rigid.to_pose(board @ rigid.inverse(BOARD_IN_TOOL))
            for camera, calibration in cameras.items():
                views[camera][name] = seen(calibration, board, generator, noise)
    return views, places
