"""Requests and responses of the robot's kinematics services, and what `core` makes of them."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from geometry_msgs.msg import PoseStamped
from sensor_msgs.msg import JointState

from chef_cell.core.intera import ARM_JOINTS
from chef_cell.core.position_kinematics import (
    DEFAULT_NULLSPACE_GAIN,
    NEUTRAL,
    Failure,
    Goal,
    PositionKinematics,
    Seed,
    ordered,
)
from chef_cell.nodes import messages
from intera_core_msgs.srv import SolvePositionFK, SolvePositionIK


def forward(
    solver: PositionKinematics,
    request: SolvePositionFK.Request,
    response: SolvePositionFK.Response,
) -> SolvePositionFK.Response:
    """Answer for each configuration where its tip is."""
    for state, tip in zip(request.configuration, request.tip_names, strict=False):
        try:
            pose = solver.forward(ordered(state.name, state.position), tip)
        except ValueError:
            pose = None
        placed = PoseStamped()
        placed.header.frame_id = 'base'
        if pose is not None:
            placed.pose = messages.pose_message(pose)
        response.pose_stamp.append(placed)
        response.is_valid = [*response.is_valid, pose is not None]
        response.in_collision = [*response.in_collision, False]
    return response


def inverse(
    solver: PositionKinematics,
    request: SolvePositionIK.Request,
    response: SolvePositionIK.Response,
    current: np.ndarray | None,
) -> SolvePositionIK.Response:
    """Answer for each pose with joints that reach it; `current` are those measured, if known."""
    measured = np.array(NEUTRAL) if current is None else current
    results = []
    for index, tip in enumerate(request.tip_names[: len(request.pose_stamp)]):
        try:
            joints, result = solver.inverse(_goal(request, index, tip, measured), measured)
        except ValueError:
            joints, result = None, Failure.NOT_FOUND
        state = JointState(name=list(ARM_JOINTS))
        state.position = messages.float64_array(np.zeros(7) if joints is None else joints)
        response.joints.append(state)
        results.append(int(result))
    response.result_type = results
    return response


def _goal(request: SolvePositionIK.Request, index: int, tip: str, measured: np.ndarray) -> Goal:
    """Raises ValueError when seed or goal name no joints of ours."""
    seed, bias = _at(request.seed_angles, index), None
    if _at(request.use_nullspace_goal, index):
        wanted = _at(request.nullspace_goal, index) or JointState()
        bias = ordered(wanted.name, wanted.position, np.full(7, np.nan))
    gain = _at(request.nullspace_gain, index)
    return Goal(
        messages.pose(request.pose_stamp[index].pose),
        tip,
        None if seed is None or not seed.name else ordered(seed.name, seed.position, measured),
        Seed(request.seed_mode),
        bias,
        DEFAULT_NULLSPACE_GAIN if gain is None else min(max(gain, 0.0), 1.0),
    )


def _at(values: Sequence[Any], index: int) -> Any:
    """The optional arrays of a request may be empty."""
    return values[index] if index < len(values) else None
