"""From pictures to calibrated cameras."""

import dataclasses
import functools
from collections.abc import Callable, Mapping

from chef_cell.calibration.extrinsic import ExtrinsicResult, solve_extrinsics
from chef_cell.calibration.intrinsic import IntrinsicResult, solve_intrinsics
from chef_cell.calibration.pictures import PictureSet, Sighting, look
from chef_cell.core.camera_model import CalibrationError, CameraCalibration
from chef_cell.core.ports import Kinematics


@dataclasses.dataclass(frozen=True)
class Calibration:
    """What came out, for the report and the file."""

    pictures: PictureSet
    sightings: Mapping[str, Sighting]
    intrinsics: Mapping[str, IntrinsicResult]  # of the cameras whose lens was measured here
    extrinsics: ExtrinsicResult


def calibrate(
    pictures: PictureSet,
    known: Mapping[str, CameraCalibration],
    kinematics: Kinematics,
    wide: bool = False,
    on_view: Callable[[str, str, int], None] = lambda *_: None,
) -> Calibration:
    """Return lenses and places of all cameras of a set of pictures.

    Args:
        pictures: of the board.
        known: cameras of an earlier calibration whose lens is taken from there.
        kinematics: of the arm that held the board.
        wide: whether lenses have a wide angle; see `solve_intrinsics`.
        on_view: takes camera, view and its count of corners, as the pictures are looked through.

    Raises:
        CalibrationError: naming the camera and what to do.
    """
    sightings = {
        camera: look(pictures, camera, functools.partial(on_view, camera))
        for camera in pictures.files
    }
    lenses, measured = {}, {}
    for camera, sighting in sightings.items():
        if camera in known:
            _check_size(camera, known[camera], sighting)
            lenses[camera] = known[camera].intrinsics
            continue
        try:
            result = solve_intrinsics(sighting.views, pictures.board, sighting.size, wide)
        except CalibrationError as error:
            raise CalibrationError(f'{camera}: {error}') from error
        measured[camera], lenses[camera] = result, result.intrinsics
    held = bool(pictures.joints)
    if held and pictures.boards:
        raise CalibrationError('views with joints and views with a board: two ways, take one')
    if not held and not pictures.boards:
        raise CalibrationError(
            'views.yaml gives no view joints or a board: where the cameras are is not known'
        )
    extrinsics = solve_extrinsics(
        {camera: sighting.views for camera, sighting in sightings.items()},
        pictures.board,
        lenses,
        {name: kinematics.tool_pose(joints) for name, joints in pictures.joints.items()}
        if held
        else pictures.boards,
        held,
    )
    return Calibration(pictures, sightings, measured, extrinsics)


def _check_size(camera: str, known: CameraCalibration, sighting: Sighting) -> None:
    if known.size != sighting.size:
        raise CalibrationError(
            f'{camera}: pictures of {sighting.size} pixels, its lens was measured with '
            f'{known.size}'
        )
