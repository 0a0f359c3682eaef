"""Where things lie in the arrays of a compiled scene."""

import dataclasses

import mujoco
import numpy as np

from chef_cell.core.readings import COLOURS
from chef_cell.sim import robot


@dataclasses.dataclass(frozen=True)
class Addresses:
    """Indices into the arrays of one `mujoco.MjModel` and its data."""

    arm_position: slice  # in qpos
    arm_velocity: slice  # in qvel
    arm_control: slice  # in ctrl
    arm_activation: slice  # in act
    gripper_position: int  # in qpos
    gripper_control: int  # in ctrl
    joint_torque: np.ndarray  # in sensordata, (7,)
    force: slice  # in sensordata
    torque: slice  # in sensordata
    fingertips: tuple[int, int]  # geoms
    robot_bodies: np.ndarray
    robot_geoms: frozenset[int]
    object_position: dict[str, slice]  # in qpos
    object_velocity: dict[str, slice]  # in qvel
    object_geom: dict[str, int]


def find(model: mujoco.MjModel) -> Addresses:
    """Look all addresses up by name."""
    joints = [model.joint(name) for name in robot.JOINTS]
    actuators = [model.actuator(name) for name in robot.ARM_ACTUATORS]
    free = {colour: model.joint(colour) for colour in COLOURS}
    return Addresses(
        arm_position=_run([joint.qposadr[0] for joint in joints]),
        arm_velocity=_run([joint.dofadr[0] for joint in joints]),
        arm_control=_run([actuator.id for actuator in actuators]),
        arm_activation=_run([actuator.actadr[0] for actuator in actuators]),
        gripper_position=int(model.joint(robot.GRIPPER_JOINT).qposadr[0]),
        gripper_control=model.actuator(robot.GRIPPER_ACTUATOR).id,
        joint_torque=np.array(
            # The joints turn about the z axes of their sensors.
            [model.sensor(name).adr[0] + 2 for name in robot.TORQUE_SENSORS]
        ),
        force=_three(model.sensor(robot.FORCE_SENSOR).adr[0]),
        torque=_three(model.sensor(robot.TORQUE_SENSOR).adr[0]),
        fingertips=(model.geom(robot.FINGERTIPS[0]).id, model.geom(robot.FINGERTIPS[1]).id),
        robot_bodies=np.array(
            [i for i in range(model.nbody) if model.body(i).name.startswith(robot.PREFIXES)]
        ),
        robot_geoms=frozenset(
            geom
            for geom in range(model.ngeom)
            if model.body(model.geom_bodyid[geom]).name.startswith(robot.PREFIXES)
        ),
        object_position={
            colour: slice(joint.qposadr[0], joint.qposadr[0] + 7) for colour, joint in free.items()
        },
        object_velocity={
            colour: slice(joint.dofadr[0], joint.dofadr[0] + 6) for colour, joint in free.items()
        },
        object_geom={colour: model.geom(colour).id for colour in COLOURS},
    )


def _run(indices: list[int]) -> slice:
    """Return consecutive `indices` as a slice: a view is cheaper than a copy."""
    begin, end = int(indices[0]), int(indices[-1]) + 1
    if list(indices) != list(range(begin, end)):
        raise ValueError(f'indices {indices} are not consecutive')
    return slice(begin, end)


def _three(begin: int) -> slice:
    return slice(int(begin), int(begin) + 3)
