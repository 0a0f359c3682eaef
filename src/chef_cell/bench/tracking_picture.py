"""What the tracker saw, drawn into the images that it was shown."""

from collections.abc import Mapping
from pathlib import Path

import cv2
import numpy as np

from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.convex_shape import ConvexShape
from chef_cell.core.readings import COLOURS, ObjectReading
from chef_cell.core.wrench import rotation

_VALID, _LAST_KNOWN = (255, 255, 255), (0, 0, 0)  # RGB
_HEIGHT = 240  # pixels, of each image in the picture
_QUALITY = 85  # of the JPEG


def draw(
    path: Path,
    images: Mapping[str, np.ndarray],
    calibrations: Mapping[str, CameraCalibration],
    shapes: Mapping[str, ConvexShape],
    reading: ObjectReading,
) -> None:
    """Write a JPEG of all images side by side, with the objects' edges where they are thought.

    Valid poses are white, those that are not are black: there the object was seen last.
    """
    tiles = []
    for name, pixels in images.items():
        tile = pixels.copy()
        for colour in COLOURS:
            pose, shape = reading.poses[colour], shapes[colour]
            corners = shape.vertices @ rotation(pose[3:]).T + pose[:3]
            ends = calibrations[name].project(corners)
            if not np.isfinite(ends).all():
                continue
            for first, second in _edges(shape):
                line = np.round(16.0 * ends[[first, second]]).astype(int)
                rgb = _VALID if reading.valid[colour] else _LAST_KNOWN
                cv2.line(tile, tuple(line[0]), tuple(line[1]), rgb, 1, cv2.LINE_AA, 4)
        width = round(_HEIGHT * tile.shape[1] / tile.shape[0])
        tiles.append(cv2.resize(tile, (width, _HEIGHT), interpolation=cv2.INTER_AREA))
    picture = cv2.cvtColor(np.hstack(tiles), cv2.COLOR_RGB2BGR)
    cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])


def _edges(shape: ConvexShape) -> list[tuple[int, int]]:
    """Return the pairs of corners that share two faces."""
    heights = shape.normals @ shape.vertices.T
    on_face = heights > heights.max(axis=1, keepdims=True) - 1e-4
    shared = on_face.T.astype(int) @ on_face.astype(int)
    first, second = np.nonzero(np.triu(shared >= 2, 1))
    return list(zip(first.tolist(), second.tolist(), strict=True))
