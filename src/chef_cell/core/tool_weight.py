"""What hangs on the wrist sensor, found from its readings in some orientations of the arm at rest.

At rest the sensor feels its own bias and the tool's weight, turned into its axes by the arm:

    force  = bias_force  + mass d             with d the acceleration of gravity in its axes
    torque = bias_torque + mass centre x d

Both are linear in what is sought (bias and mass; bias and mass x centre), so each is one least
squares problem; cf. Atkeson, An and Hollerbach (1986), Estimation of inertial parameters of
manipulator loads and links.
"""

import dataclasses
from collections.abc import Sequence

import numpy as np

from chef_cell.core.wrench import GRAVITY, quaternion, rotation


class IdentificationError(ValueError):
    """The readings do not tell what hangs on the sensor."""


@dataclasses.dataclass(frozen=True)
class RestingWrench:
    """Mean reading of the sensor while the arm rests and nothing touches the tool."""

    wrist: np.ndarray  # orientation of the wrist in base, wxyz, (4,)
    force: np.ndarray  # N, (3,), in the sensor's axes
    torque: np.ndarray  # N m, (3,)


@dataclasses.dataclass(frozen=True)
class ToolWeight:
    """What was found; errors are standard deviations."""

    bias_force: np.ndarray  # N, (3,)
    bias_torque: np.ndarray  # N m, (3,)
    mass: float  # kg
    mass_error: float  # kg
    centre: np.ndarray  # m, (3,), centre of gravity in the sensor's axes
    centre_error: np.ndarray  # m, (3,)
    force_residual: float  # N, root mean square of what is left unexplained
    torque_residual: float  # N m


#: Root mean square of what may be left unexplained (N, N m). A hundred readings of an FT 300
#: average to 0.12 N; the rest is for its hysteresis.
FORCE_RESIDUAL, TORQUE_RESIDUAL = 0.5, 0.05
#: Orientations needed.
LEAST_COUNT = 4
#: Root mean square spread of the direction of gravity (rad) that two of its axes must have: a
#: centre of gravity is not seen along the only axis about which a tool was tilted.
LEAST_SPREAD = 0.2
#: Least mass (kg) that can be called one.
LEAST_MASS = 0.05


def identify(samples: Sequence[RestingWrench], sensor_orientation: np.ndarray) -> ToolWeight:
    """Find bias, mass and centre of gravity.

    Args:
        samples: readings in different orientations of the wrist.
        sensor_orientation: of the sensor in the wrist's frame, wxyz, (4,).

    Raises:
        IdentificationError: too few samples or orientations too much alike, or readings that no
            tool explains; says what does where there is an answer.
    """
    down, forces, torques = _arrays(samples, rotation(sensor_orientation))
    force = _solve(np.eye(3), down[:, :, None], forces)
    # centre x d = -d x centre
    torque = _solve(np.eye(3), np.array([-_cross(d) for d in down]), torques)
    mass = float(force.unknown[3])
    _check_force(samples, sensor_orientation, mass, force.residual)
    if torque.residual > TORQUE_RESIDUAL:
        raise IdentificationError(
            f'torque residual {torque.residual:.3f} N m, limit {TORQUE_RESIDUAL} N m: '
            'was the arm at rest and free?'
        )
    centre = torque.unknown[3:] / mass
    relative = force.error[3] / mass
    return ToolWeight(
        force.unknown[:3],
        torque.unknown[:3],
        mass,
        float(force.error[3]),
        centre,
        np.hypot(torque.error[3:] / mass, centre * relative),
        force.residual,
        torque.residual,
    )


@dataclasses.dataclass(frozen=True)
class Mounting:
    """How a sensor would have to sit on the wrist for its forces to be those of a weight."""

    orientation: np.ndarray  # of the sensor in the wrist's frame, wxyz, (4,)
    inverted: bool  # whether all its signs are reversed
    residual: float  # N, root mean square


def find_mounting(samples: Sequence[RestingWrench]) -> Mounting:
    """Find the mounting that explains the forces best (Kabsch, 1976).

    Raises:
        IdentificationError: too few samples or orientations too much alike.
    """
    down, forces, _ = _arrays(samples, np.eye(3))
    down, forces = down - down.mean(axis=0), forces - forces.mean(axis=0)
    return min((_mounting(down, forces, sign) for sign in (1, -1)), key=lambda m: m.residual)


