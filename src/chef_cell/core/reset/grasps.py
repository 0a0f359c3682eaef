"""How an object where it lies can be grasped, or, if it can't, nudged.

The best grasp is the one in which the finger pads lie flush on the object: friction then holds
it, and it does not turn or slip while they close.
"""

import dataclasses
import math
from collections.abc import Callable

import numpy as np

from chef_cell.core.reset.hand import (
    OPENING,
    PAD,
    PALM,
    SINK,
    HandPose,
    lowest_height,
    room,
    wrapped,
)
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.core.reset.solids import UP, Solid, cut, gap
from chef_cell.core.rewards import WORKSPACE_CENTRE

#: Says whether a hand can be held so: its last joint has a limited range.
Reachable = Callable[[HandPose], bool]

_HEADINGS = np.arange(0.0, math.pi, math.pi / 36)
_NUDGE_DIRECTIONS = np.arange(0.0, 2.0 * math.pi, math.pi / 8)
_FREE = 0.0425 - 0.0035  # m, half the opening that an object may fill
_DEPTH = 0.012  # m, that the closed fingers reach down beside an object at least
_TIP = 0.005  # m, the same before they close
#: m, points of a finger pad: along the tool's x axis, and above the tips.
_PAD_GRID = np.stack(np.meshgrid(np.linspace(-0.009, 0.009, 5), np.linspace(0.001, 0.025, 6)), -1)
_PAD_GRID = _PAD_GRID.reshape(-1, 2)
#: m, places along an object beside its middle where it may be grasped.
_STEPS = np.array((0.0, 0.025, -0.025, 0.05, -0.05))
_FINGER = 0.0195  # m, half the breadth of a finger
_AWAY = 0.012  # m, a pad farther from the object than this is away from it
_LOOSE = 0.0105  # m: hardly any of the pads meets the object
_BESIDE = 0.002  # m, room beside the hand at least
_COMFORT = 0.008  # m, more room is no better
_BEFORE = 0.012  # m, between the fingers and an object that is to be nudged
_PUSH = 0.04  # m, way of an object that is nudged
_CENTRAL = 0.06  # m, objects so near the middle of the basket are nudged anywhere


@dataclasses.dataclass(frozen=True)
class Grasp:
    """A way to grasp an object, or, with two poses, to nudge it."""

    pose: HandPose  # of the hand before it closes, or before it pushes
    cost: float  # m, about the width between the fingers; the cheapest is tried first
    end: HandPose | None = None  # of a nudge


def grasps(
    target: Solid, others: list[Solid], reachable: Reachable, settings: ResetSettings
) -> list[Grasp]:
    """Return the ways to grasp `target`, the best one first; maybe none."""
    found = []
    for heading in _HEADINGS:
        along = HandPose(np.zeros(3), heading).axes[0]
        half = float(np.abs((target.plan - target.centre[:2]) @ along).max()) - PAD
        for step in _STEPS[np.abs(_STEPS) <= max(half, 0.0)]:
            grasp = _grasp(target, others, heading, step, settings)
            if grasp is not None:
                turned = HandPose(grasp.pose.position, wrapped(heading + math.pi))  # the same
                poses = filter(reachable, (grasp.pose, turned))
                found += [Grasp(pose, grasp.cost) for pose in poses]
    return sorted(found, key=lambda grasp: grasp.cost)


