"""Where objects are put, where the tool ends, and whether the result is fair."""

import numpy as np

from chef_cell.core.reset.grasps import Reachable
from chef_cell.core.reset.hand import HandPose, room, wrapped
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.core.reset.solids import Solid, gap

_PLACES, _TURNS = 200, 8  # draws, and headings drawn for each
RELEASE = 0.004  # m above the basket's surface, where an object is let go
_BESIDE = 0.003  # m, room beside the hand that lets go
_RAISED = 0.012  # m above the surface: what is higher stands on something
_BORDER = 0.04  # m by which an object may roll out of the area in which it was put


def draw_place(
    held: Solid,
    hand: HandPose,
    others: list[Solid],
    reachable: Reachable,
    settings: ResetSettings,
    rng: np.random.Generator,
) -> HandPose | None:
    """Return where a hand at `hand` that holds `held` lets go of it, or None.

    Places are uniform; one that is too near to another object is drawn anew. A place is given up
    only after several headings, so that room for the hand hardly bends the distribution.
    """
    for _ in range(_PLACES):
        place = rng.uniform(settings.place_lower, settings.place_upper)
        for heading in rng.uniform(-np.pi, np.pi, _TURNS):
            goal = _goal(held, hand, place, heading)
            lower, upper = settings.workspace_lower, settings.workspace_upper
            goal = goal.raised(max(goal.position[2], lower[2]))
            inside = (goal.position >= lower).all() and (goal.position <= upper).all()
            if not (inside and reachable(goal)):
                continue
            put = held.moved(hand.position, wrapped(heading - hand.heading), goal.position)
            if any(gap(put.plan, other.plan) < settings.separation for other in others):
                continue
            if room(goal, others) >= _BESIDE:
                return goal
    return None


def _goal(held: Solid, hand: HandPose, place: np.ndarray, heading: float) -> HandPose:
    """Return the hand's pose that puts the centre of `held` over `place` (2,), just above it."""
    turn = wrapped(heading - hand.heading)
    turned = held.moved(hand.position, turn, hand.position)
    position = hand.position + np.array((*(place - turned.centre[:2]), 0.0))
    put = held.moved(hand.position, turn, position)
    return HandPose(position - np.array((0.0, 0.0, put.above_ground - RELEASE)), heading)


def draw_tool(reachable: Reachable, settings: ResetSettings, rng: np.random.Generator) -> HandPose:
    """Return a random last pose of the tool."""
    for _ in range(_PLACES):
        position = rng.uniform(settings.tool_lower, settings.tool_upper)
        pose = HandPose(position, rng.uniform(-settings.tool_yaw, settings.tool_yaw))
        if reachable(pose):
            break
    return pose


def unfair(solids: dict[str, Solid], settings: ResetSettings) -> dict[str, str]:
    """Return colour -> why an episode should not begin with this object where it is."""
    found = {}
    lower = np.array(settings.place_lower) - _BORDER
    upper = np.array(settings.place_upper) + _BORDER
    for colour, solid in solids.items():
        place = solid.centre[:2]
        if solid.above_ground > _RAISED:
            found[colour] = 'rests on another object'
        elif ((place < lower) | (place > upper)).any():
            found[colour] = f'lies at ({place[0]:.3f}, {place[1]:.3f}) m, outside the workspace'
        elif any(gap(solid.plan, solids[other].plan) < 0.5 * settings.separation
                 for other in solids if other != colour):  # fmt: skip
            found[colour] = 'touches another object'
    return found
