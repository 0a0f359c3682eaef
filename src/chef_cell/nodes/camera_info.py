"""A camera's intrinsics as sensor_msgs/CameraInfo."""

from sensor_msgs.msg import CameraInfo

from chef_cell.core.imaging import Intrinsics


def from_message(message: CameraInfo) -> Intrinsics:
    """Return the pinhole part of a camera's description; raises ValueError if it has none."""
    fx, _, cx, _, fy, cy, *_ = message.k.tolist()
    if not (fx > 0.0 and fy > 0.0 and message.width and message.height):
        raise ValueError(
            f'camera info of {message.width}x{message.height} with focal lengths {fx}, {fy}'
        )
    return Intrinsics(message.width, message.height, fx, fy, cx, cy)


def to_message(intrinsics: Intrinsics) -> CameraInfo:
    """Return the description of a camera without distortion; the header is left to the caller."""
    fx, fy, cx, cy = intrinsics.fx, intrinsics.fy, intrinsics.cx, intrinsics.cy
    message = CameraInfo(width=intrinsics.width, height=intrinsics.height)
    message.distortion_model = 'plumb_bob'
    message.d = [0.0] * 5
    message.k = [fx, 0.0, cx, 0.0, fy, cy, 0.0, 0.0, 1.0]
    message.r = [1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0]
    message.p = [fx, 0.0, cx, 0.0, 0.0, fy, cy, 0.0, 0.0, 0.0, 1.0, 0.0]
    return message
