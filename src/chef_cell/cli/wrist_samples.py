"""Readings of the wrist sensor in several postures of the arm at rest."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState

from chef_cell.core.tool_weight import RestingWrench
from chef_cell.core.wrench import WrenchCompensation, WrenchSettings, ZeroingError
from chef_cell.intera_interface.limb import Limb
from chef_cell.intera_interface.session import init_node
from chef_cell.nodes import messages
from chef_cell.nodes.wire import sensor_qos
from chef_cell.sim.kinematics import ArmKinematics
from intera_core_msgs.srv import SolvePositionFK

#: Angles (rad) by which the last three joints leave the neutral pose: the hand, 0.3 m above the
#: basket, is tilted about two axes.
TILTS = (
    (0.0, 0.0, 0.0),
    (0.0, 0.8, 0.0),
    (0.0, -0.8, 0.0),
    (0.9, 0.0, 0.0),
    (-0.9, 0.0, 0.0),
    (0.9, 0.5, 0.0),
    (-0.9, -0.5, -1.2),
)
_TILTED = ('right_j4', 'right_j5', 'right_j6')
#: Joint speed (rad/s) below which the arm is at rest, and the angle (rad) it may drift meanwhile.
_REST, _DRIFT = 0.01, 0.01
#: How long the arm may take to come to rest, and readings to come (s).
_PATIENCE = 15.0
#: How long the drivers may take to come up (s).
_START = 60.0
#: Standard deviation of a force axis (N) above which the tool is touched; an FT 300 has 1.2.
_NOISE = 1.5


_KINEMATICS = '/ExternalTools/right/PositionKinematicsNode/FKService'


class SamplingError(RuntimeError):
    """No reading could be taken."""


class WristSamples:
    """The arm and its wrist sensor, as a program for a Sawyer sees them.

    Args:
        namespace: of the cell.
        stopped: whether to leave off.

    Raises:
        OSError: the arm's driver or its kinematics did not answer.
    """

    def __init__(self, namespace: str, stopped: Callable[[], object]) -> None:
        self._stopped = stopped
        self._kinematics = ArmKinematics()
        self._check = WrenchCompensation(WrenchSettings())
        self._wrenches: list[Any] = []
        self._heard = False
        session = init_node('calibrate_wrist')
        qos = sensor_qos(False)
        session.subscribe(WrenchStamped, f'{namespace}/ft300/wrench', self._on_wrench, qos)
        session.subscribe(JointState, '/robot/joint_states', self._on_joints, qos)
        # The drivers are only just starting; the interface itself waits for 5 s.
        self._wait(lambda: self._heard, 'joint states of the arm', _START)
        self._wait(lambda: bool(self._wrenches), 'readings of the sensor', _START)
        session.client(SolvePositionFK, _KINEMATICS, _START)
        self._limb = Limb()

    def neutral(self, speed: float) -> None:
        """Move to the neutral pose at a share of full speed."""
        self._limb.move_to_neutral(speed=speed)
        self._neutral = self._limb.joint_angles()

    def tilt(self, angles: tuple[float, ...]) -> None:
        """Move the last three joints away from the neutral pose (rad); raises SamplingError."""
        goals = dict(self._neutral)
        for joint, angle in zip(_TILTED, angles, strict=True):
            goals[joint] += angle
        self._limb.move_to_joint_positions(goals, test=lambda: bool(self._stopped()))
        off = max(abs(self._limb.joint_angle(joint) - goal) for joint, goal in goals.items())
        if off > 2 * _DRIFT and not self._stopped():
            raise SamplingError(
                f'the arm is {off:.3f} rad from where it should go: is it enabled?'
            )

    def take(self, count: int) -> RestingWrench:
        """Return the mean of `count` readings of the arm at rest; raises SamplingError."""
        self._wait(lambda: max(map(abs, self._limb.joint_velocities().values())) < _REST, 'rest')
        before = np.array(self._limb.joint_ordered_angles())
        self._wrenches.clear()
        self._wait(lambda: len(self._wrenches) >= count, f'{count} readings of the sensor')
        readings = list(map(messages.wrench_from_message, self._wrenches[:count]))
        joints = np.array(self._limb.joint_ordered_angles())
        if (drift := np.abs(joints - before).max()) > _DRIFT:
            raise SamplingError(f'the arm moved by {drift:.3f} rad meanwhile')
        try:
            self._check.zero(readings, None, _NOISE)
        except ZeroingError as error:
            raise SamplingError(str(error)) from error
        force, torque = (
            np.mean([getattr(reading, name) for reading in readings], axis=0)
            for name in ('force', 'torque')
        )
        return RestingWrench(self._kinematics.wrist_pose(joints)[3:].copy(), force, torque)

    def _wait(self, condition: Callable[[], bool], what: str, patience: float = _PATIENCE) -> None:
        end = time.monotonic() + patience
        while not condition():
            if self._stopped():
                raise KeyboardInterrupt
            if time.monotonic() > end:
                raise SamplingError(f'waited {patience:g} s in vain for {what}')
            time.sleep(0.01)

    def _on_wrench(self, message: WrenchStamped) -> None:
        self._wrenches.append(message)

    def _on_joints(self, _: JointState) -> None:
        self._heard = True
