"""Where a hand above the basket has room: the outline of an open 2F-85, seen from above.

The tool frame lies between the finger tips, its y axis along the way of the fingers, its z axis
down. The heading of a hand is that of its x axis in base. Lengths from the model of the gripper
(`chef_cell.sim.robot`).
"""

import dataclasses
import math
from collections.abc import Sequence

import numpy as np

from chef_cell.core.reset.solids import Solid, gap, surface

#: m, half the opening between the finger pads.
OPENING = 0.0429
#: m by which the finger tips sink below the tool point until they meet.
SINK = 0.0137
#: m from the finger tips up to the palm: no object may reach further into the hand.
PALM = 0.055
#: m, half the breadth of a finger pad.
PAD = 0.011
#: Parts of the open hand: height above the tip, half length along x, reach along y (m).
_PARTS = ((0.0, 0.0125, 0.0625), (0.0285, 0.0195, 0.0745), (0.059, 0.038, 0.0745))
#: The same with closed fingers.
_CLOSED_PARTS = ((-SINK, 0.0115, 0.021), (0.0, 0.0195, 0.062), (0.0585, 0.038, 0.062))
_CORNERS = np.array(((1, 1), (1, -1), (-1, -1), (-1, 1)), float)
_THICKNESS = 0.021  # m, of a finger tip along y
_CLEAR = 0.003  # m, between the finger tips and what is below them
_NOWHERE = math.inf  # m, from an object that is not there


@dataclasses.dataclass(frozen=True)
class HandPose:
    """Where the tool is, or is to be."""

    position: np.ndarray  # m, (3,), in base
    heading: float  # rad, of the tool's x axis in base

    @property
    def axes(self) -> np.ndarray:
        """The tool's x and y axis seen from above, rows of (2, 2)."""
        cosine, sine = math.cos(self.heading), math.sin(self.heading)
        return np.array(((cosine, sine), (sine, -cosine)))

    def raised(self, height: float) -> 'HandPose':
        """Return the same at another height (m)."""
        return HandPose(np.array((*self.position[:2], height)), self.heading)


def heading_of(tool: np.ndarray) -> float:
    """Return the heading (rad) of a tool pose (7,)."""
    w, x, y, z = tool[3:]
    return math.atan2(2.0 * (x * y + w * z), 1.0 - 2.0 * (y * y + z * z))


def wrapped(angle: float) -> float:
    """Return the same angle in [-pi, pi)."""
    return (angle + math.pi) % (2.0 * math.pi) - math.pi


def room(pose: HandPose, others: list[Solid], closed: bool = False) -> float:
    """Return the smallest gap (m) beside a hand that comes down to `pose`.

    Only what reaches higher than a part of the hand can be in its way. Negative: something is.
    """
    smallest = _NOWHERE
    for height, length, reach in _CLOSED_PARTS if closed else _PARTS:
        outline = (_CORNERS * (length, reach)) @ pose.axes + pose.position[:2]
        for other in others:
            lowest = pose.position[2] + height
            if other.top > lowest:
                smallest = min(smallest, gap(outline, other.above(lowest)))
    return smallest


def lowest_height(
    position: np.ndarray,
    heading: float,
    opening: float,
    others: Sequence[Solid],
    closed: bool = False,
) -> float:
    """Return the tool height (m) at which the finger tips come 3 mm near what is below them.

    Below them is the basket, and whatever object the tips would meet while they close. As they
    close they sink, but leave the wall beside them: lowest over it they are open or narrow, never
    in between, because its height is convex along their way.

    Args:
        position: of the tool seen from above, (2,).
        heading: of the hand, rad.
        opening: half the gap between the pads when they are at their narrowest, m.
        others: objects that may be below the fingers.
        closed: whether the fingers come down closed.
    """
    axes = HandPose(np.array((*position, 0.0)), heading).axes
    sink = SINK * (1.0 - opening / OPENING)
    narrow = (_CORNERS * (PAD, opening + _THICKNESS)) @ axes + position
    outline = narrow if closed else (_CORNERS * (PAD, _PARTS[0][2])) @ axes + position
    below = float(surface(outline).max())
    lowest = max(below, float(surface(narrow).max()) + sink)
    for other in sorted(others, key=lambda solid: solid.top):
        if other.top > below and gap(outline, other.above(below)) < 0.0:
            below = other.top
            lowest = max(lowest, below + sink)
    return lowest + _CLEAR
