"""The simulated devices, each behind its port."""

import math
from typing import TYPE_CHECKING

import mujoco
import numpy as np

from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.imaging import Intrinsics
from chef_cell.core.readings import (
    COLOURS,
    ArmReading,
    GripperReading,
    ImageReading,
    ObjectReading,
    WrenchReading,
)
from chef_cell.sim import contacts, kinematics

if TYPE_CHECKING:
    from chef_cell.sim.cell import SimCell

IMAGE_SIZE = 128  # pixels, width and height of the policies' images


class SimArm:
    """The Sawyer; implements `ports.Arm`."""

    def __init__(self, cell: 'SimCell') -> None:
        self._cell = cell

    @property
    def position(self) -> np.ndarray:
        """Joint positions of now, rad, (7,): all that the joint loop needs of a reading."""
        return self._cell.data.qpos[self._cell.addresses.arm_position].copy()

    def read(self) -> ArmReading:
        """Return the joint state of now."""
        data, addresses = self._cell.data, self._cell.addresses
        return ArmReading(
            self._cell.time,
            self.position,
            data.qvel[addresses.arm_velocity].copy(),
            data.sensordata[addresses.joint_torque],
        )

    def command_velocity(self, velocity: np.ndarray) -> None:
        """Command joint velocities, rad/s, (7,), for the ticks to come."""
        velocity = np.asarray(velocity, np.float64)
        if velocity.shape != (7,):
            raise ValueError(f'joint velocities have shape {velocity.shape}, expected (7,)')
        if not math.isfinite(velocity.dot(velocity)):  # cheaper than asking each number
            raise ValueError(f'joint velocities {velocity.tolist()} are not finite')
        self._cell.data.ctrl[self._cell.addresses.arm_control] = velocity


class SimGripper:
    """The 2F-85; implements `ports.Gripper`."""

    def __init__(self, cell: 'SimCell') -> None:
        self._cell = cell

    def read(self) -> GripperReading:
        """Return the gripper's state of now."""
        cell = self._cell
        return GripperReading(
            cell.time,
            cell.gripper_counts(),
            cell.gripper_change / cell.gripper_window,
            contacts.grasp(cell.data, cell.addresses),
        )

    def command_velocity(self, velocity: float) -> None:
        """Command the closing speed, -1 .. 1, for the ticks to come."""
        if not -1.0 <= velocity <= 1.0:
            raise ValueError(f'gripper velocity {velocity}, allowed: -1 .. 1')
        self._cell.data.ctrl[self._cell.addresses.gripper_control] = 255.0 * velocity


class SimWrist:
    """The FTS-300, without noise, as in the benchmark; implements `ports.Wrist`.

    The robot's weight is compensated in simulation, so the sensor reads zero in free space.
    Between two control steps the reading is that of the last physics step, 2 ms before now.
    """

    def __init__(self, cell: 'SimCell') -> None:
        self._cell = cell

    def read(self) -> WrenchReading:
        """Return the wrench of now, in the sensor frame."""
        sensordata, addresses = self._cell.data.sensordata, self._cell.addresses
        return WrenchReading(
            self._cell.time,
            sensordata[addresses.force].copy(),
            sensordata[addresses.torque].copy(),
        )


class SimTracker:
    """True object poses; implements `ports.ObjectTracker`."""

    def __init__(self, cell: 'SimCell') -> None:
        self._cell = cell

    def read(self) -> ObjectReading:
        """Return the poses of now."""
        qpos, places = self._cell.data.qpos, self._cell.addresses.object_position
        return ObjectReading(
            self._cell.time,
            {colour: kinematics.canonical(qpos[places[colour]].copy()) for colour in COLOURS},
            dict.fromkeys(COLOURS, True),
        )


class SimCamera:
    """One camera of the basket; implements `ports.Camera`."""

    def __init__(self, cell: 'SimCell', name: str) -> None:
        self._cell = cell
        self.name = name

    @property
    def fovy(self) -> float:
        """Vertical field of view, rad."""
        return math.radians(float(self._cell.model.camera(f'basket/{self.name}').fovy[0]))

    def calibration(self, width: int, height: int) -> CameraCalibration:
        """Return where the camera is, exactly, and how it sees at a size (pixels)."""
        model = self._cell.model
        data = mujoco.MjData(model)  # the cell's own has no poses before its first reset
        mujoco.mj_kinematics(model, data)
        mujoco.mj_camlight(model, data)
        camera = data.camera(f'basket/{self.name}')
        # MuJoCo's cameras look along -z with y up (OpenGL), optical frames along z with y down.
        optical = camera.xmat.reshape(3, 3) * (1.0, -1.0, -1.0)
        pose = kinematics.pose_of(camera.xpos, optical.ravel())
        return CameraCalibration(Intrinsics.from_fovy(self.fovy, width, height), pose)

    def read(self) -> ImageReading:
        """Render the image of now, (128, 128, 3)."""
        pixels = self._cell.render(self.name, IMAGE_SIZE, IMAGE_SIZE)
        return ImageReading(self._cell.time, pixels)
