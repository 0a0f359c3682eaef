"""Where arm and objects are when an episode begins, as in the benchmark.

Source: `rgb_stacking/task.py` and dm_robotics' entity and prop initialisers (Lee et al., 2021).
"""

import mujoco
import numpy as np

from chef_cell.core.readings import COLOURS
from chef_cell.core.velocity import ControllerSettings
from chef_cell.sim import contacts, inverse
from chef_cell.sim.addresses import Addresses

_TOOL_LOWER, _TOOL_UPPER = (0.5, -0.14, 0.22), (0.7, 0.14, 0.43)  # m
_TOOL_YAW = np.pi / 4  # rad, either way
_OBJECT_LOWER, _OBJECT_UPPER = (0.5, -0.1, 0.12), (0.7, 0.1, 0.12)  # m
_TRIES = 100
_PARKED = 5.0  # m above the floor, where an object waits for its turn
_SETTLE_TIME = 2.0  # s
_SETTLE_CHECK = 25  # physics steps between two looks at the speed
_AT_REST = 1e-3  # m/s and rad/s


class ResetError(RuntimeError):
    """No start state was found."""


def place(
    model: mujoco.MjModel, data: mujoco.MjData, addresses: Addresses, rng: np.random.Generator
) -> None:
    """Set `data` to a start state: arm posed, gripper open, objects at rest in the basket."""
    mujoco.mj_resetData(model, data)
    # The benchmark cancels the robot's weight by external forces, not by MuJoCo's `gravcomp`:
    # only so does the wrist sensor read zero in free space.
    robot = addresses.robot_bodies
    data.xfrc_applied[robot, :3] = -model.opt.gravity * model.body_mass[robot, None]
    _park(data, addresses)
    _pose_arm(model, data, addresses, rng)
    for colour in COLOURS:
        _drop(model, data, addresses, colour, rng)
    _settle(model, data, addresses)
    data.time = 0.0


def _pose_arm(
    model: mujoco.MjModel, data: mujoco.MjData, addresses: Addresses, rng: np.random.Generator
) -> None:
    for _ in range(_TRIES):
        position = rng.uniform(_TOOL_LOWER, _TOOL_UPPER)
        yaw = rng.uniform(-_TOOL_YAW, _TOOL_YAW)
        joints = inverse.solve(position, yaw, rng)
        if joints is None or abs(joints[6]) > ControllerSettings().wrist_range:
            continue
        data.qpos[addresses.arm_position] = joints
        data.act[addresses.arm_activation] = joints
        mujoco.mj_forward(model, data)
        if not any(
            first in addresses.robot_geoms or second in addresses.robot_geoms
            for first, second in contacts.touching_pairs(data)
        ):
            return
    raise ResetError(f'no arm pose free of collisions in {_TRIES} tries')


def _park(data: mujoco.MjData, addresses: Addresses) -> None:
    for place, colour in enumerate(COLOURS):
        data.qpos[addresses.object_position[colour]][:3] = (0.0, 0.0, _PARKED + place)


def _drop(
    model: mujoco.MjModel,
    data: mujoco.MjData,
    addresses: Addresses,
    colour: str,
    rng: np.random.Generator,
) -> None:
    """Put one object where it touches nothing."""
    pose, geom = data.qpos[addresses.object_position[colour]], addresses.object_geom[colour]
    for _ in range(_TRIES):
        pose[:3] = rng.uniform(_OBJECT_LOWER, _OBJECT_UPPER)
        quaternion = rng.standard_normal(4)
        pose[3:] = quaternion / np.linalg.norm(quaternion)
        mujoco.mj_fwdPosition(model, data)
        if not any(geom in pair for pair in contacts.touching_pairs(data)):
            return
    raise ResetError(f'no free place for the {colour} object in {_TRIES} tries')


def _settle(model: mujoco.MjModel, data: mujoco.MjData, addresses: Addresses) -> None:
    """Let the objects fall while the robot is frozen."""
    moving_position = np.zeros(model.nq, bool)
    moving_velocity = np.zeros(model.nv, bool)
    for colour in COLOURS:
        moving_position[addresses.object_position[colour]] = True
        moving_velocity[addresses.object_velocity[colour]] = True
    frozen_position, frozen_velocity = ~moving_position, ~moving_velocity
    start, activation = data.qpos[frozen_position], data.act.copy()
    for step in range(round(_SETTLE_TIME / model.opt.timestep)):
        mujoco.mj_step(model, data)
        data.qpos[frozen_position] = start
        data.qvel[frozen_velocity] = 0.0
        looking = step > 0 and step % _SETTLE_CHECK == 0
        if looking and np.abs(data.qvel[moving_velocity]).max() < _AT_REST:
            break
    data.act[:] = activation
