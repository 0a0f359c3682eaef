"""A camera's intrinsics as sensor_msgs/CameraInfo."""

from sensor_msgs.msg import CameraInfo

from chef_cell.core.imaging import Intrinsics


def from_message(message: CameraInfo) -> Intrinsics:
    """Return what a camera's description says of a raw image.

    Raises:
        ValueError: it has no focal lengths, or a distortion other than plumb_bob.
    """
    fx, _, cx, _, fy, cy, *_ = message.k.tolist()
    if not (fx > 0.0 and fy > 0.0 and message.width and message.height):
        raise ValueError(
            f'camera info of {message.width}x{message.height} with focal lengths {fx}, {fy}'
        )
    distortion = list(message.d)
    if any(distortion) and (message.distortion_model != 'plumb_bob' or len(distortion) != 5):
        raise ValueError(
            f'{len(distortion)} distortion coefficients of model {message.distortion_model!r}, '
            'expected 5 of plumb_bob'
        )
    k1, k2, p1, p2, k3 = distortion if any(distortion) else [0.0] * 5
    return Intrinsics(message.width, message.height, fx, fy, cx, cy, (k1, k2, p1, p2, k3))


def to_message(intrinsics: Intrinsics) -> CameraInfo:
    """Return the description of a camera's raw images; the header is left to the caller."""
    fx, fy, cx, cy = intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy
    message = CameraInfo(width=intrinsics.width, height=intrinsics.height)
    message.distortion_model = 'plumb_bob'
    message.d = list(intrinsics.distortion)
    message.k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message
