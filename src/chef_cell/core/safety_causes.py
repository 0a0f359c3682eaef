"""What can be wrong with each thing the safety latch hears, its limits, and what it is called.

Who is missed when it falls silent while an episode runs (the heartbeat of each node is what it
publishes anyway, so no node can be alive by heartbeat and dead by its work):

    wrench         wrist: the wrist node, or the sensor behind it
    joint_states   robot, or the bridge in its place; both come from it, so it is named first
    command        policy
    camera/<name>  camera: the node or that device; in real time only
    controller     controller, by its controller/state; in real time only
    session        session, by its word on the episode; in real time only
    recorder       recorder, if there is one; in real time only

The latch's own heartbeat is its verdict; the controller stops without it.
"""

import dataclasses
from enum import IntEnum

import numpy as np

from chef_cell.core.command import CommandLimits, command_problem
from chef_cell.core.imaging import CameraReading
from chef_cell.core.limits import SAWYER
from chef_cell.core.readings import RobotReading, TaskCommand

_MAY_BE_NEGATIVE = {'workspace_lower', 'workspace_upper', 'joint_lower', 'joint_upper'}
_MAY_BE_ZERO = {'frozen_values', 'frozen_images'}
_NAMES = {'cameras'}


class Level(IntEnum):
    """Severity of a verdict; the numbers are those of SafetyState.msg."""

    OK = 0
    EPISODE_STOP = 1
    FAULT = 2


@dataclasses.dataclass(frozen=True)
class SafetySettings:
    """Limits of the latch. Read-only once the node runs."""

    force_limit: float = 20.0  # N, norm of any single wrist force ends the episode
    torque_limit: float = 30.0  # N m, same for the torque; default: the sensor's range
    wrench_timeout: float = 0.05  # s between two wrenches while an episode runs
    joint_timeout: float = 0.05  # s, same for joint states
    command_timeout: float = 0.5  # s, same for commands (the controller stops long before)
    controller_timeout: float = 0.5  # s, same for the controller's state; real time only
    camera_timeout: float = 1.0  # s, same for the images of each of `cameras`; real time only
    session_timeout: float = 3.0  # s, same for the session, which speaks once a second
    recorder_timeout: float = 5.0  # s, same for the recorder
    cameras: tuple[str, ...] = ()  # names of those that must be served
    frozen_stamps: int = 3  # wrenches, joint states or images in a row with one stamp
    frozen_values: int = 0  # wrenches with one value; 0: not judged, a simulated arm rests at 0 N
    frozen_images: int = 0  # images with the same pixels; 0: not judged, a simulated scene rests
    #: rad/s, measured, each joint: a fifth above what may be commanded
    joint_speed_limit: tuple[float, ...] = tuple(1.2 * speed for speed in SAWYER.velocity)
    # The controller keeps 0.01 rad free before these.
    joint_lower: tuple[float, ...] = SAWYER.lower  # rad, measured, each joint
    joint_upper: tuple[float, ...] = SAWYER.upper  # rad
    # Episodes begin up to 0.43 m above the base; 0.05 m are left to a healthy arm all around.
    workspace_lower: tuple[float, ...] = (0.425, -0.19, 0.02)  # m, measured, the tool in base
    workspace_upper: tuple[float, ...] = (0.775, 0.19, 0.48)  # m
    linear_limit: float = 0.07  # m/s, commanded, each axis
    yaw_rate_limit: float = 1.0  # rad/s, commanded
    command_ahead: float = 0.05  # s by which a command's stamp may lie in the future
    command_behind: float = 0.5  # s, same in the past: it answers what was long ago
    clock_step: float = 0.1  # s by which the system clock may be set at once; real time only
    missed_deadlines: int = 20  # periods of the joint loop that came late, in `missed_window`
    missed_window: float = 1.0  # s

    def __post_init__(self) -> None:
        for name in {field.name for field in dataclasses.fields(self)} - _NAMES:
            value = getattr(self, name)
            if name in _MAY_BE_ZERO and value == 0:
                continue
            positive = name in _MAY_BE_NEGATIVE or np.all(np.greater(value, 0))
            if not (positive and np.all(np.isfinite(value))):
                raise ValueError(f'{name} = {value}, must be positive and finite')
        for name in ('frozen_stamps', 'frozen_values', 'frozen_images'):
            if getattr(self, name) == 1:
                raise ValueError(f'{name} = 1, counts repeats: 2 at least')
        for name, size in (('joint', 7), ('workspace', 3)):
            lower, upper = getattr(self, f'{name}_lower'), getattr(self, f'{name}_upper')
            if not (len(lower) == len(upper) == size and np.less(lower, upper).all()):
                raise ValueError(f'{name}_lower {lower} must lie below {name}_upper {upper}')

    def timeouts(self, real_time: bool) -> dict[str, float]:
        """Return how long each stream may be silent (s); see the module for their names."""
        always = {
            'wrench': self.wrench_timeout,
            'joint_states': self.joint_timeout,
            'command': self.command_timeout,
        }
        if not real_time:  # simulated time waits for the others
            return always
        cameras = {f'camera/{name}': self.camera_timeout for name in self.cameras}
        return always | cameras | {'controller': self.controller_timeout}


