"""The outline of an object in an image, and which of it is truly the object's."""

import dataclasses

import cv2
import numpy as np

#: A part of an object's pixels is its own when it is at least this large beside the largest.
_PART = 0.05
#: How near (pixels) another object, or the edge of the image, makes an outline doubtful.
_DOUBT = 3
#: Boundary pixels lie half a pixel inside the boundary.
_HALF = 0.5
_AROUND = _DOUBT * np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1) if (x, y) != (0, 0)])


@dataclasses.dataclass(frozen=True, eq=False)
class Outline:
    """Where the pixels of one object end."""

    points: np.ndarray  # (n, 2), pixels, on the boundary, evenly along it
    free: np.ndarray  # (n,), bool: nothing known may hide what lies beyond
    area: float  # pixels


def outline(labels: np.ndarray, label: int, min_area: float, count: int) -> Outline | None:
    """Return the outline of the pixels that carry `label`; None when there are too few.

    Args:
        labels: (height, width), uint8.
        label: of the object.
        min_area: pixels.
        count: of points, at most.
    """
    mask = (labels == label).view(np.uint8)
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    areas = np.array([cv2.contourArea(contour) for contour in contours])
    if not len(areas) or areas.max() < min_area:
        return None
    parts = [contours[i] for i in np.flatnonzero(areas >= max(_PART * areas.max(), min_area))]
    pixels = np.concatenate([part[:, 0] for part in parts])
    outward = np.concatenate([_outward(part[:, 0]) for part in parts])
    step = max(1, -(-len(pixels) // count))
    pixels, outward = pixels[::step], outward[::step]
    return Outline(
        pixels + _HALF * outward,
        ~_doubtful(labels, label, pixels),
        float(areas.sum()),
    )


def _outward(contour: np.ndarray) -> np.ndarray:
    """Return unit normals (n, 2) of a closed boundary as OpenCV goes around it."""
    reach = min(2, len(contour) // 3)
    along = (np.roll(contour, -reach, axis=0) - np.roll(contour, reach, axis=0)).astype(float)
    normals = np.column_stack((-along[:, 1], along[:, 0]))
    return normals / np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-9)


def _doubtful(labels: np.ndarray, label: int, pixels: np.ndarray) -> np.ndarray:
    """Whether another object, or the edge of the image, is near each of the pixels (n, 2)."""
    size = np.array(labels.shape[::-1])
    at_edge = ((pixels < _DOUBT) | (pixels >= size - _DOUBT)).any(axis=1)
    around = np.clip(pixels[:, None] + _AROUND, 0, size - 1)
    near = labels[around[..., 1], around[..., 0]]
    return at_edge | ((near != 0) & (near != label)).any(axis=1)
