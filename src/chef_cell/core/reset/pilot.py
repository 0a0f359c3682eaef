"""Leads the tool to poses and works the gripper, one task command per control period.

Every motion is a generator: it yields a command, is resumed with `view` renewed, and returns how
it ended. So a script reads as what the arm does, and time passes only where somebody yields.
"""

import dataclasses
import math
from collections.abc import Callable, Generator
from enum import Enum

import numpy as np

from chef_cell.core.readings import Grasp, GripperReading, ObjectReading, TaskCommand
from chef_cell.core.reset.hand import HandPose, heading_of, wrapped
from chef_cell.core.reset.settings import ResetSettings

#: Closing slowly, the fingers stop before they press hard on what they wedge themselves off.
OPEN, HOLD, CLOSE = -1.0, 0.0, 0.5
_GAIN = 4.0  # 1/s, speed per distance
_NEAR, _NEAR_TURN = 0.003, 0.04  # m and rad: there
_PATIENCE = 2.0  # s without getting nearer: stuck
_PROGRESS = 0.002  # m or rad
_BACK_OFF = 0.3  # s on the way back after a contact
_STILL = 3.0  # counts in `_STILL_TIME`: the fingers have stopped
_STILL_TIME = 0.3  # s
_GIVE = 0.01  # m
_STROKE = 2.5  # s for the fingers to open or close
OPEN_COUNTS, _CLOSED_COUNTS = 6.0, 246.0
_LONGEST_RISE = 12.0  # s
#: How the wrist angle follows the tool's place at a constant heading (rad/m, x and y): the arm's
#: base turns with it. Fitted to the Sawyer's kinematics over the workspace.
_WRIST_DRIFT = np.array((0.86, 1.71))


@dataclasses.dataclass(frozen=True)
class ResetView:
    """What a reset sees at one instant."""

    stamp: float  # s
    objects: ObjectReading
    tool: np.ndarray  # (7,), pose in base
    wrist_angle: float  # rad, position of the last joint
    gripper: GripperReading
    force: float  # N, largest norm of the wrist force since the last instant

    @property
    def hand(self) -> HandPose:
        """Where the tool is."""
        return HandPose(self.tool[:3], heading_of(self.tool))


class Arrival(Enum):
    """How a motion ended."""

    THERE = 'there'
    CONTACT = 'contact'  # something was touched; the tool has backed off
    STUCK = 'stuck'  # it came no nearer


Motion = Generator[TaskCommand, None, Arrival]
Wait = Generator[TaskCommand, None, None]


