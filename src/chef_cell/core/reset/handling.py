"""What the arm can do with the objects: free itself of them, pick, put and nudge one."""

from collections.abc import Generator, Mapping

import numpy as np

from chef_cell.core.readings import TaskCommand
from chef_cell.core.reset.grasps import Grasp
from chef_cell.core.reset.hand import SINK, HandPose
from chef_cell.core.reset.pilot import CLOSE, HOLD, OPEN, Arrival, Pilot, ResetView
from chef_cell.core.reset.places import RELEASE, draw_place, draw_tool
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.core.reset.solids import Solid

_ABOVE = 0.015  # m, between what hangs below the tool and what it passes over
_BEFORE = 0.02  # m above a goal, from where on the tool goes slowly
_FREEING = 0.01  # m that the tool rises slowly
_VIA = 0.01  # m, from a pose on the way that is near enough
_LIFT = 0.02  # m, after which an object must have come along
_LIFTED = 0.01  # m that it must have risen
_IN_HAND = 0.07  # m from the tool to the middle of what it holds, at most

Story = Generator[TaskCommand, None, None]


class FailedTryError(Exception):
    """One try to move an object has failed."""


class Handling:
    """Motions with the objects in mind. Each is a generator, as those of the pilot.

    Args:
        shapes: colour -> the object in its own frame.
        view: what is seen first.

    Attributes:
        phase: what the arm is doing, in words.
        failures: what went wrong, in words.
    """

    def __init__(
        self,
        shapes: Mapping[str, Solid],
        settings: ResetSettings,
        rng: np.random.Generator,
        view: ResetView,
    ) -> None:
        self._shapes = shapes
        self._settings = settings
        self._rng = rng
        self._known: dict[str, np.ndarray] = {}
        self.pilot = Pilot(settings, view)
        self.phase = 'begin'
        self.failures: list[str] = []
        self.look(view)

    def look(self, view: ResetView) -> None:
        """Take in what is seen now; where an object is not, it is taken to be where it was."""
        self.pilot.view = view
        hidden = self.hidden
        for name, pose in view.objects.poses.items():
            if name not in hidden:
                self._known[name] = pose

    @property
    def hidden(self) -> list[str]:
        """The objects that are not seen now."""
        objects = self.pilot.view.objects
        return [
            name
            for name in self._shapes
            if not (objects.valid[name] and np.isfinite(objects.poses[name]).all())
        ]

    @property
    def solids(self) -> dict[str, Solid]:
        """The objects where they are, as far as is known."""
        return {name: self._shapes[name].at(pose) for name, pose in self._known.items()}

    @property
    def places(self) -> dict[str, np.ndarray]:
        """Where the frames of the objects are, m, (3,), as far as is known."""
        return {name: pose[:3] for name, pose in self._known.items()}

    @property
    def _hand(self) -> HandPose:
        return self.pilot.view.hand

    def free_hand(self) -> Story:
        """Rise out of whatever the episode ended in; put down what comes along."""
        self.phase = 'retreat'
        before, start = self.places, self._hand.position[2]
        self.pilot.fingers = HOLD
        yield from self.rise()
        risen = max(self._hand.position[2] - start, _LIFTED)
        after = self.places
        along = [name for name in before if after[name][2] - before[name][2] > 0.5 * risen]
        if along:
            self.pilot.fingers = CLOSE
            yield from self.attempt(self.put(min(along, key=self._distance)))
        yield from self.pilot.open()

    def move(self, colour: str, grasp: Grasp) -> Story:
        """Pick an object and put it elsewhere.

        Raises:
            FailedTryError: it was not picked, or was lost on the way.
        """
        self.phase = f'pick {colour}'
        self.pilot.fingers = OPEN
        yield from self.over(grasp.pose, hanging=0.0)
        yield from self.pilot.open()
        yield from self._lower(grasp.pose)
        holds = yield from self.pilot.close()
        before = self.places[colour][2]
        if not holds:
            raise FailedTryError(f'the fingers slipped off {colour}')
        yield from self.pilot.rise(self._hand.position[2] + _LIFT, self._settings.slow_speed)
        risen = self.places[colour][2] - before
        if not self.pilot.grasping or (colour not in self.hidden and risen < _LIFTED):
            raise FailedTryError(f'{colour} slipped')
        yield from self.put(colour)

    def put(self, colour: str) -> Story:
        """Put what is held at a random place.

        Raises:
            FailedTryError: there is no room, or the object was lost on the way.
        """
        self.phase = f'place {colour}'
        held, hand, solids = self.solids[colour], self._hand, self.solids
        others = [solid for name, solid in solids.items() if name != colour]
        reachable = self.pilot.reachable
        goal = draw_place(held, hand, others, reachable, self._settings, self._rng)
        if goal is None:
            raise FailedTryError(f'no room to put {colour}')
        yield from self.over(goal, hanging=max(0.0, hand.position[2] - held.bottom))
        if colour not in self.hidden:
            if self._distance(colour) > max(_IN_HAND, held.top - held.bottom):
                raise FailedTryError(f'{colour} was lost on the way')
            # It may have slipped a little.
            room = self.solids[colour].above_ground - RELEASE
            goal = goal.raised(self._hand.position[2] - room)
        yield from self._lower(goal)
        yield from self.pilot.open()
        yield from self.rise()

    def nudge(self, colour: str, way: Grasp) -> Story:
        """Push an object with closed fingers."""
        self.phase = f'nudge {colour}'
        self.pilot.fingers = CLOSE
        yield from self.over(way.pose, hanging=SINK)
        yield from self.pilot.close()
        yield from self._lower(way.pose)
        if way.end is not None:
            yield from self.pilot.go(way.end, self._settings.slow_speed, self._settings.pull_force)
        yield from self.rise()

    def pose_tool(self) -> Story:
        """Open, and lead the tool to a random pose."""
        self.phase = 'pose'
        self.pilot.fingers = OPEN
        yield from self.over(draw_tool(self.pilot.reachable, self._settings, self._rng), 0.0)
        yield from self.pilot.open()

    def attempt(self, story: Story) -> Generator[TaskCommand, None, bool]:
        """Play a part of the story; after a failure open and rise; returns if it went well."""
        try:
            yield from story
        except FailedTryError as error:
            self.failures.append(str(error))
            yield from self.pilot.open()
            yield from self.rise()
            return False
        return True

    def over(self, goal: HandPose, hanging: float) -> Story:
        """Go to above `goal`, high enough for what hangs below the tool.

        Raises:
            FailedTryError: something was touched on the way, or the tool came no nearer.
        """
        tops = [solid.top for solid in self.solids.values()]
        highest = self._settings.workspace_upper[2]
        height = min(max([*tops, goal.position[2]]) + hanging + _ABOVE, highest)
        if self._hand.position[2] < height - _VIA:
            yield from self.pilot.rise(height, near=_VIA)
        arrival = yield from self.pilot.go(goal.raised(height), near=_VIA)
        if arrival != Arrival.THERE:
            raise FailedTryError(f'{self.phase}: {arrival.value} on the way')

    def _lower(self, goal: HandPose) -> Story:
        """Go straight down to `goal`; touching something on the way is no failure here."""
        above = goal.raised(goal.position[2] + _BEFORE)
        if self._hand.position[2] > above.position[2]:
            arrival = yield from self.pilot.go(above, near=_VIA)
            if arrival == Arrival.CONTACT:
                return
        yield from self.pilot.go(goal, self._settings.slow_speed)

    def rise(self) -> Story:
        """Go straight up, slowly at first, above everything."""
        start = self._hand.position[2] + _FREEING
        tops = [solid.top for solid in self.solids.values()]
        yield from self.pilot.rise(start, self._settings.slow_speed)
        yield from self.pilot.rise(max([*tops, start]) + _ABOVE, near=_VIA)

    def _distance(self, colour: str) -> float:
        """From the tool to the frame of an object (m)."""
        return float(np.linalg.norm(self.places[colour] - self._hand.position))
