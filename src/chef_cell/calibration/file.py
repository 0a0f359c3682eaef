"""Calibration files: YAML, camera -> the plain data of `CameraCalibration`."""

from collections.abc import Mapping
from pathlib import Path

import yaml

from chef_cell.core.camera_model import CalibrationError, CameraCalibration

_HEAD = """\
# Calibrated cameras. size: pixels; matrix: K, row by row, pixels; distortion: k1, k2, p1, p2, k3
# (plumb_bob). position (m) and orientation (wxyz): the optical frame (z forward, x right, y down)
# in the robot's base frame.
"""


def load(path: Path) -> dict[str, CameraCalibration]:
    """Return the cameras of a file by name; raises CalibrationError naming file and camera."""
    try:
        content = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise CalibrationError(f'calibration {path}: {error}') from error
    if not isinstance(content, dict) or not content:
        raise CalibrationError(f'calibration {path} names no camera')
    cameras = {}
    for name, values in content.items():
        try:
            cameras[str(name)] = CameraCalibration.from_dict(values)
        except CalibrationError as error:
            raise CalibrationError(f'calibration {path}: {name}: {error}') from error
    return cameras


def save(path: Path, cameras: Mapping[str, CameraCalibration], remark: str = '') -> None:
    """Write a file; an older one is replaced as a whole.

    `remark` says in a line how the calibration came about.
    """
    data = {name: camera.to_dict() for name, camera in cameras.items()}
    text = yaml.safe_dump(data, sort_keys=False, default_flow_style=None, width=99)
    new = path.with_name(f'.{path.name}.new')
    new.write_text(_HEAD + (f'# {remark}\n' if remark else '') + '\n' + text)
    new.replace(path)
