"""One session, from its plan to its last episode."""

import dataclasses
import math
import os
import time
from collections.abc import Callable, Generator
from datetime import datetime
from pathlib import Path
from typing import Any

from builtin_interfaces.msg import Time

from chef_cell.core.ports import Kinematics
from chef_cell.core.results import SessionResult
from chef_cell.core.schedule import PlannedEpisode, SessionPlan, queue
from chef_cell.core.session import EpisodeSettings, Phase, Stop
from chef_cell.nodes import ros
from chef_cell.nodes.cell_client import CellClient
from chef_cell.nodes.episode_watch import EpisodeWatch
from chef_cell.nodes.new_readings import NewReadings
from chef_cell.nodes.service_call import ServiceCall
from chef_cell.nodes.session_reset import SessionReset
from chef_cell.nodes.session_settings import Patience
from chef_cell.nodes.session_stop import BAD_INPUT, DONE, FAULT, SessionStoppedError
from chef_cell.nodes.wrist_zeroing import WristZeroing
from chef_interfaces.msg import EpisodeState, SafetyState


class _Pause:
    """Awaiting this ends one call of `SessionRun.advance`."""

    def __await__(self) -> Generator[None, None, None]:
        yield


class SessionRun:
    """Plays the queue of a plan; `result` and `exit_code` tell how it went.

    The story is told by a coroutine, which the owner moves on by calling `advance` every few
    milliseconds. It is no task of the executor: rclpy would poll it without a rest.

    Args:
        client: the session's side of the graph.
        directory: where session.json is written, after every episode.
        announce: publishes the state of the episode.
        scripted: whether the arm rearranges the objects between episodes.
        reset_attempts: of a scripted reset that the 20 N rule stops.
    """

    def __init__(
        self,
        plan: SessionPlan,
        directory: Path,
        client: CellClient,
        kinematics: Kinematics,
        settings: EpisodeSettings,
        patience: Patience,
        lockstep: bool,
        required: tuple[str, ...],
        announce: Callable[[EpisodeState], None],
        scripted: bool = False,
        reset_attempts: int = 1,
    ) -> None:
        self.queue = queue(plan)
        self.directory = directory
        self.watch: EpisodeWatch | None = None
        self.exit_code = DONE
        self._client = client
        self._kinematics = kinematics
        self._settings = settings
        self._patience = patience
        self._lockstep = lockstep
        self._required = required
        self._announce = announce
        client.listener = self
        self._reset = SessionReset(
            client,
            scripted,
            required,
            reset_attempts,
            (patience.reset_timeout, patience.scripted_timeout),
            settings.retreat_time,
            self._until,
            self.publish,
        )
        self._cancelled = ''
        self._loaded: dict[str, str] = {}  # policy file -> sha256
        self._written: set[str] = set()  # ids of the episodes on record
        self.result = SessionResult(
            directory.name,
            datetime.now().astimezone().isoformat(timespec='seconds'),
            {**dataclasses.asdict(plan), **dataclasses.asdict(settings)},
        )

        self._story = self._play_all()

    def advance(self) -> bool:
        """Go on as far as possible; returns whether the session is over."""
        self.check()
        try:
            self._story.send(None)
        except StopIteration:
            return True
        return False

    def cancel(self, reason: str) -> None:
        """Ask the session to stop at the next opportunity."""
        self._cancelled = reason

    async def _play_all(self) -> None:
        """Play every episode; a fault, a refusal or a cancellation stops the session."""
        try:
            self._reset.check(self.queue)
            await self._ready()
            for planned in self.queue:
                await self._load(planned.policy)
                await self._play(planned)
        except SessionStoppedError as error:
            self.stop(error)

    def stop(self, error: SessionStoppedError) -> None:
        """End the session here, and the episode that is under way."""
        self._client.listener = None
        self.exit_code = error.exit_code
        self.result = dataclasses.replace(self.result, stopped_by=error.reason)
        watch = self.watch
        if watch is not None and watch.episode.phase == Phase.RUNNING:
            watch.episode.stop(Stop(error.outcome, error.reason), time.monotonic())
            self.publish()
            self._write_down(watch)
        elif watch is not None and watch.episode.phase == Phase.RESETTING:
            self.watch = None
            self._announce(EpisodeState())
        elif watch is not None and watch.episode_id not in self._written:
            self._write_down(watch)  # its file is not finished, but its outcome is known
        self._write()

    def publish(self) -> None:
        """Announce the state of the episode."""
        if self.watch is not None:
            total = len(self.queue)
            self._announce(self.watch.message(self.result, total, self._client))

    async def _ready(self) -> None:
        limit = self._patience.ready_timeout
        client = self._client
        await self._until(
            lambda: not client.absent(self._required),
            limit,
            lambda: f'not up after {limit:g} s: {", ".join(client.absent(self._required))}',
        )
        # A moment, because word of a rearming may still be under way.
        await self._until(
            lambda: client.safety.level != SafetyState.FAULT,
            1.0,
            lambda: f'safety is at FAULT: {client.safety.reason}; rearm it with safety/rearm',
        )

    async def _load(self, path: str) -> None:
        client = self._client
        if path and self._loaded.get(path) != client.policy.sha256:
            response = await self._answer(
                client.load_policy(path), self._patience.load_timeout, 'policy: load_policy'
            )
            if not response.accepted:
                raise SessionStoppedError(f'policy refused: {response.message}', BAD_INPUT)
            self._loaded[path] = response.sha256
            await self._until(
                lambda: client.policy.sha256 == response.sha256,
                self._patience.load_timeout,
                lambda: f'policy {path} was accepted but not taken into use',
            )
        # A moment, because one that a fault has switched off may be coming back.
        await self._until(
            lambda: client.policy.ready,
            1.0,
            lambda: 'no policy is ready: none is loaded, or it is switched off',
            BAD_INPUT,
        )

    async def _play(self, planned: PlannedEpisode) -> None:
        episode_id = f'{self.result.session_id}-{planned.index:04d}'
        watch = EpisodeWatch(planned, episode_id, self._settings, self._kinematics)
        self.watch = watch
        self.publish()
        stamp, objects = await self._reset.prepare(watch)
        if not self._lockstep:
            stamp = await self._sense(watch, stamp)
        watch.begin(stamp, objects)
        self._client.start(ros.nanoseconds(stamp))
        self.publish()
        await self._until(lambda: watch.over, math.inf, str)
        self.publish()
        await self._recorded(watch)
        self._write_down(watch)
        if watch.episode.outcome == 'fault':
            raise SessionStoppedError(watch.episode.reason, FAULT)

    async def _sense(self, watch: EpisodeWatch, stamp: Time) -> Time:
        """Wait until the sensors are ready for a scene made at `stamp`; return when that was."""
        limit = self._patience.zero_timeout
        if limit:
            zeroing = WristZeroing(self._client)
            await self._until(zeroing.done, limit, zeroing.problem)
        readings, limit = NewReadings(self._client, stamp), self._patience.readings_timeout
        await self._until(
            lambda: watch.over or readings.done(),
            limit,
            lambda: f'policy has no new readings after {limit:g} s: {readings.problem()}',
        )
        if watch.over:  # a fault has switched the policy off
            raise SessionStoppedError(watch.episode.reason, FAULT)
        return self._client.now()

    async def _recorded(self, watch: EpisodeWatch) -> None:
        """Wait until the recorder has finished the file of the episode."""
        if 'recorder' not in self._required:
            return
        client, limit = self._client, self._patience.record_timeout
        await self._until(
            lambda: (
                client.recorder.episode_id == watch.episode_id and not client.recorder.recording
            ),
            limit,
            lambda: f'recorder has not finished {watch.episode_id} after {limit:g} s',
        )
        if client.recorder.error:
            raise SessionStoppedError(f'recorder: {client.recorder.error}', FAULT)

    async def _answer(self, call: ServiceCall, limit: float, who: str) -> Any:
        await self._until(call.done, limit, lambda: f'{who} did not answer for {limit:g} s')
        return call.response

    async def _until(
        self,
        condition: Callable[[], bool],
        limit: float,
        reason: Callable[[], str],
        exit_code: int = FAULT,
    ) -> None:
        end = time.monotonic() + limit
        while not condition():
            if self._cancelled:
                raise SessionStoppedError(self._cancelled, FAULT, 'abort')
            if time.monotonic() > end:
                raise SessionStoppedError(reason(), exit_code)
            await _Pause()

    def on_step(self, stamp_ns: int, samples: dict[str, Any]) -> None:
        """Judge the samples of a control step."""
        if self.watch is not None:
            # What the latch said up to this step comes first.
            self.check()
            self.watch.on_step(stamp_ns, samples)

    def on_force(self, stamp_ns: int, force: float) -> None:
        """Note a wrist force (N)."""
        if self.watch is not None:
            self.watch.episode.on_force(stamp_ns, force)

    def on_problem(self, words: str) -> None:
        """A sample cannot be read."""
        if self.watch is not None:
            self.watch.on_problem(words)

    def end_episode(self, keep: bool) -> bool:
        """A person ends the episode: judge it as it stands, or discard it; False if none runs."""
        if self.watch is None or self.watch.episode.phase != Phase.RUNNING:
            return False
        if keep:
            self.watch.episode.finish()
        else:
            self.watch.episode.stop(Stop('abort', 'discarded by a person'), time.monotonic())
        return True

    def check(self) -> None:
        """Look at the latch, the policy and the clock."""
        if self.watch is not None:
            self.watch.check(self._client, self._lockstep)

    def _write_down(self, watch: EpisodeWatch) -> None:
        """Add the episode to the record."""
        recorder, file = self._client.recorder, ''
        if recorder.episode_id == watch.episode_id and recorder.path:
            # An interrupted recorder still gives the file its final name.
            path = os.path.relpath(recorder.path, self.directory)
            file = path.removesuffix('.active')
        episodes = (*self.result.episodes, watch.result(self._client, file))
        self.result = dataclasses.replace(self.result, episodes=episodes)
        self._written.add(watch.episode_id)
        self._write()

    def _write(self) -> None:
        """Write session.json so that a reader never sees half of it."""
        self.directory.mkdir(parents=True, exist_ok=True)
        temporary = self.directory / '.session.json'
        temporary.write_text(self.result.to_json())
        os.replace(temporary, self.directory / 'session.json')
