"""One recording after the other: when it opens, ends, is labelled or discarded."""

import shutil
from collections.abc import Callable
from pathlib import Path

from rclpy.node import Node

from chef_cell.core.recording import EpisodeLog, Sample, TopicKind
from chef_cell.core.topic_rules import TopicRule
from chef_cell.nodes.recorder_settings import RecorderSettings
from chef_cell.nodes.recording import Recording
from chef_cell.nodes.topic_watch import Stream
from chef_interfaces.msg import EpisodeState, RecorderState
from chef_trainer.episodes import EpisodeFileError, Label, Retention


class Recordings:
    """The episode that is recorded, and the one before, whose file is being completed.

    Args:
        node: whose namespace and log are used.
        spec: returns the spec of the policy in force, as JSON.
        announce: called when `report` has something new to say.
    """

    def __init__(
        self,
        node: Node,
        settings: RecorderSettings,
        spec: Callable[[EpisodeLog], str],
        announce: Callable[[], None],
    ) -> None:
        self.directory = Path(settings.directory)
        self.newest_id = ''
        self._namespace, self._logger = node.get_namespace(), node.get_logger()
        self._settings, self._spec, self._announce = settings, spec, announce
        self._awaited = tuple(map(TopicRule, settings.awaited))
        self._retention = Retention(int(settings.quota_gb * 1e9), settings.keep_days)
        self._log = EpisodeLog(settings.lockstep)
        self._streams: list[Stream] = []
        self._current: Recording | None = None  # takes messages
        self._closing: Recording | None = None  # its file is being completed
        self._state = RecorderState()

    def add_stream(self, stream: Stream) -> None:
        """Announce a topic."""
        self._streams.append(stream)
        awaited = not stream.latched and any(
            rule.matches(stream.source, self._namespace) for rule in self._awaited
        )
        kind = TopicKind(stream.latched, awaited, stream.rule.period_ns)
        self._log.add_topic(stream.channel.topic, kind)
        if self._current:
            self._current.add_stream(stream)

    def take(self, sample: Sample, number: int | None) -> None:
        """Record one message, if it belongs to an episode."""
        entry = self._log.take(sample, number)
        if entry and self._current:
            self._current.write(entry)

    def on_episode(self, state: EpisodeState) -> None:
        """Follow the session."""
        if self._current and state.episode_id != self._current.episode_id:
            self._finish('its end was not announced')
        if state.phase == EpisodeState.RESETTING:
            self._log.forget_recent()
            self._make_room(self.directory / state.session_id)
        elif state.phase == EpisodeState.RUNNING and state.episode_id != self.newest_id:
            self._open(state)
        elif state.phase == EpisodeState.ENDED and self._current and not self._current.ended:
            self._current.end(state)

    def look(self) -> None:
        """Finish what is complete; say what has gone wrong at once, so that the session ends."""
        if self._current and self._current.error != self._state.error:
            self._logger.error(f'{self._current.error}: the episode is cut short')
            self._announce()
        if self._current and self._current.ready:
            self._finish('')
        if self._closing and self._closing.done:
            self._conclude()

    def stop(self) -> None:
        """Finish the file of a running episode: what is recorded is worth keeping."""
        self._finish('the recorder was stopped')
        if self._closing:
            self._conclude()

    def report(self) -> RecorderState:
        """The state of the recording, or of the last one."""
        if self._current:
            self._state = self._current.report()
        self._state.paused = self._log.paused
        if self.directory.exists():
            self._state.free_mb = shutil.disk_usage(self.directory).free * 1e-6
        return self._state

    def set_paused(self, paused: bool) -> None:
        """Leave out samples, or no longer."""
        self._log.pause(paused)
        self._announce()

    def discard(self) -> str:
        """Delete the episode being recorded; return its id, empty if there is none."""
        if not self._current:
            return ''
        self._current.discard()
        self._close()
        return self.newest_id

    def label(self, episode_id: str, label: Label) -> Path | None:
        """Label the episode if it is being recorded; return its file, None if it is not."""
        if self._current and self._current.episode_id == episode_id:
            self._current.label(label)
            return self._current.path
        if self._closing:  # a file can be labelled when it is whole
            self._conclude()
        return None

    def _open(self, state: EpisodeState) -> None:
        self.newest_id = state.episode_id
        try:
            self._current = Recording(
                self._settings, self._namespace, self._log, state, self._streams,
                self._spec(self._log),
            )  # fmt: skip
        except (OSError, EpisodeFileError) as error:
            self._state = RecorderState(episode_id=state.episode_id, error=str(error))
            self._logger.error(f'episode {state.episode_id} is not recorded: {error}')
        self._announce()

    def _finish(self, reason: str) -> None:
        if self._current:
            self._current.finish(reason)
            self._close()

    def _close(self) -> None:
        if self._closing:  # the disk is slower than the episodes are
            self._conclude()
        self._closing, self._current = self._current, None

    def _conclude(self) -> None:
        """Wait for the file of the last episode, and say what became of it."""
        assert self._closing
        self._closing.join()
        failed = self._state.error
        self._state = self._closing.report()
        self._closing = None
        if self._state.error and self._state.error != failed:
            self._logger.error(f'{self._state.error}: the episode is cut short')
        for mark in self._state.marks:
            self._logger.warning(f'episode {self._state.episode_id} is marked: {mark}')
        self._announce()

    def _make_room(self, session: Path) -> None:
        try:
            for removal in self._retention.apply(self.directory, session):
                self._logger.warning(str(removal))
        except OSError as error:
            self._logger.error(f'old episodes are not deleted: {error}')
