"""Images of other drivers as RGB: the encodings of sensor_msgs/Image that cameras use."""

import cv2
import numpy as np

#: Encoding -> bytes a pixel, and OpenCV's conversion; None: it is RGB already.
_CONVERSIONS: dict[str, tuple[int, int | None]] = {
    'rgb8': (3, None),
    'bgr8': (3, cv2.COLOR_BGR2RGB),
    'rgba8': (4, cv2.COLOR_RGBA2RGB),
    'bgra8': (4, cv2.COLOR_BGRA2RGB),
    'mono8': (1, cv2.COLOR_GRAY2RGB),
    'bayer_rggb8': (1, cv2.COLOR_BayerRGGB2RGB),
    'bayer_bggr8': (1, cv2.COLOR_BayerBGGR2RGB),
    'bayer_gbrg8': (1, cv2.COLOR_BayerGBRG2RGB),
    'bayer_grbg8': (1, cv2.COLOR_BayerGRBG2RGB),
    'yuv422': (2, cv2.COLOR_YUV2RGB_UYVY),
    'uyvy': (2, cv2.COLOR_YUV2RGB_UYVY),
    'yuv422_yuy2': (2, cv2.COLOR_YUV2RGB_YUY2),
    'yuyv': (2, cv2.COLOR_YUV2RGB_YUY2),
}


def to_rgb(data: bytes, encoding: str, width: int, height: int, step: int) -> np.ndarray:
    """Return an image as uint8 (height, width, 3); rows of `data` are `step` bytes apart.

    Raises:
        ValueError: an encoding that is not known here, or data that are not such an image.
    """
    if encoding not in _CONVERSIONS:
        raise ValueError(f'image encoding {encoding!r}, expected one of {", ".join(_CONVERSIONS)}')
    depth, conversion = _CONVERSIONS[encoding]
    if not width or not height or step < depth * width or len(data) != height * step:
        raise ValueError(
            f'image of {len(data)} bytes in rows of {step} is not {width}x{height} {encoding}'
        )
    rows = np.frombuffer(data, np.uint8).reshape(height, step)[:, : depth * width]
    pixels = rows.reshape((height, width, depth) if depth > 1 else (height, width))
    return pixels.copy() if conversion is None else cv2.cvtColor(pixels, conversion)
