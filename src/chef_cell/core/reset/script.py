"""The story of a reset: free the hand, pick every object and put it elsewhere, end at random.

What stands in the way of a grasp is moved first; an object that cannot be grasped even alone is
nudged, and tried again. What fails is tried in another way; after `tries` of them, or when the
time is over, a person is needed.
"""

from collections.abc import Callable, Mapping

import numpy as np

from chef_cell.core.readings import TaskCommand
from chef_cell.core.reset.grasps import Grasp, grasps, nudges
from chef_cell.core.reset.hand import wrapped
from chef_cell.core.reset.handling import Handling, Story
from chef_cell.core.reset.pilot import HOLD, ResetView
from chef_cell.core.reset.places import unfair
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.core.reset.solids import Solid, gap

_RAISED = 0.012  # m above the surface: rests on something
_OTHER_WAY = 0.4  # rad, by which a second try differs from one that failed
_OTHER_PLACE = 0.015  # m, the same
_STILL, _STILL_TIME = 0.002, 0.3  # m and s: at rest
_NUDGE_EVERY = 3  # tries: after so many less one, an object is first nudged
_Choice = tuple[str, Grasp] | None  # the object to move, and how


class NeedsPersonError(Exception):
    """The arm cannot go on alone."""


class ScriptedReset:
    """Rearranges three objects and the tool, one task command per control period.

    Args:
        shapes: colour -> the object in its own frame.
        settings: goals, speeds and patience.
        rng: draws where objects are put and where the tool ends.

    Attributes:
        done: whether the reset is over.
        failure: why a person is needed; empty while there is hope, and after a success.
    """

    def __init__(
        self, shapes: Mapping[str, Solid], settings: ResetSettings, rng: np.random.Generator
    ) -> None:
        self._shapes = dict(shapes)
        self._settings = settings
        self._rng = rng
        self._handling: Handling | None = None
        self._tries = dict.fromkeys(shapes, 0)
        self._failed_ways: dict[str, list[tuple[float, float]]] = {name: [] for name in shapes}
        self.done = False
        self.failure = ''

    @property
    def phase(self) -> str:
        """What the arm is doing, in words."""
        return self._handling.phase if self._handling else 'begin'

    @property
    def failures(self) -> list[str]:
        """What went wrong on the way, in words."""
        return self._handling.failures if self._handling else []

    def step(self, view: ResetView) -> TaskCommand:
        """Return the command for what is seen now; when `done`, one that stands still."""
        if self._handling is None:
            self._handling = Handling(self._shapes, self._settings, self._rng, view)
            self._begun = view.stamp
            self._story = self._tell(self._handling)
        self._handling.look(view)
        if not self.done:
            try:
                self._check_time(view.stamp)
                return next(self._story)
            except StopIteration:
                self.done = True
            except NeedsPersonError as error:
                self.done, self.failure = True, str(error)
        return TaskCommand(view.stamp, np.zeros(3), 0.0, HOLD)

    def _check_time(self, now: float) -> None:
        budget = self._settings.time_budget
        if now - self._begun > budget:
            raise NeedsPersonError(f'{budget:g} s were not enough, the last of them: {self.phase}')

    def _tell(self, arm: Handling) -> Story:
        yield from arm.free_hand()
        wanting = dict.fromkeys(self._shapes, 'has not been moved')
        for _ in range(self._settings.rounds):
            yield from self._rearrange(arm, set(wanting))
            yield from arm.attempt(arm.pose_tool())
            yield from self._see(arm)
            wanting = unfair(arm.solids, self._settings)
            if not wanting:
                return
        raise NeedsPersonError('; '.join(f'{name} {why}' for name, why in wanting.items()))

    def _rearrange(self, arm: Handling, left: set[str]) -> Story:
        """Move all objects named in `left`."""
        while left:
            arm.phase = 'look'
            yield from self._see(arm)
            colour, way = self._choose(arm, left)
            self._tries[colour] += 1
            if way.end is not None:
                yield from arm.attempt(arm.nudge(colour, way))
                continue
            kind = _kind(arm.solids[colour], way)
            moved = yield from arm.attempt(arm.move(colour, way))
            if moved:
                left.discard(colour)
            else:
                self._failed_ways[colour].append(kind)

    def _see(self, arm: Handling) -> Story:
        """Wait until all objects are seen and at rest."""
        settings, begun = self._settings, arm.pilot.view.stamp
        while True:
            before = arm.places
            yield from arm.pilot.wait(_STILL_TIME)
            waited = arm.pilot.view.stamp - begun
            if arm.hidden and waited > settings.lost_timeout:
                raise NeedsPersonError(f'{" and ".join(arm.hidden)} not seen for {waited:.1f} s')
            moved = [np.abs(arm.places[name] - place).max() for name, place in before.items()]
            still = len(moved) == len(self._shapes) and max(moved) < _STILL
            if not arm.hidden and (still or waited > settings.settle_timeout):
                return

    def _choose(self, arm: Handling, left: set[str]) -> tuple[str, Grasp]:
        """Return the object to move next, and how: the one on top, of those tried least."""
        solids = arm.solids
        for name in sorted(left):
            if self._tries[name] >= self._settings.tries:
                last = arm.failures[-1] if arm.failures else 'nudging does not help'
                raise NeedsPersonError(f'{name} was tried {self._tries[name]} times; {last}')
        free = [name for name in left if not _bears(solids, name)]
        free.sort(key=lambda name: (self._tries[name], -solids[name].top, name))
        plans = [(plan, name) for plan in (self._pick, self._clear, self._push) for name in free]
        # What would not be grasped where it lies may be elsewhere.
        plans.sort(key=lambda each: self._tries[each[1]] % _NUDGE_EVERY == _NUDGE_EVERY - 1
                   and each[0] != self._push)  # fmt: skip
        for plan, name in plans:
            choice = plan(arm, solids, name)
            if choice is not None:
                return choice
        name = free[0] if free else min(left)
        x, y = solids[name].centre[:2]
        raise NeedsPersonError(f'{name} at ({x:.3f}, {y:.3f}) m can be neither grasped nor nudged')

    def _pick(self, arm: Handling, solids: Mapping[str, Solid], name: str) -> _Choice:
        """Return the best grasp of an object, one unlike those that failed if there is one."""
        ways = self._ways(grasps, arm, solids, name)
        new = [way for way in ways if self._is_new(solids, name, way)]
        return (name, (new or ways)[0]) if ways else None

    def _clear(self, arm: Handling, solids: Mapping[str, Solid], name: str) -> _Choice:
        """Return a grasp of the neighbour without which the object could be grasped."""
        for other in solids:
            if other == name or _bears(solids, other):
                continue
            alone = {colour: solid for colour, solid in solids.items() if colour != other}
            if self._ways(grasps, arm, alone, name):
                return self._pick(arm, solids, other)
        return None

    def _push(self, arm: Handling, solids: Mapping[str, Solid], name: str) -> _Choice:
        """Return the best nudge of an object."""
        ways = self._ways(nudges, arm, solids, name)
        return (name, ways[0]) if ways else None

    def _ways(
        self,
        plan: Callable[..., list[Grasp]],
        arm: Handling,
        solids: Mapping[str, Solid],
        name: str,
    ) -> list[Grasp]:
        """Return the ways that `plan` finds to move an object among the others."""
        others = [solid for other, solid in solids.items() if other != name]
        return plan(solids[name], others, arm.pilot.reachable, self._settings)

    def _is_new(self, solids: Mapping[str, Solid], name: str, way: Grasp) -> bool:
        """Whether a grasp differs from all those of this object that failed."""
        direction, place = _kind(solids[name], way)
        return all(
            abs(wrapped(2.0 * (direction - turned))) > 2.0 * _OTHER_WAY
            or abs(place - beside) > _OTHER_PLACE
            for turned, beside in self._failed_ways[name]
        )


def _bears(solids: Mapping[str, Solid], name: str) -> bool:
    """Whether another object rests on this one."""
    return any(
        solid.above_ground > _RAISED
        and solid.centre[2] > solids[name].centre[2]
        and gap(solid.plan, solids[name].plan) < 0.0
        for other, solid in solids.items()
        if other != name
    )


def _kind(solid: Solid, way: Grasp) -> tuple[float, float]:
    """A grasp seen from the object, whichever way that is turned.

    The heading (rad), and how far beside the middle (m).
    """
    corner = solid.corners[0] - solid.centre
    turn = way.pose.heading - float(np.arctan2(corner[1], corner[0]))
    return turn, float(np.linalg.norm(way.pose.position[:2] - solid.centre[:2]))
