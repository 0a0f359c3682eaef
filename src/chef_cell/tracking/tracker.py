"""The object tracker: poses of the three objects from images of calibrated cameras."""

from collections.abc import Mapping

import numpy as np

from chef_cell.core.camera_model import CameraCalibration
from chef_cell.core.convex_shape import ConvexShape
from chef_cell.core.readings import COLOURS, ObjectReading
from chef_cell.tracking.evidence import View
from chef_cell.tracking.outline import outline
from chef_cell.tracking.refinement import RefinementSettings
from chef_cell.tracking.segmentation import ColourSettings, Segmenter
from chef_cell.tracking.sight import Sight
from chef_cell.tracking.track import JudgementSettings, ObjectTrack

_NOWHERE = np.array([0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])


class CameraTracker:
    """Sees where the objects are; implements `ports.ObjectTracker`.

    Args:
        shapes: of the objects, by colour.
        colours, refinement, judgement: settings.
    """

    def __init__(
        self,
        shapes: Mapping[str, ConvexShape],
        colours: ColourSettings,
        refinement: RefinementSettings,
        judgement: JudgementSettings,
    ) -> None:
        self._segmenter = Segmenter(colours)
        self._min_area = colours.min_area
        self._points = refinement.outline_points
        self._tracks = {
            colour: ObjectTrack(shapes[colour], place + 1, refinement, judgement)
            for place, colour in enumerate(COLOURS)
        }
        self._turn = 0  # whose turn it is to be looked for anew
        self._reading = ObjectReading(
            0.0,
            dict.fromkeys(COLOURS, _NOWHERE),
            dict.fromkeys(COLOURS, False),
            {colour: np.zeros((6, 6)) for colour in COLOURS},
            dict.fromkeys(COLOURS, 0.0),
        )

    @property
    def problems(self) -> dict[str, str]:
        """Why each object's pose is not valid; empty when it is."""
        return {colour: track.problem for colour, track in self._tracks.items()}

    def read(self) -> ObjectReading:
        """Return the poses as of the last update."""
        return self._reading

    def update(
        self,
        stamp: float,
        images: Mapping[str, np.ndarray],
        calibrations: Mapping[str, CameraCalibration],
        searches: int = 1,
    ) -> ObjectReading:
        """Take the images of one instant; return the poses.

        Objects that are lost are looked for anew, in turn: that takes as long as following three.

        Args:
            stamp: s, of the images.
            images: by camera, (height, width, 3), uint8 RGB; of those that there are.
            calibrations: of these images, by camera.
            searches: how many lost objects to look for.

        Raises:
            ValueError: an image has another size than its calibration.
        """
        views: list[View] = []
        for name, pixels in images.items():
            width, height = calibrations[name].size
            if pixels.shape != (height, width, 3):
                raise ValueError(
                    f'{name}: image of shape {pixels.shape}, calibrated for {(height, width, 3)}'
                )
            views.append((self._segmenter.labels(pixels), calibrations[name]))
        sights = {colour: self._sights(views, place + 1) for place, colour in enumerate(COLOURS)}
        for colour, track in self._tracks.items():
            track.follow(sights[colour], views)
        lost = [c for c in COLOURS[self._turn :] + COLOURS[: self._turn] if self.problems[c]]
        for colour in lost[:searches]:
            self._tracks[colour].search(sights[colour], views)
            self._turn = (COLOURS.index(colour) + 1) % len(COLOURS)
        self._reading = self._read(stamp)
        return self._reading

    def lose(self, stamp: float, problem: str) -> ObjectReading:
        """Say that nothing is known of now (stamp, s), and why; return the last poses."""
        for track in self._tracks.values():
            track.problem = problem
        self._reading = self._read(stamp)
        return self._reading

    def _sights(self, views: list[View], label: int) -> list[Sight]:
        found = []
        for labels, calibration in views:
            seen = outline(labels, label, self._min_area * labels.size, self._points)
            sight = None if seen is None else Sight.of(seen, calibration)
            if sight is not None and len(sight.points):
                found.append(sight)
        return found

    def _read(self, stamp: float) -> ObjectReading:
        before = self._reading
        poses, covariances, stamps = (
            dict(before.poses),
            dict(before.covariances),
            dict(before.stamps),
        )
        for colour, track in self._tracks.items():
            if not track.problem and track.estimate is not None:
                poses[colour] = track.estimate.pose
                covariances[colour] = track.estimate.covariance
                stamps[colour] = stamp
        valid = {colour: not track.problem for colour, track in self._tracks.items()}
        return ObjectReading(stamp, poses, valid, covariances, stamps)
