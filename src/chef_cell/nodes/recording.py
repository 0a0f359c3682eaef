"""One recording: from the news that an episode runs to the file that holds all of it."""

import dataclasses
import json
import shutil
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chef_cell.core.recording import Entry, EpisodeLog
from chef_cell.nodes import provenance, ros
from chef_interfaces.msg import EpisodeState, RecorderState
from chef_trainer.episodes import Channel, EpisodeWriter, ThreadedWriter

#: Outcome of an episode whose end nobody announced.
UNENDED = {'outcome': 'abort', 'success': False}


@dataclasses.dataclass(frozen=True)
class RecorderSettings:
    """Topics are names or patterns; relative ones lie in the node's namespace."""

    lockstep: bool = False
    directory: str = 'sessions'  # episodes go to <directory>/<session_id>/
    topics: tuple[str, ...] = (
        '/robot/joint_states', '/robot/limb/*/joint_command', '/robot/limb/*/endpoint_state',
        '/robot/state', 'camera/*/image_raw', 'camera/*/camera_info', 'command',
        'controller/state', 'gripper/command', 'gripper/state', 'objects', 'policy', 'safety',
        'tick', 'wrist/wrench',
    )  # fmt: skip
    awaited: tuple[str, ...] = (  # sensors: a file is closed when these have reached its end
        '/robot/joint_states', 'camera/*/image_raw', 'gripper/state', 'objects', 'wrist/wrench',
    )  # fmt: skip
    limits: str = '{}'  # limits in force, as JSON, for the file
    queue_mb: float = 256.0  # for messages that wait for the disk
    min_free_mb: float = 512.0  # no episode is started with less free space
    drain: float = 2.0  # s, how long awaited topics may take to reach the end

    def __post_init__(self) -> None:
        json.loads(self.limits)  # a ValueError says where it is wrong


class Recording:
    """The file of one episode, and what went into it."""

    def __init__(
        self,
        settings: RecorderSettings,
        namespace: str,
        log: EpisodeLog,
        state: EpisodeState,
        channels: Iterable[Channel],
    ) -> None:
        """Open the file; raises OSError or EpisodeFileError when that is impossible."""
        self._settings, self._namespace, self._log, self._state = settings, namespace, log, state
        self._deadline, self._finishing, self._dropped = 0.0, False, 0
        self._writer = ThreadedWriter(self._create(), int(settings.queue_mb * 1e6))
        for channel in channels:
            self.add_channel(channel)
        for entry in log.open(ros.nanoseconds(state.start), time.time_ns()):
            self.write(entry)

    @property
    def episode_id(self) -> str:
        """Which episode this is."""
        return self._state.episode_id

    @property
    def ended(self) -> bool:
        """Whether the outcome is known."""
        return self._state.phase == EpisodeState.ENDED

    @property
    def ready(self) -> bool:
        """Whether all samples up to the end are here, or were waited for long enough."""
        return self.ended and (not self._log.incomplete or time.monotonic() > self._deadline)

    @property
    def done(self) -> bool:
        """Whether the file is whole, or given up because of an error."""
        return self._writer.done

    def add_channel(self, channel: Channel) -> None:
        """Announce a topic."""
        self._writer.add_channel(channel)

    def write(self, entry: Entry) -> None:
        """Queue one message; if the disk is too slow or full, count it as refused."""
        if not self._writer.write(*entry):
            self._log.accounts[entry.topic].refused += 1

    def end(self, state: EpisodeState) -> None:
        """Take the outcome; samples up to the end may still be under way."""
        self._state = state
        self._log.end(ros.nanoseconds(state.end))
        self._deadline = time.monotonic() + self._settings.drain

    def finish(self, reason: str) -> None:
        """Have the file completed; `reason` says why, should the episode not have ended."""
        self._finishing = True
        self._dropped = self._log.dropped
        incomplete = self._log.incomplete
        accounts = self._log.close()
        self._writer.finish(
            lambda lost: {
                **provenance.episode_metadata(self._state),
                **({} if self.ended else {**UNENDED, 'reason': reason}),
                'topics': {topic: account.summary() for topic, account in accounts.items()},
                'dropped': self._dropped,
                'incomplete': list(incomplete),
            }
        )

    def join(self) -> None:
        """Wait until `done`, after `finish`."""
        self._writer.join()

    def report(self) -> RecorderState:
        """State of this recording."""
        return RecorderState(
            episode_id=self.episode_id,
            path=str(self._writer.path.absolute()),
            recording=not self.done,
            messages=self._writer.messages_written,
            bytes=self._writer.bytes_written,
            dropped=self._dropped if self._finishing else self._log.dropped,
            error=self._writer.error,
        )

    def _create(self) -> EpisodeWriter:
        directory = Path(self._settings.directory) / self._state.session_id
        directory.mkdir(parents=True, exist_ok=True)
        free, needed = shutil.disk_usage(directory).free / 1e6, self._settings.min_free_mb
        if free < needed:
            raise OSError(f'{directory}: {free:.0f} MB free, {needed:.0f} MB are asked for')
        name = f'{self._state.index:04d}_{self._state.episode_id}'
        return EpisodeWriter(directory, name, self._metadata())

    def _metadata(self) -> dict[str, Any]:
        return {
            **provenance.episode_metadata(self._state),
            **provenance.host(),
            'namespace': self._namespace,
            'software': provenance.software(),
            'clock': 'lockstep' if self._settings.lockstep else 'real time',
            'recorded': datetime.now(UTC).isoformat(),
            'limits': json.loads(self._settings.limits),
        }