def _mounting(down: np.ndarray, forces: np.ndarray, sign: int) -> Mounting:
    left, values, right = np.linalg.svd(sign * forces.T @ down)
    values = values * [1.0, 1.0, np.linalg.det(left @ right)]
    turned = left @ np.diag([1.0, 1.0, np.linalg.det(left @ right)]) @ right
    mass = values.sum() / np.sum(down**2)
    residual = float(np.sqrt(np.mean((forces - sign * mass * down @ turned.T) ** 2)))
    return Mounting(quaternion(turned.T), sign < 0, residual)


def _check_force(
    samples: Sequence[RestingWrench], sensor_orientation: np.ndarray, mass: float, residual: float
) -> None:
    """Raise IdentificationError unless the forces are those of a weight."""
    if residual <= FORCE_RESIDUAL and mass >= LEAST_MASS:
        return
    what = f'force residual {residual:.2f} N, limit {FORCE_RESIDUAL} N; mass {mass:.3f} kg: '
    better = find_mounting(samples)
    spread = np.std([sample.force for sample in samples], axis=0).max()
    if spread < LEAST_MASS * GRAVITY * LEAST_SPREAD:
        raise IdentificationError(what + 'the sensor feels no weight')
    if better.residual > FORCE_RESIDUAL:
        raise IdentificationError(what + 'was the arm at rest and free, is the tool tight?')
    angle = 2 * np.arccos(min(1.0, abs(float(better.orientation @ sensor_orientation))))
    raise IdentificationError(
        f'{what}the forces are those of a sensor with sensor_orientation '
        f'{better.orientation.round(4).tolist()}, turned by {np.degrees(angle):.0f} degrees'
        + (', with inverted: true' if better.inverted else '')
        + f' (residual {better.residual:.2f} N)'
    )


def _arrays(
    samples: Sequence[RestingWrench], sensor: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Gravity (n, 3) in the sensor's axes (m/s^2), forces (n, 3) and torques (n, 3)."""
    if len(samples) < LEAST_COUNT:
        raise IdentificationError(f'{len(samples)} orientations, at least {LEAST_COUNT} needed')
    gravity = np.array([0.0, 0.0, -GRAVITY])
    down = np.array([sensor.T @ rotation(sample.wrist).T @ gravity for sample in samples])
    forces = np.array([sample.force for sample in samples])
    torques = np.array([sample.torque for sample in samples])
    if not all(np.isfinite(values).all() for values in (down, forces, torques)):
        raise IdentificationError('a reading is not finite')
    spread = np.linalg.svd(down - down.mean(axis=0))[1] / np.sqrt(len(down)) / GRAVITY
    if spread[1] < LEAST_SPREAD:
        raise IdentificationError(
            f'the tool was tilted by {spread[0]:.2f} and {spread[1]:.2f} rad about two axes (root '
            f'mean square), at least {LEAST_SPREAD} needed about both: tilt it further'
        )
    return down, forces, torques


@dataclasses.dataclass(frozen=True)
class _Solution:
    unknown: np.ndarray
    error: np.ndarray  # standard deviation of each
    residual: float  # root mean square


def _solve(bias: np.ndarray, weight: np.ndarray, measured: np.ndarray) -> _Solution:
    """Least squares of measured[i] = [bias weight[i]] unknown over all i."""
    matrix = np.concatenate([np.hstack([bias, block]) for block in weight])
    unknown = np.linalg.lstsq(matrix, measured.ravel(), rcond=None)[0]
    left = measured.ravel() - matrix @ unknown
    variance = left @ left / (len(left) - len(unknown))
    error = np.sqrt(variance * np.diag(np.linalg.inv(matrix.T @ matrix)))
    return _Solution(unknown, error, float(np.sqrt(np.mean(left**2))))


def _cross(vector: np.ndarray) -> np.ndarray:
    """The matrix (3, 3) that multiplies as the cross product with `vector` does."""
    x, y, z = vector
    return np.array([[0.0, -z, y], [z, 0.0, -x], [-y, x, 0.0]])