@dataclasses.dataclass(frozen=True)
class Cause:
    """Something wrong, seen at this moment."""

    reason: str
    source: str
    value: float = 0.0
    limit: float = 0.0
    level: Level = Level.FAULT
    #: Harmless while no episode runs (a person moves the arm): trips only within one, though it
    #: forbids rearming at any time.
    only_in_episode: bool = False

    def __str__(self) -> str:
        return f'{self.reason}: {self.source} {self.value:.4g}, limit {self.limit:.4g}'


#: stream -> who is missed when it is silent; others are called what they publish
_SPEAKERS = {'wrench': 'wrist', 'joint_states': 'robot', 'command': 'policy'}


def silence(stream: str, age: float, limit: float) -> Cause:
    """Return the cause for a stream that has been silent for `age` (s)."""
    reason = f'{stream.partition("/")[0]}_stale'
    return Cause(reason, _SPEAKERS.get(stream, stream), age, limit)


def command_causes(command: TaskCommand, settings: SafetySettings, ahead: float) -> list[Cause]:
    """Return what is wrong with a command whose stamp lies `ahead` (s) in the future."""
    causes = []
    limits = CommandLimits(settings.linear_limit, settings.yaw_rate_limit)
    if problem := command_problem(command, limits):
        causes.append(Cause('command_invalid', 'command', problem.value, problem.limit))
    # Written so that NaN, which compares false with everything, is wrong.
    if not ahead <= settings.command_ahead:
        causes.append(Cause('command_future', 'command', ahead, settings.command_ahead))
    elif -ahead > settings.command_behind:
        causes.append(Cause('command_past', 'command', -ahead, settings.command_behind))
    return causes


def publisher_causes(topic: str, count: int) -> list[Cause]:
    """Return what is wrong with `count` publishers of a command: nobody knows whose it is."""
    if count <= 1:
        return []
    return [Cause(f'{topic}_publishers', topic, count, 1, only_in_episode=True)]


def camera_causes(camera: str, reading: CameraReading, settings: SafetySettings) -> list[Cause]:
    """Return what is wrong with the newest image of a camera."""
    return [
        Cause('camera_frozen', f'camera/{camera}', count, limit, only_in_episode=True)
        for count, limit in (
            (reading.same_stamp, settings.frozen_stamps),
            (reading.same_pixels, settings.frozen_images),
        )
        if 0 < limit <= count
    ]


def robot_causes(robot: RobotReading) -> list[Cause]:
    """Return what keeps the robot from being driven, by its own word."""
    states = (
        ('robot_estop', robot.estop, False),
        ('robot_error', robot.error, False),
        ('robot_stopped', robot.stopped, False),
        ('robot_disabled', not robot.enabled, True),  # the normal state before a session
    )
    return [
        Cause(reason, 'robot', 1.0, 0.0, only_in_episode=only)
        for reason, wrong, only in states
        if wrong
    ]


def collision_causes(collided: bool) -> list[Cause]:
    """Return what is wrong when the robot feels a collision in its joints."""
    return [Cause('collision', 'robot', 1.0, 0.0)] if collided else []
