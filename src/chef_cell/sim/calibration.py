"""The simulated cameras as a calibration would find them, without an error."""

import math

import mujoco
import numpy as np

from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.imaging import Intrinsics
from chef_cell.core.wrench import quaternion
from chef_cell.sim import scene
from chef_cell.sim.basket import CAMERAS

#: MuJoCo's cameras look along -z with y up, optical frames along z with y down.
_TO_OPTICAL = np.diag((1.0, -1.0, -1.0))


def calibrations(width: int, height: int) -> dict[str, CameraCalibration]:
    """Return the basket's cameras by name, for images of `width` x `height` pixels.

    Raises:
        ModelFilesError: the wheels with the model files are not installed.
    """
    model = scene.load('1', scene.DEFAULTS)
    data = mujoco.MjData(model)
    mujoco.mj_kinematics(model, data)
    mujoco.mj_camlight(model, data)
    found = {}
    for name in CAMERAS:
        camera = model.camera(f'basket/{name}')
        rotation = data.cam_xmat[camera.id].reshape(3, 3) @ _TO_OPTICAL
        pose = np.concatenate((data.cam_xpos[camera.id], quaternion(rotation)))
        intrinsics = Intrinsics.from_fovy(math.radians(camera.fovy.item()), width, height)
        found[name] = CameraCalibration(intrinsics, pose)
    return found
