"""From task-space velocity commands to joint velocities: the control law of the cell.

The law is the RGB-stacking benchmark's (Lee et al., 2021; dm_robotics'
`cartesian_6d_to_joint_velocity_mapper`), with its gains written as rates so that it holds at any
loop period, plus limits on joint acceleration and a braking distance to the joint limits.
"""

import dataclasses
import math

import numpy as np

from chef_cell.core.least_squares import solve_in_box
from chef_cell.core.limits import SAWYER, JointLimits
from chef_cell.core.ports import Kinematics
from chef_cell.core.readings import TaskCommand

_NULL_SPACE_DAMPING = 1e-9  # below every singular value that matters, squared
_TOUCH = 1e-9  # rad/s, a velocity this near a bound is held by it


@dataclasses.dataclass(frozen=True)
class ControllerSettings:
    """Settings of the Cartesian controller; the defaults are the benchmark's."""

    workspace_lower: tuple[float, ...] = (0.475, -0.125, 0.0698)  # m, of the tool in base
    workspace_upper: tuple[float, ...] = (0.725, 0.125, 0.2698)  # m
    wrist_range: float = 1.5707963267948966  # rad, the last joint stays within +- this
    linear_speed: float = 0.07  # m/s, largest norm
    angular_speed: float = 1.0  # rad/s, largest norm
    upright_rate: float = 0.8  # 1/s, at which a tilt of the wrist is removed
    damping: float = 0.01  # 1, weight of the squared joint velocities
    posture_rate: float = 0.5  # 1/s, pull towards `posture` in the null space
    posture: tuple[float, ...] = (
        0.0,
        -0.5186220703125,
        -0.529384765625,
        1.220857421875,
        0.40857421875,
        1.07831640625,
        0.0,
    )  # rad
    limit_rate: float = 19.0  # 1/s, joint speed allowed per distance to a joint limit
    limit_margin: float = 0.01  # rad, kept free before a joint limit


@dataclasses.dataclass(frozen=True)
class ControlOutput:
    """What the controller decided in one step."""

    joint_velocity: np.ndarray  # rad/s, (7,)
    twist: np.ndarray  # m/s and rad/s, (6,), of the wrist in base, after the task-space limits
    limited_by: tuple[str, ...]  # what held the command back
    gram: np.ndarray  # (6, 6), J J^T of the wrist Jacobian

    @property
    def manipulability(self) -> float:
        """Distance from a singularity, sqrt(det(J J^T)), 0 at one (Yoshikawa, 1985)."""
        return math.sqrt(max(float(np.linalg.det(self.gram)), 0.0))


