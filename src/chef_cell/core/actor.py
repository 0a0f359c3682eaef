"""The closed loop of a policy: readings in, task commands out, one episode after another."""

from collections.abc import Callable
from typing import Any

from chef_cell.core.act import INITIAL_ACTION, clip_action, to_command
from chef_cell.core.ages import ages, stale
from chef_cell.core.observe import IMAGE_PREFIX, Observer, needed_readings
from chef_cell.core.policy_slot import Candidate, PolicySlot
from chef_cell.core.ports import Kinematics, PolicyRunner
from chef_cell.core.readings import TaskCommand


class Actor:
    """Observes, asks the policy in force, and remembers its action, as `previous_action` needs.

    Attributes:
        running: id of the running episode; empty between two episodes.
        commands: commands given in this episode.
        fault: why the policy gives no more commands in this episode; empty while it does.
        halted: whether somebody else forbade it to give more.
    """

    def __init__(self, slot: PolicySlot, kinematics: Kinematics) -> None:
        self.slot = slot
        self._kinematics = kinematics
        self._loop: tuple[PolicyRunner, Observer] | None = None
        self._needed: frozenset[str] = frozenset()
        self._newest: dict[str, tuple[int, Callable[[], Any]]] = {}
        self._previous = INITIAL_ACTION
        self.running = ''
        self.fault = ''
        self.halted = False
        self.commands = 0

    def take(self, candidate: Candidate) -> bool:
        """Accept a policy, at once between two episodes; returns False when it is refused."""
        accepted = self.slot.accept(candidate)
        if not self.running:
            self._swap()
        return accepted

    def start(self, episode_id: str, triplet: str, sha256: str = '') -> None:
        """Begin an episode with the objects of `triplet`, meant for the policy `sha256`."""
        self.running = episode_id
        self.commands = 0
        self.fault = ''
        self.halted = False
        self._previous = INITIAL_ACTION
        if self._loop is None:
            self.fault = 'no policy is loaded'
            return
        runner, observer = self._loop
        if sha256 not in ('', runner.sha256):
            self.fault = f'policy {sha256[:12]} is asked for, {runner.sha256[:12]} is loaded'
        observer.reset(triplet)

    def end(self) -> None:
        """End the episode; a policy that waits takes over."""
        self.running = ''
        self.fault = ''
        self._swap()

    def put(self, name: str, stamp_ns: int, read: Callable[[], Any]) -> None:
        """Keep the newest reading `name`: arm, gripper, wrench, objects or image/<camera>.

        `read` gives the reading when it is needed; most readings never are.
        """
        self._newest[name] = stamp_ns, read

    def ready(self, stamp_ns: int) -> bool:
        """Whether every reading the policy needs is there with exactly this stamp."""
        return all(
            name in self._newest and self._newest[name][0] == stamp_ns for name in self._needed
        )

    def ages(self, now_ns: int) -> dict[str, float]:
        """Return the age (s) of each reading the policy needs; infinite where none came."""
        newest_ns = {name: stamp_ns for name, (stamp_ns, _) in self._newest.items()}
        return ages(newest_ns, self._needed, now_ns)

    def check_ages(self, now_ns: int, max_age: float) -> None:
        """Fault the episode if a needed reading is missing or older than `max_age` (s)."""
        if self.running and not self.fault and (late := stale(self.ages(now_ns), max_age)):
            self.fault = f'{", ".join(late)}, limit {max_age} s'

    def act(self, stamp_ns: int) -> TaskCommand | None:
        """Return the command for the newest readings, issued at `stamp_ns`.

        Returns None between two episodes, and once anything went wrong in this one: see `fault`
        and `halted`.
        """
        if self.fault or self.halted or not self.running or self._loop is None:
            return None
        runner, observer = self._loop
        try:
            executed = clip_action(runner.act(self._observe(observer)))
        except ValueError as error:
            self.fault = str(error)
            return None
        self._previous = executed
        self.commands += 1
        return to_command(executed, runner.spec.action, stamp_ns * 1e-9)

    def _observe(self, observer: Observer) -> dict[str, Any]:
        readings = {name: self._newest[name][1]() for name in self._needed & self._newest.keys()}
        images = {
            name.removeprefix(IMAGE_PREFIX): reading
            for name, reading in readings.items()
            if name.startswith(IMAGE_PREFIX)
        }
        arm, gripper, wrench, objects = map(readings.get, ('arm', 'gripper', 'wrench', 'objects'))
        return observer.observe(arm, gripper, wrench, objects, images, self._previous)

    def _swap(self) -> None:
        if self.slot.boundary() and self.slot.current is not None:
            observations = self.slot.current.spec.observations
            observer = Observer(observations, self._kinematics, triplet='')
            self._loop = self.slot.current, observer
            self._needed = needed_readings(observations)
