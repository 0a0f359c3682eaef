"""From the raw wrench at the sensor to the force the tool meets: zeroing, tool weight, frame.

    force  = R (raw - bias - weight)                     seen in the tool's axes
    torque = R (raw - bias - centre x weight - p x force')   about the tool's origin

with R and p the tool frame in the sensor frame, `force'` the compensated force still in sensor
axes, and `weight` the tool's weight turned into the sensor frame by the arm's posture.
"""

import dataclasses
import math

import numpy as np

from chef_cell.core.readings import WrenchReading

GRAVITY = 9.80665  # m/s^2, standard gravity; the base frame's z axis points up


@dataclasses.dataclass(frozen=True)
class WrenchSettings:
    """What hangs on the sensor, and where the result is wanted.

    The defaults change nothing: a simulated sensor has no bias, and the simulated arm, gripper
    and sensor carry their own weight.
    """

    bias_force: tuple[float, ...] = (0.0, 0.0, 0.0)  # N, reading when nothing pulls
    bias_torque: tuple[float, ...] = (0.0, 0.0, 0.0)  # N m
    tool_mass: float = 0.0  # kg below the sensor
    tool_centre: tuple[float, ...] = (0.0, 0.0, 0.0)  # m, centre of gravity in the sensor frame
    tool_position: tuple[float, ...] = (0.0, 0.0, 0.0)  # m, output frame in the sensor frame
    tool_orientation: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)  # wxyz, same
    sensor_orientation: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0)  # wxyz, sensor in the wrist frame
    force_range: float = 300.0  # N, measuring range of each axis
    torque_range: float = 30.0  # N m

    def __post_init__(self) -> None:
        for name, count in _LENGTHS.items():
            values = getattr(self, name)
            if len(values) != count or not all(map(math.isfinite, values)):
                raise ValueError(f'{name} = {values}, expected {count} finite numbers')
        for name in ('tool_orientation', 'sensor_orientation'):
            norm = math.hypot(*getattr(self, name))
            if abs(norm - 1) > 1e-3:
                raise ValueError(f'{name} has norm {norm:.4f}, expected a unit quaternion')
        if not self.tool_mass >= 0:
            raise ValueError(f'tool_mass {self.tool_mass} kg, must not be negative')
        if not (self.force_range > 0 and self.torque_range > 0):
            raise ValueError(
                f'force_range {self.force_range} N, torque_range {self.torque_range} N m: '
                'must be positive'
            )


_LENGTHS = {
    'bias_force': 3,
    'bias_torque': 3,
    'tool_centre': 3,
    'tool_position': 3,
    'tool_orientation': 4,
    'sensor_orientation': 4,
}


class ZeroingError(ValueError):
    """The sensor cannot be zeroed now."""


