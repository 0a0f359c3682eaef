"""Where tool and wrist are for given joint positions, without a physics engine.

The cell computes the same from its MuJoCo model of the arm (`chef_cell.sim.kinematics`); this is
for programs that read episode files where there is none. A test holds the two together.
"""

import math
from typing import Protocol

import numpy as np

#: Frames of the Sawyer's links 0 .. 6 in the frame of the link before: position (m), quaternion
#: wxyz. Each link turns about its own z axis. From `sawyer.xml` of dm_robotics 0.10.0.
LINKS = (
    ((0.0, 0.0, 0.08), (1.0, 0.0, 0.0, 0.0)),
    ((0.081, 0.05, 0.237), (0.5, -0.5, 0.5, 0.5)),
    ((0.0, -0.14, 0.1325), (math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0)),
    ((0.0, -0.042, 0.26), (math.sqrt(0.5), -math.sqrt(0.5), 0.0, 0.0)),
    ((0.0, -0.115, -0.1265), (math.sqrt(0.5), math.sqrt(0.5), 0.0, 0.0)),
    ((0.0, 0.031, 0.275), (math.sqrt(0.5), -math.sqrt(0.5), 0.0, 0.0)),
    (
        (0.0, -0.11, 0.1053),
        (0.06162481001443177, 0.0616300100152768, -0.7044161144721925, 0.7044161144721925),
    ),
)
#: The flange in link 6, and the point between the finger tips behind FTS-300 and 2F-85 in it.
WRIST = ((0.0, 0.0, 0.0245), (math.sqrt(0.5), 0.0, 0.0, math.sqrt(0.5)))
TOOL = ((0.0, 0.0, 0.0245 + 0.0415 + 0.007 + 0.0038 + 0.1489), (1.0, 0.0, 0.0, 0.0))

Vector = tuple[float, float, float]
Quaternion = tuple[float, float, float, float]


class Kinematics(Protocol):
    """Forward kinematics of the arm with its gripper."""

    def tool_pose(self, position: np.ndarray) -> np.ndarray:
        """Pose (7,) of the tool frame in base for joint positions (7,) in rad."""

    def wrist_pose(self, position: np.ndarray) -> np.ndarray:
        """Pose (7,) of the wrist frame in base."""

    def wrist_jacobian(self, position: np.ndarray) -> np.ndarray:
        """Geometric Jacobian (6, 7) of the wrist frame, linear rows first, in base axes."""


class SawyerKinematics:
    """`Kinematics` of a Sawyer with FTS-300 and 2F-85, as a chain of link frames.

    The last joint positions are remembered: several results at one instant cost one pass.
    """

    def __init__(self) -> None:
        self._key = b''
        self._frames: list[tuple[Vector, Quaternion]] = []

    def tool_pose(self, position: np.ndarray) -> np.ndarray:
        """Pose (7,) of the point between the finger tips: m, quaternion wxyz."""
        return _pose(*_behind(self._links(position)[-1], *TOOL))

    def wrist_pose(self, position: np.ndarray) -> np.ndarray:
        """Pose (7,) of the arm's flange: m, quaternion wxyz."""
        return _pose(*_behind(self._links(position)[-1], *WRIST))

    def wrist_jacobian(self, position: np.ndarray) -> np.ndarray:
        """Geometric Jacobian (6, 7) of the flange, linear rows first, in base axes."""
        links = self._links(position)
        wrist, _ = _behind(links[-1], *WRIST)
        axes = np.array([_turned((0.0, 0.0, 1.0), turn) for _, turn in links])
        arms = np.array([np.subtract(wrist, origin) for origin, _ in links])
        return np.vstack((np.cross(axes, arms).T, axes.T))

    def _links(self, position: np.ndarray) -> list[tuple[Vector, Quaternion]]:
        """Return the links' frames in base; raises ValueError unless (7,) and finite."""
        position = np.ascontiguousarray(position, np.float64)
        if position.shape != (7,):
            raise ValueError(f'joint positions have shape {position.shape}, expected (7,)')
        if position.tobytes() != self._key:
            if not np.isfinite(position).all():
                raise ValueError(f'joint positions {position.tolist()} are not finite')
            self._key = position.tobytes()
            self._frames = []
            frame: tuple[Vector, Quaternion] = (0.0, 0.0, 0.0), (1.0, 0.0, 0.0, 0.0)
            for angle, link in zip(position.tolist(), LINKS, strict=True):
                origin, turn = _behind(frame, *link)
                about_z = math.cos(angle / 2), 0.0, 0.0, math.sin(angle / 2)
                frame = origin, _product(turn, about_z)
                self._frames.append(frame)
        return self._frames


def _behind(
    frame: tuple[Vector, Quaternion], offset: Vector, turn: Quaternion
) -> tuple[Vector, Quaternion]:
    """Return the frame at `offset`, turned by `turn`, in `frame`."""
    (x, y, z), (dx, dy, dz) = frame[0], _turned(offset, frame[1])
    return (x + dx, y + dy, z + dz), _product(frame[1], turn)


def _product(p: Quaternion, q: Quaternion) -> Quaternion:
    pw, px, py, pz = p
    qw, qx, qy, qz = q
    return (
        pw * qw - px * qx - py * qy - pz * qz,
        pw * qx + px * qw + py * qz - pz * qy,
        pw * qy - px * qz + py * qw + pz * qx,
        pw * qz + px * qy - py * qx + pz * qw,
    )


def _turned(vector: Vector, turn: Quaternion) -> Vector:
    w, x, y, z = turn
    _, *turned = _product(_product(turn, (0.0, *vector)), (w, -x, -y, -z))
    return turned[0], turned[1], turned[2]


def _pose(origin: Vector, turn: Quaternion) -> np.ndarray:
    """Return the pose (7,) whose quaternion has unit length and a positive first non-zero."""
    sign = next((math.copysign(1.0, c) for c in turn if abs(c) > 1e-12), 1.0)
    norm = sign * math.hypot(*turn)
    return np.array([*origin, *(c / norm for c in turn)])
