"""What the pixels inside a silhouette say about the pose that it belongs to."""

import dataclasses
from collections.abc import Iterable

import cv2
import numpy as np

from chef_cell.core.camera_model import CameraCalibration

#: What a camera shows: the label of each pixel (height, width), and how the camera sees.
View = tuple[np.ndarray, CameraCalibration]


@dataclasses.dataclass(frozen=True)
class Evidence:
    """Shares of an object's silhouettes, over all cameras."""

    own: float  # shows the object's colour
    hidden: float  # shows another object's colour
    missing: float  # shows neither: the arm is in front, or the object is not there
    outside: float  # beyond the images


def gather(
    corners: np.ndarray,
    views: Iterable[View],
    label: int,
) -> Evidence:
    """Count the pixels inside the silhouettes of an object.

    Args:
        corners: (n, 3), m, the object's corners in base.
        views: labels (height, width) and calibration of each camera.
        label: of the object.
    """
    counts, outside = np.zeros(3), 0.0
    for labels, calibration in views:
        pixels = calibration.project(corners)
        if not np.isfinite(pixels).all():
            continue
        hull = cv2.convexHull(pixels.astype(np.float32))[:, 0]
        inside = _inside(labels, hull)
        of_label = np.bincount(inside, minlength=label + 1)
        counts += (of_label[label], len(inside) - of_label[label] - of_label[0], of_label[0])
        # Only where the silhouette leaves the image: elsewhere the areas differ by rounding.
        if (hull.min() < 0.0) or (hull.max(axis=0) > np.array(labels.shape[::-1]) - 1.0).any():
            outside += max(cv2.contourArea(hull) - len(inside), 0.0)
    total = counts.sum() + outside
    if total == 0.0:
        return Evidence(0.0, 0.0, 0.0, 1.0)
    own, hidden, missing = (counts / total).tolist()
    return Evidence(own, hidden, missing, outside / total)


def _inside(labels: np.ndarray, hull: np.ndarray) -> np.ndarray:
    """Return the labels (n,) of the pixels inside a convex polygon (m, 2)."""
    height, width = labels.shape
    left, upper = np.clip(np.floor(hull.min(axis=0)), 0, (width, height)).astype(int)
    right, lower = np.clip(np.ceil(hull.max(axis=0)) + 1, 0, (width, height)).astype(int)
    mask = np.zeros((max(lower - upper, 0), max(right - left, 0)), np.uint8)
    if mask.size:
        cv2.fillConvexPoly(mask, np.round(hull - (left, upper)).astype(np.int32), 1)
    return labels[upper:lower, left:right][mask > 0]