class WrenchCompensation:
    """Removes bias and tool weight from raw readings."""

    def __init__(self, settings: WrenchSettings) -> None:
        self._settings = settings
        self._force_bias = np.array(settings.bias_force)
        self._torque_bias = np.array(settings.bias_torque)
        self._centre = np.array(settings.tool_centre)
        self._position = np.array(settings.tool_position)
        self._to_tool = rotation(np.array(settings.tool_orientation)).T
        self._to_sensor = rotation(np.array(settings.sensor_orientation)).T

    @property
    def needs_orientation(self) -> bool:
        """Whether the wrist's orientation matters (only where a tool weighs on the sensor)."""
        return self._settings.tool_mass > 0

    def problem(self, raw: WrenchReading) -> str:
        """Why a raw reading is no measurement: not finite, or at the end of the range; else ''."""
        for name, values, limit, unit in (
            ('force', raw.force, self._settings.force_range, 'N'),
            ('torque', raw.torque, self._settings.torque_range, 'N m'),
        ):
            if not np.all(np.isfinite(values)):
                return f'{name} {values.tolist()} is not finite'
            if np.max(np.abs(values)) >= limit:
                return f'{name} {values.tolist()} {unit} is saturated, range {limit} {unit}'
        return ''

    def apply(self, raw: WrenchReading, wrist: np.ndarray | None = None) -> WrenchReading:
        """Compensate one reading.

        Args:
            raw: force (N) and torque (N m) in the sensor frame.
            wrist: orientation (4,) wxyz of the wrist in base; not used without a tool's weight.

        Returns:
            The wrench in the tool frame, about its origin. All NaN where the raw reading has a
            `problem`: clipped numbers look plausible once a bias is taken off, NaN never does.
        """
        if self.problem(raw):
            nothing = np.full(3, np.nan)
            return WrenchReading(raw.stamp, nothing, nothing)
        weight_force, weight_torque = self._weight(wrist)
        force = raw.force - self._force_bias - weight_force
        torque = raw.torque - self._torque_bias - weight_torque
        torque = torque - np.cross(self._position, force)
        return WrenchReading(raw.stamp, self._to_tool @ force, self._to_tool @ torque)

    def zero(
        self, samples: list[WrenchReading], wrist: np.ndarray | None, noise_limit: float
    ) -> None:
        """Take the mean of raw samples as the reading of a tool that touches nothing.

        Args:
            samples: raw readings of an arm at rest.
            wrist: orientation (4,) of the wrist in base while they were taken.
            noise_limit: N, largest standard deviation of any force axis.

        Raises:
            ZeroingError: too few samples, one that is no measurement, or an arm that is touched.
        """
        if len(samples) < 2:
            raise ZeroingError(f'{len(samples)} samples, at least 2 are needed')
        for sample in samples:
            if problem := self.problem(sample):
                raise ZeroingError(problem)
        forces = np.array([sample.force for sample in samples])
        noise = float(np.max(np.std(forces, axis=0)))
        if noise > noise_limit:
            raise ZeroingError(
                f'force varies by {noise:.3f} N (standard deviation), limit {noise_limit} N: '
                'is the arm at rest and free?'
            )
        weight_force, weight_torque = self._weight(wrist)
        self._force_bias = forces.mean(axis=0) - weight_force
        self._torque_bias = np.mean([sample.torque for sample in samples], axis=0) - weight_torque

    def _weight(self, wrist: np.ndarray | None) -> tuple[np.ndarray, np.ndarray]:
        """Force and torque of the tool's weight in the sensor frame."""
        if not self.needs_orientation:
            return np.zeros(3), np.zeros(3)
        if wrist is None:
            raise ValueError('a tool with mass needs the orientation of the wrist')
        down = np.array([0.0, 0.0, -self._settings.tool_mass * GRAVITY])
        force = self._to_sensor @ rotation(wrist).T @ down
        return force, np.cross(self._centre, force)


def rotation(quaternion: np.ndarray) -> np.ndarray:
    """Rotation matrix (3, 3) of a unit quaternion wxyz."""
    w, x, y, z = quaternion / np.linalg.norm(quaternion)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion(rotation: np.ndarray) -> np.ndarray:
    """Unit quaternion wxyz of a rotation matrix (3, 3); its first number beyond 1e-9 is positive.

    It is the eigenvector of the largest eigenvalue of a symmetric matrix (Bar-Itzhack, 2000),
    which also holds for a matrix that rounding has made not quite a rotation.
    """
    (xx, xy, xz), (yx, yy, yz), (zx, zy, zz) = rotation
    symmetric = np.array(
        [
            [xx + yy + zz, zy - yz, xz - zx, yx - xy],
            [zy - yz, xx - yy - zz, xy + yx, xz + zx],
            [xz - zx, xy + yx, yy - xx - zz, yz + zy],
            [yx - xy, xz + zx, yz + zy, zz - xx - yy],
        ]
    )
    found = np.linalg.eigh(symmetric)[1][:, 3]
    leading = found[np.abs(found) > 1e-9][0]
    return found if leading > 0.0 else -found