class CartesianController:
    """Turns task commands into joint velocities that respect every limit.

    Args:
        kinematics: of the arm.
        settings: of the law.
        period: s, time between two calls of `step`.
        limits: of the joints.
    """

    def __init__(
        self,
        kinematics: Kinematics,
        settings: ControllerSettings,
        period: float,
        limits: JointLimits = SAWYER,
    ) -> None:
        if not 0.0 < period <= 1.0:
            raise ValueError(f'period {period} s, must be above 0 and at most 1')
        self.settings = settings
        self._kinematics = kinematics
        self._period = period
        self._lower = np.array(limits.lower) + settings.limit_margin
        self._upper = np.array(limits.upper) - settings.limit_margin
        self._speed = np.array(limits.velocity)
        self._acceleration = np.array(limits.acceleration)
        self._change = self._acceleration * period
        # Within `roomy` of the middle of its range, only a joint's speed limit matters.
        self._middle = 0.5 * (self._lower + self._upper)
        room = np.maximum(
            self._speed / settings.limit_rate,
            self._speed * (period + 0.5 * self._speed / self._acceleration),
        )
        roomy = 0.5 * (self._upper - self._lower) - room
        self._roomy = np.where(roomy > 0.0, roomy, np.nan)  # nan: nothing is within it
        self._free_caps = (-self._speed, self._speed)
        self._posture = np.array(settings.posture)
        # Two systems solved in one call: damped for the task, all but undamped for the null space.
        self._damping = np.stack((np.eye(6) * settings.damping, np.eye(6) * _NULL_SPACE_DAMPING))
        self._velocity = np.zeros(7)

    def reset(self, position: np.ndarray) -> None:
        """Start from rest at joint positions (7,) in rad."""
        _checked('joint positions', position, 7)
        self._velocity = np.zeros(7)

    def step(self, position: np.ndarray, command: TaskCommand | None) -> ControlOutput:
        """Return the joint velocities for the next period.

        Args:
            position: joint positions, rad, (7,).
            command: what the tool should do; None decelerates smoothly to a stop.

        Raises:
            ValueError: a number is not finite or a shape is wrong; the state is then unchanged.
        """
        position = _checked('joint positions', position, 7)
        jacobian = self._kinematics.wrist_jacobian(position)
        gram = jacobian.dot(jacobian.T)
        lowest, highest = self._caps(position)
        limited: list[str] = []
        if command is None:
            twist = np.zeros(6)
            wanted = np.zeros(7)
        else:
            # The last joint turns about the wrist's z axis.
            twist = self._twist(position, jacobian[3:, 6].tolist(), command, limited)
            wanted = self._free(position, jacobian, gram, twist)
            if self._breaks(wanted, lowest, highest):
                wanted = self._capped(position, jacobian, gram, twist, lowest, highest)
                self._name_caps(wanted, limited)
        velocity = self._accelerated(wanted, lowest, highest, limited)
        self._velocity = velocity
        return ControlOutput(velocity, twist, tuple(limited), gram)

    def _twist(
        self, position: np.ndarray, axis_z: list[float], command: TaskCommand, limited: list[str]
    ) -> np.ndarray:
        """Return the wrist twist (6,) after workspace, wrist range and speed limits."""
        linear = _checked('linear velocity', command.linear, 3).tolist()
        yaw = float(command.yaw_rate)
        if not math.isfinite(yaw):
            raise ValueError(f'yaw rate {yaw} is not finite')
        settings = self.settings
        tool = self._kinematics.tool_pose(position).tolist()
        lower, upper = settings.workspace_lower, settings.workspace_upper
        for axis in range(3):
            if _outwards(tool[axis], linear[axis], lower[axis], upper[axis]):
                linear[axis] = 0.0
                limited.append(f'workspace_{"xyz"[axis]}')
        # The wrist's z axis points down.
        if _outwards(-float(position[6]), yaw, -settings.wrist_range, settings.wrist_range):
            yaw = 0.0
            limited.append('wrist_range')
        angular = self._upright(axis_z, yaw)
        _shorten(linear, settings.linear_speed, 'linear_speed', limited)
        _shorten(angular, settings.angular_speed, 'angular_speed', limited)
        return np.array(linear + angular)

    def _upright(self, axis_z: list[float], yaw: float) -> list[float]:
        """Return the angular velocity that yaws, and turns the wrist's z axis downwards."""
        x, y, z = axis_z
        sine = math.hypot(x, y)
        tilt = math.atan2(sine, -z)
        gain = self.settings.upright_rate * tilt / sine if sine > 1e-12 else 0.0
        return [-gain * y - yaw * x, gain * x - yaw * y, -yaw * z]

    def _caps(self, position: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the lowest and highest joint velocities allowed at this position.

        A joint slows down as it nears its limit, and never goes faster than it can brake in the
        room left.
        """
        if _within((position - self._middle) / self._roomy):
            return self._free_caps
        room = np.maximum((self._upper - position, position - self._lower), 0.0)
        period, acceleration = self._period, self._acceleration
        braking = acceleration * (np.sqrt(period * period + 2.0 * room / acceleration) - period)
        cap = np.minimum(np.minimum(self.settings.limit_rate * room, braking), self._speed)
        return -cap[1], cap[0]

    def _free(
        self, position: np.ndarray, jacobian: np.ndarray, gram: np.ndarray, twist: np.ndarray
    ) -> np.ndarray:
        """Return argmin |J v - twist|^2 + damping |v|^2, posture in the null space, no bounds."""
        posture = self.settings.posture_rate * (self._posture - position)
        targets = np.array((twist, jacobian.dot(posture)))[..., None]
        task, null = np.linalg.solve(self._damping + gram, targets)[..., 0]
        return posture + (task - null).dot(jacobian)

    def _breaks(self, wanted: np.ndarray, lowest: np.ndarray, highest: np.ndarray) -> bool:
        """Whether a joint velocity lies outside its caps."""
        if lowest is self._free_caps[0]:
            return not _within(wanted / self._speed)
        return bool(((wanted < lowest) | (wanted > highest)).any())

    def _capped(
        self,
        position: np.ndarray,
        jacobian: np.ndarray,
        gram: np.ndarray,
        twist: np.ndarray,
        lowest: np.ndarray,
        highest: np.ndarray,
    ) -> np.ndarray:
        """Return the same within the caps: first the task, then the posture as far as it fits."""
        hessian = jacobian.T @ jacobian + self.settings.damping * np.eye(7)
        task = solve_in_box(hessian, jacobian.T @ twist, lowest, highest)
        wanted = self.settings.posture_rate * (self._posture - position) - task
        null = wanted - jacobian.T @ np.linalg.solve(gram + self._damping[1], jacobian @ wanted)
        room = np.where(null > 0.0, highest - task, task - lowest)
        moving = np.abs(null) > 1e-12
        share = min(1.0, float((room[moving] / np.abs(null[moving])).min(initial=1.0)))
        return np.clip(task + share * null, lowest, highest)

    def _accelerated(
        self, wanted: np.ndarray, lowest: np.ndarray, highest: np.ndarray, limited: list[str]
    ) -> np.ndarray:
        """Return the velocity nearest to `wanted` on the straight way from the last one.

        All joints share the slowest one's pace, so that the tool's velocity too changes along a
        straight line and the tool does not swerve.
        """
        change = wanted - self._velocity
        shares = change / self._change
        if _within(shares):
            return wanted
        limited.append('joint_acceleration')
        share = np.abs(shares).max()
        velocity = self._velocity + change / share
        if (velocity < lowest).any() or (velocity > highest).any():
            # A joint that must brake for its limit does not wait for the others. Where its limit
            # asks for more than the acceleration allows (the arm was pushed), acceleration wins.
            slowest, fastest = self._velocity - self._change, self._velocity + self._change
            velocity = np.clip(np.clip(velocity, lowest, highest), slowest, fastest)
        return velocity

    def _name_caps(self, velocity: np.ndarray, limited: list[str]) -> None:
        fast = np.abs(velocity) >= self._speed - _TOUCH
        limited.append('joint_velocity' if fast.any() else 'joint_position')


def _within(shares: np.ndarray) -> bool:
    """Whether no share of a limit is above 1. Most often their norm says so, which is cheaper."""
    return bool(shares.dot(shares) <= 1.0 or np.abs(shares).max() <= 1.0)


def _outwards(value: float, velocity: float, lower: float, upper: float) -> bool:
    """Whether `velocity` leads further out of the range that `value` has left."""
    return (value < lower and velocity < 0.0) or (value > upper and velocity > 0.0)


def _shorten(vector: list[float], limit: float, name: str, limited: list[str]) -> None:
    """Scale `vector`, in place, to a norm of at most `limit`."""
    norm = math.hypot(*vector)
    if norm > limit:
        vector[:] = [component * limit / norm for component in vector]
        limited.append(name)


def _checked(name: str, values: np.ndarray, size: int) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.shape != (size,):
        raise ValueError(f'{name}: shape {array.shape}, expected ({size},)')
    if not math.isfinite(array.dot(array)):  # cheaper than asking each number
        raise ValueError(f'{name}: {array.tolist()} is not finite')
    return array