def _grasp(
    target: Solid, others: list[Solid], heading: float, step: float, settings: ResetSettings
) -> Grasp | None:
    """Return the grasp with this heading, `step` (m) beside the middle, or None."""
    lower, upper = np.array(settings.workspace_lower), np.array(settings.workspace_upper)
    along, across = HandPose(np.zeros(3), heading).axes
    place = np.clip(target.centre[:2] + step * along, lower[:2], upper[:2])
    height = lower[2]
    for _ in range(2):  # the height follows the place, and the place the section at that height
        between = target.between(np.array((*along, 0.0)), place @ along - _FINGER,
                                 place @ along + _FINGER)  # fmt: skip
        if not len(between):
            return None
        bottom, top = between[:, 2].min(), between[:, 2].max()
        height = max(height, bottom + 0.4 * (top - bottom), top - PALM)
        section = cut(between, UP, 0.5 * (height + min(top, height + 0.012)))
        if not len(section):
            return None
        shadow = section[:, :2] @ across
        middle = 0.5 * (shadow.min() + shadow.max())
        place = np.clip((place @ along) * along + middle * across, lower[:2], upper[:2])
        opening = min(0.5 * float(shadow.max() - shadow.min()), OPENING)
        height = max(height, lowest_height(place, heading, opening, others))
    sunk = height - SINK * (1.0 - opening / OPENING)
    if height > min(top - _TIP, upper[2]) or sunk > top - _DEPTH:
        return None
    if np.abs(target.above(height - 0.004) @ across - place @ across).max() > _FREE:
        return None
    pose = HandPose(np.array((*place, height)), heading)
    free = room(pose, others)
    aloof = _aloofness(target, pose.raised(sunk))
    if free < _BESIDE or aloof > _LOOSE:
        return None
    off_centre = float(np.linalg.norm(target.centre[:2] - place))
    tight = max(0.0, _COMFORT - free)
    return Grasp(pose, aloof + 0.1 * opening + 0.2 * off_centre + 0.2 * tight)


def _aloofness(target: Solid, pose: HandPose) -> float:
    """Return how far (m, root mean square) the pads of a closed hand stay from the object."""
    along, across = np.column_stack((pose.axes, np.zeros(2)))
    points = pose.position + _PAD_GRID[:, :1] * along + _PAD_GRID[:, 1:] * (0.0, 0.0, 1.0)
    ins, outs = target.pierced(points, across)
    hit = ins < outs
    if not hit.any():
        return _AWAY
    gaps = np.stack((ins - ins[hit].min(), outs[hit].max() - outs))
    gaps = np.where(hit, np.minimum(gaps, _AWAY), _AWAY)
    return float(np.sqrt((gaps**2).mean()))


def nudges(
    target: Solid, others: list[Solid], reachable: Reachable, settings: ResetSettings
) -> list[Grasp]:
    """Return the ways to push `target` with closed fingers, the best one first; maybe none."""
    found = []
    lower, upper = np.array(settings.workspace_lower), np.array(settings.workspace_upper)
    for angle in _NUDGE_DIRECTIONS:
        way = np.array((math.cos(angle), math.sin(angle)))
        behind = float((target.plan @ way).min() - target.centre[:2] @ way)
        start = target.centre[:2] + way * (behind - PAD - _BEFORE)
        end = np.clip(start + way * (_BEFORE + _PUSH), lower[:2], upper[:2])
        push = float((end - start) @ way) - _BEFORE
        if (np.clip(start, lower[:2], upper[:2]) != start).any() or push < 0.25 * _PUSH:
            continue
        moved = target.plan + way * push
        if _away(moved) > _away(target.plan):
            continue
        # Past the other objects, and towards the middle unless it is there already.
        crowd = min((gap(moved, other.plan) for other in others), default=_COMFORT)
        cost = _away(moved) - push + 2.0 * max(0.0, _COMFORT - crowd)
        for heading in (wrapped(angle), wrapped(angle + math.pi)):
            heights = [lowest_height(p, heading, 0.0, (), closed=True) for p in (start, end)]
            height = max(lower[2], *heights)
            first, last = (HandPose(np.array((*p, height)), heading) for p in (start, end))
            free = room(first, [target, *others], closed=True) >= _BESIDE
            if free and height < target.top and reachable(first) and reachable(last):
                found.append(Grasp(first, cost, last))
    return sorted(found, key=lambda nudge: nudge.cost)


def _away(plan: np.ndarray) -> float:
    """Return how far (m) an object is from the middle of the basket; the same all about it."""
    return max(float(np.linalg.norm(plan.mean(axis=0) - WORKSPACE_CENTRE[:2])), _CENTRAL)
