"""The life of one object's pose: found, followed from image to image, doubted, found again."""

import dataclasses

import numpy as np

from chef_cell.core.convex_shape import ConvexShape
from chef_cell.core.wrench import quaternion
from chef_cell.tracking import search
from chef_cell.tracking.evidence import Evidence, View, gather
from chef_cell.tracking.refinement import Fit, RefinementSettings, refine
from chef_cell.tracking.sight import BehindCameraError, Sight

#: Poses of a search that are refined; of its tries, so many have a random rotation.
_REFINED, _RANDOM = 3, 12
#: What an object may move between two images, and what a search may be wrong (m).
_MOVES, _MISSES = 0.04, 0.02
#: Information of knowing no more than that the object is in the cell.
_NO_MORE_KNOWN = np.diag(np.repeat((1.0, np.pi), 3) ** -2.0)
#: Two fits of a search that differ by more are two answers (m, rad).
_APART = (0.004, 0.35)
#: Stands for a share of one of contradicted outline, or missing silhouette, in squared deviations.
_CONTRADICTED, _MISSING = 20.0, 5.0


@dataclasses.dataclass(frozen=True)
class JudgementSettings:
    """When a pose is valid."""

    min_cameras: int = 2  # that show the object's own outline
    max_position_std: float = 0.004  # m, along the worst axis
    max_contradicted: float = 0.05  # share of the outline that lies outside the silhouette
    max_missing: float = 0.35  # share of the silhouettes without any object's colour
    min_own: float = 0.3  # share of the silhouettes that shows the object
    max_cost: float = 1.5  # squared deviations, mean of the outline
    ambiguity: float = 0.5  # squared deviations; another pose this close to the best is no worse


@dataclasses.dataclass(frozen=True, eq=False)
class Estimate:
    """A fit with all that is known about it."""

    fit: Fit
    evidence: Evidence
    covariance: np.ndarray  # (6, 6), m^2 and rad^2

    @property
    def pose(self) -> np.ndarray:
        """(7,): position (m) and quaternion wxyz, in base."""
        return np.concatenate((self.fit.position, quaternion(self.fit.rotation)))

    @property
    def badness(self) -> float:
        """How much speaks against it, in squared deviations."""
        return (
            self.fit.cost
            + _CONTRADICTED * self.fit.contradicted
            + _MISSING * self.evidence.missing
        )


class ObjectTrack:
    """Follows one object."""

    def __init__(
        self,
        shape: ConvexShape,
        label: int,
        refinement: RefinementSettings,
        judgement: JudgementSettings,
    ) -> None:
        self._shape = shape
        self._label = label
        self._refinement = refinement
        self._judgement = judgement
        self._random = np.random.default_rng(label)
        self.estimate: Estimate | None = None
        self.problem = 'not seen yet'

    def follow(self, sights: list[Sight], views: list[View]) -> None:
        """Take the pose that fits best near the last one; `problem` says if it is no good."""
        if self.estimate is None:
            return
        last = self.estimate.fit
        estimate = self._refined(sights, views, last.position, last.rotation, _MOVES)
        self.problem = self._judge(estimate)
        if estimate is not None and not self.problem:
            self.estimate = self._oriented_as_before(estimate)

    def search(self, sights: list[Sight], views: list[View]) -> None:
        """Look for the object anew."""
        if len(sights) < 2:
            self.problem = f'seen by {len(sights)} cameras, at least 2 allowed'
            return
        found = self._tries(sights, views)
        self.problem = self._judge(found[0] if found else None) or self._ambiguity(found)
        if not self.problem:
            self.estimate = self._oriented_as_before(found[0])

    def _tries(self, sights: list[Sight], views: list[View]) -> list[Estimate]:
        """Return what a search finds, best first."""
        middle = search.triangulate(sights)
        near = _within(sights, middle, 2.0 * self._shape.radius)
        if len(near) < 2:
            return []
        positions, rotations, _ = search.candidates(self._shape, near, middle, self._starts())
        found = [
            self._refined(sights, views, positions[i], rotations[i], _MISSES)
            for i in range(_REFINED)
        ]
        return sorted((e for e in found if e is not None), key=lambda e: e.badness)

    def _starts(self) -> np.ndarray:
        """Rotations to begin a search with: at rest, the last one, and some of any kind."""
        turns = search.turned(self._random.uniform(-np.pi, np.pi, (_RANDOM, 3)))
        starts = [self._shape.resting_rotations, turns]
        if self.estimate is not None:
            starts.append(self.estimate.fit.rotation[None])
        return np.concatenate(starts)

    def _refined(
        self,
        sights: list[Sight],
        views: list[View],
        position: np.ndarray,
        rotation: np.ndarray,
        margin: float,
    ) -> Estimate | None:
        near = _within(sights, position, self._shape.radius + margin)
        if not near:
            return None
        fit = refine(self._shape, near, position, rotation, self._refinement)
        if fit is None:
            return None
        corners = self._shape.vertices @ fit.rotation.T + fit.position
        covariance = np.linalg.inv(fit.information + _NO_MORE_KNOWN)
        return Estimate(fit, gather(corners, views, self._label), covariance)

    def _judge(self, estimate: Estimate | None) -> str:
        """Return what is wrong with an estimate; empty when nothing is."""
        if estimate is None:
            return 'not seen'
        limits, fit, evidence = self._judgement, estimate.fit, estimate.evidence
        std = float(np.sqrt(np.linalg.eigvalsh(estimate.covariance[:3, :3])[-1]))
        checks = (
            ('seen by', -fit.cameras, -limits.min_cameras, 'cameras'),
            ('uncertain by', 1e3 * std, 1e3 * limits.max_position_std, 'mm'),
            ('contradicted by', 100 * fit.contradicted, 100 * limits.max_contradicted, '%'),
            ('missing', 100 * evidence.missing, 100 * limits.max_missing, '%'),
            ('shows', -100 * evidence.own, -100 * limits.min_own, '%'),
            ('off by', fit.cost, limits.max_cost, 'squared deviations'),
        )
        for what, value, limit, unit in checks:
            if not value <= limit:
                bound = 'at most' if limit > 0 else 'at least'
                return f'{what} {abs(value):.3g} {unit}, {bound} {abs(limit):.3g} allowed'
        return ''

    def _ambiguity(self, found: list[Estimate]) -> str:
        best = found[0]
        for other in found[1:]:
            apart = float(np.linalg.norm(other.fit.position - best.fit.position))
            if other.badness - best.badness < self._judgement.ambiguity and apart > _APART[0]:
                return f'two poses {1e3 * apart:.0f} mm apart fit about as well'
        return ''

    def _oriented_as_before(self, estimate: Estimate) -> Estimate:
        """Of all rotations that look the same, choose the one nearest to the last."""
        if self.estimate is None:
            return estimate
        rotation = self._shape.nearest(estimate.fit.rotation, self.estimate.fit.rotation)
        return dataclasses.replace(
            estimate, fit=dataclasses.replace(estimate.fit, rotation=rotation)
        )


def _within(sights: list[Sight], centre: np.ndarray, radius: float) -> list[Sight]:
    try:
        kept = [sight.within(centre, radius) for sight in sights]
    except BehindCameraError:
        return []
    return [sight for sight in kept if sight is not None]