class Pilot:
    """Turns goals into task commands within the limits of the policy's.

    Attributes:
        view: what is seen now; renewed by the owner before each command.
        fingers: what the gripper is told while the tool moves.
    """

    def __init__(self, settings: ResetSettings, view: ResetView) -> None:
        self._settings = settings
        self.view = view
        self.fingers = HOLD

    def reachable(self, pose: HandPose) -> bool:
        """Whether the last joint can hold the tool so."""
        drift = _WRIST_DRIFT @ (pose.position - self.view.hand.position)[:2]
        wrist = self.view.wrist_angle + drift - self._turn(pose.heading)
        return abs(wrist) <= self._settings.wrist_range

    def go(
        self,
        pose: HandPose,
        speed: float = math.inf,
        force: float | None = None,
        near: float = _NEAR,
    ) -> Motion:
        """Lead the tool straight to `pose`.

        Args:
            pose: where to; cut to the workspace.
            speed: m/s, largest norm; cut to the limit.
            force: N, above which the tool stops and backs off; None: `contact_force`.
            near: m, from the goal, is near enough.
        """
        settings = self._settings
        speed = min(speed, settings.linear_speed)
        force = settings.contact_force if force is None else force
        goal = np.clip(pose.position, settings.workspace_lower, settings.workspace_upper)
        best, since = math.inf, self.view.stamp
        while True:
            way, turn = goal - self.view.hand.position, self._turn(pose.heading)
            distance = float(np.linalg.norm(way))
            if distance < near and abs(turn) < _NEAR_TURN * near / _NEAR:
                return Arrival.THERE
            if self.view.force > force:
                yield from self._back_off(way)
                return Arrival.CONTACT
            if distance + abs(turn) < best - _PROGRESS:
                best, since = distance + abs(turn), self.view.stamp
            elif self.view.stamp - since > _PATIENCE:
                return Arrival.STUCK
            velocity = way * min(_GAIN, speed / max(distance, 1e-9))
            yield self._command(velocity, turn * _GAIN)

    def rise(self, height: float, speed: float = math.inf, near: float = _NEAR) -> Motion:
        """Go straight up to `height` (m); let go of what holds the hand down, and go on slowly."""
        goal, settings = self.view.hand.raised(height), self._settings
        goal = goal.raised(min(height, settings.workspace_upper[2]))
        begun = self.view.stamp
        while self.view.hand.position[2] < goal.position[2] - near:
            if self.view.force > settings.pull_force and self.fingers != OPEN:
                yield from self.open()
                speed = settings.slow_speed
            if self.view.stamp - begun > _LONGEST_RISE:
                return Arrival.STUCK
            way = goal.position - self.view.hand.position
            limit = min(speed, settings.linear_speed) / max(float(np.linalg.norm(way)), 1e-9)
            yield self._command(way * min(_GAIN, limit), 0.0)
        return Arrival.THERE

    def _turn(self, heading: float) -> float:
        """The way (rad) to a heading that does not lead past the end of the wrist's range."""
        turn = wrapped(heading - self.view.hand.heading)
        if abs(self.view.wrist_angle - turn) > math.pi:
            turn -= math.copysign(2.0 * math.pi, turn)
        return turn

    def open(self) -> Wait:
        """Open the fingers as far as they go."""
        yield from self._work(OPEN, lambda counts: counts < OPEN_COUNTS)

    def close(self) -> Generator[TaskCommand, None, bool]:
        """Close the fingers until they stop; returns whether they may hold something.

        Fingers that press on slanting sides push hand and object apart. The hand gives way, up, a
        little; when that does not help, they end before they snap together over the top.
        """
        highest = self.view.hand.position[2] + _GIVE

        def given_way() -> bool:
            return bool(self.view.hand.position[2] > highest)

        yield from self._work(CLOSE, lambda counts: counts > _CLOSED_COUNTS or given_way())
        return not given_way() and self.view.force <= self._settings.pull_force

    def wait(self, duration: float) -> Wait:
        """Stand still for `duration` (s)."""
        since = self.view.stamp
        while self.view.stamp - since < duration:
            yield self._command(np.zeros(3), 0.0)

    @property
    def grasping(self) -> bool:
        """Whether the fingers hold something, as far as the gripper can tell."""
        gripper = self.view.gripper
        return gripper.grasp == Grasp.INWARD and gripper.position < _CLOSED_COUNTS

    def _work(self, fingers: float, done: Callable[[float], bool]) -> Wait:
        """Move the fingers until `done` or until they have stopped."""
        self.fingers = fingers
        begun = since = self.view.stamp
        counts = self.view.gripper.position
        while self.view.stamp - begun < _STROKE and not done(self.view.gripper.position):
            pressed = fingers == CLOSE and self.view.force > self._settings.press_force
            rise = self._settings.slow_speed if pressed else 0.0
            yield self._command(np.array((0.0, 0.0, rise)), 0.0)
            if abs(self.view.gripper.position - counts) > _STILL:
                counts, since = self.view.gripper.position, self.view.stamp
            stopped = self.view.stamp - since > _STILL_TIME
            if stopped or (fingers == CLOSE and self.view.force > self._settings.pull_force):
                return

    def _back_off(self, way: np.ndarray) -> Wait:
        """Go back a little against `way`, slowly."""
        since = self.view.stamp
        back = -way / max(float(np.linalg.norm(way)), 1e-9) * self._settings.slow_speed
        while self.view.stamp - since < _BACK_OFF:
            yield self._command(back, 0.0)

    def _command(self, velocity: np.ndarray, yaw_rate: float) -> TaskCommand:
        settings = self._settings
        norm = float(np.linalg.norm(velocity))
        velocity = velocity * min(1.0, settings.linear_speed / max(norm, 1e-9))
        yaw = min(max(yaw_rate, -settings.yaw_rate), settings.yaw_rate)
        return TaskCommand(self.view.stamp, velocity, yaw, self.fingers)
