"""How a session puts the objects where an episode begins: by a new scene, or by the arm."""

from collections.abc import Awaitable, Callable
from typing import Any

from builtin_interfaces.msg import Time

from chef_cell.core.schedule import PlannedEpisode
from chef_cell.nodes import ros
from chef_cell.nodes.cell_client import CellClient
from chef_cell.nodes.episode_watch import EpisodeWatch
from chef_cell.nodes.session_stop import BAD_INPUT, FAULT, SessionStoppedError
from chef_cell.sim.objects import UnknownObjectError, resolve_triplet
from chef_interfaces.msg import SafetyState

#: until(condition, limit, reason): wait on the wall clock; raises SessionStoppedError.
Until = Callable[[Callable[[], bool], float, Callable[[], str]], Awaitable[None]]


class SessionReset:
    """Makes each episode's start.

    A scripted reset moves what lies in the basket. Only a scene brings other objects, so the
    simulated cell begins each triplet with one; in a real cell a person has put them there.

    Args:
        client: the session's side of the graph.
        scripted: whether the arm rearranges the objects.
        nodes: names of those in the cell: the bridge makes scenes, `reset` rearranges.
        attempts: scripted resets that the 20 N rule may stop before a person is called.
        timeouts: s, for a scene and for a scripted reset.
        retreat_time: s of the samples' time for the arm to retreat after such a stop.
        until: waits.
        publish: announces the state of the episode.
    """

    def __init__(
        self,
        client: CellClient,
        scripted: bool,
        nodes: tuple[str, ...],
        attempts: int,
        timeouts: tuple[float, float],
        retreat_time: float,
        until: Until,
        publish: Callable[[], None],
    ) -> None:
        self._client = client
        self._scripted = scripted
        self._simulated = 'mujoco_bridge' in nodes
        self._able = 'reset' in nodes
        self._attempts = attempts
        self._scene_timeout, self._scripted_timeout = timeouts
        self._retreat_ns = retreat_time * 1e9
        self._until = until
        self._publish = publish
        self._lying = ''  # triplet in the basket

    def check(self, queue: tuple[PlannedEpisode, ...]) -> None:
        """Raise SessionStoppedError when the queue asks for objects that nobody would bring."""
        triplets = sorted({planned.triplet for planned in queue})
        if self._scripted and not self._able:
            raise SessionStoppedError('this cell was started without the node reset', BAD_INPUT)
        if self._simulated or not self._scripted:
            return
        if len(triplets) > 1:
            raise SessionStoppedError(
                f'triplets {", ".join(triplets)}: the arm cannot bring other objects, '
                'run a session for each',
                BAD_INPUT,
            )
        self._lying = triplets[0]

    async def prepare(self, watch: EpisodeWatch) -> tuple[Time, tuple[str, ...]]:
        """Return the stamp of the first observation and the names of the objects.

        Raises:
            SessionStoppedError: refused, a fault, or a person is needed.
        """
        if self._scripted and watch.planned.triplet == self._lying:
            return await self._rearrange(watch)
        call = self._client.reset_scene(watch.planned, watch.episode_id)
        limit = self._scene_timeout
        words = f'mujoco_bridge: reset_scene did not answer for {limit:g} s'
        await self._until(call.done, limit, lambda: words)
        response: Any = call.response
        if not response.success:
            raise SessionStoppedError(f'reset refused: {response.message}', BAD_INPUT)
        self._lying = watch.planned.triplet
        return response.stamp, tuple(response.objects)

    async def _rearrange(self, watch: EpisodeWatch) -> tuple[Time, tuple[str, ...]]:
        try:
            objects = resolve_triplet(watch.planned.triplet)
        except UnknownObjectError as error:
            raise SessionStoppedError(f'reset refused: {error}', BAD_INPUT) from error
        for attempt in range(1, self._attempts + 1):
            watch.reset_id = f'{watch.episode_id}.reset{attempt}'
            watch.rearranging = True
            self._publish()
            try:
                done = await self._attempt(watch)
            finally:
                watch.rearranging = False
                self._publish()
                watch.reset_id = ''
                if watch.over:
                    self._publish()  # with what a fault has made of it
            if done:
                return ros.to_stamp(self._client.next_start()), objects
        verdict = self._client.safety
        raise SessionStoppedError(
            f'needs a person: {self._attempts} resets were stopped, the last by {verdict.reason} '
            f'({verdict.value:.1f}, limit {verdict.limit:g})',
            FAULT,
        )

    async def _attempt(self, watch: EpisodeWatch) -> bool:
        """Return whether a reset was played to its end; False when the 20 N rule stopped it."""
        client, limit = self._client, self._scripted_timeout

        def done() -> bool:
            return client.reset.done and client.reset.reset_id == watch.reset_id

        await self._until(
            lambda: watch.over or done() or self._drawn_back(watch.reset_id),
            limit,
            lambda: (
                f'reset: nothing came of it for {limit:g} s; the arm was at: '
                f'{client.reset.activity or "the beginning"}'
            ),
        )
        if watch.over:
            raise SessionStoppedError(watch.episode.reason, FAULT)
        if not done():
            return False
        if not client.reset.success:
            raise SessionStoppedError(f'needs a person: {client.reset.reason}', FAULT)
        return True

    def _drawn_back(self, reset_id: str) -> bool:
        """Whether the latch has stopped this reset, and the arm has had its time to retreat."""
        verdict, newest_ns = self._client.safety, self._client.newest_ns.get('safety', 0)
        ours = verdict.level != SafetyState.OK and verdict.episode_id == reset_id
        return ours and newest_ns - ros.nanoseconds(verdict.since) >= self._retreat_ns
