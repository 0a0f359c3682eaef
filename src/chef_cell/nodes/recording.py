"""One recording: from the news that an episode runs to the file that holds all of it."""

import functools
import json
import shutil
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chef_cell.core.ledger import Ledger
from chef_cell.core.recording import Entry, EpisodeLog
from chef_cell.nodes import provenance, ros
from chef_cell.nodes.host_clock import host_clock
from chef_cell.nodes.recorder_settings import RecorderSettings
from chef_cell.nodes.topic_watch import Stream
from chef_interfaces.msg import EpisodeState, RecorderState, TopicRecord
from chef_trainer.episodes import EpisodeWriter, Label, ThreadedWriter, labelled

#: Outcome of an episode whose end nobody announced.
UNENDED = {'outcome': 'abort', 'success': False}


class Recording:
    """The file of one episode, and what went into it.

    Args:
        log: sorts the messages; this recording opens and closes it.
        state: what the session said when the episode began.
        spec: of the policy in force, as JSON; empty when there is none.
    """

    def __init__(
        self,
        settings: RecorderSettings,
        namespace: str,
        log: EpisodeLog,
        state: EpisodeState,
        streams: Iterable[Stream],
        spec: str,
    ) -> None:
        """Open the file; raises OSError or EpisodeFileError when that is impossible."""
        self._settings, self._namespace, self._log, self._state = settings, namespace, log, state
        self._spec = spec
        self._deadline, self._slow, self._discarded = 0.0, '', False
        self._ledger: Ledger | None = None
        self._labels: list[Label] = []
        self._writer = ThreadedWriter(
            self._create(), int(settings.queue_mb * 1e6), settings.sync_period
        )
        for stream in streams:
            self.add_stream(stream)
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

    @property
    def error(self) -> str:
        """Why not everything is written; empty while it is."""
        return self._writer.error or self._slow

    @property
    def path(self) -> Path:
        """The file, once it is finished."""
        return self._writer.path

    def add_stream(self, stream: Stream) -> None:
        """Announce a topic."""
        self._writer.add_channel(stream.channel, stream.encode)

    def write(self, entry: Entry) -> None:
        """Queue one message; if the disk is too slow or full, count it as refused."""
        if not self._writer.write(*entry):
            self._log.refuse(entry.topic)
            if not self._writer.error:
                self._slow = f'{self.path}: the disk is {self._settings.queue_mb:g} MB behind'

    def label(self, label: Label) -> None:
        """Put a label into the file's metadata."""
        self._labels.append(label)

    def end(self, state: EpisodeState) -> None:
        """Take the outcome; samples up to the end may still be under way."""
        self._state = state
        self._log.end(ros.nanoseconds(state.end))
        self._deadline = time.monotonic() + self._settings.drain

    def finish(self, reason: str) -> None:
        """Have the file completed; `reason` says why, should the episode not have ended."""
        self._ledger = self._log.close()
        self._writer.finish(functools.partial(self._summary, self._ledger, reason))

    def discard(self) -> None:
        """Have the file deleted."""
        self._ledger, self._discarded = self._log.close(), True
        self._writer.discard()

    def join(self) -> None:
        """Wait until `done`, after `finish` or `discard`."""
        self._writer.join()

    def report(self) -> RecorderState:
        """State of this recording."""
        ledger, writer = self._ledger or self._log.ledger, self._writer
        return RecorderState(
            episode_id=self.episode_id,
            path='' if self._discarded else str(self.path.absolute()),
            recording=not self.done,
            messages=writer.messages_written,
            bytes=writer.bytes_written,
            expected=ledger.expected,
            dropped=ledger.dropped,
            loss=ledger.loss,
            marks=self._marks(ledger),
            queued_mb=writer.waiting_bytes * 1e-6,
            error=self.error,
            topics=[
                TopicRecord(topic=topic, **account.summary())
                for topic, account in sorted(ledger.accounts.items())
            ],
        )

    def _marks(self, ledger: Ledger) -> list[str]:
        failed = [f'error: {self.error}'] if self.error else []
        # While samples are still to come, an episode is not incomplete.
        return [*ledger.marks(self._settings.max_loss), *failed] if self._ledger else failed

    def _summary(self, ledger: Ledger, reason: str, lost: Mapping[str, int]) -> dict[str, Any]:
        """The last metadata of the file; called in the writer's thread."""
        for topic, count in lost.items():
            ledger.accounts[topic].refused += count
        metadata = {
            **provenance.episode_metadata(self._state),
            **({} if self.ended else {**UNENDED, 'reason': reason}),
            'topics': {topic: account.summary() for topic, account in ledger.accounts.items()},
            'expected': ledger.expected,
            'dropped': ledger.dropped,
            'loss': ledger.loss,
            'incomplete': list(ledger.incomplete),
            'write_delay_ms': self._write_delay(),
            'pauses_ns': [list(pause) for pause in ledger.pauses],
            'marks': self._marks(ledger),
        }
        return labelled(metadata, self._labels)

    def _write_delay(self) -> dict[str, float] | None:
        """How long messages waited for the disk; None in lockstep, whose time is not ours."""
        delays = self._writer.delays_ns * 1e-6
        if self._settings.lockstep or not len(delays):
            return None
        quantiles = {'p50': 0.5, 'p99': 0.99, 'max': 1.0}
        return {name: float(np.quantile(delays, q)) for name, q in quantiles.items()}

    def _create(self) -> EpisodeWriter:
        settings = self._settings
        directory = Path(settings.directory) / self._state.session_id
        directory.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(directory).free / 1e6
        if free < settings.min_free_mb:
            raise OSError(
                f'{directory}: {free:.0f} MB free, {settings.min_free_mb:.0f} MB are asked for'
            )
        name = f'{self._state.index:04d}_{self._state.episode_id}'
        reserve = int(settings.reserve_mb * 1e6)
        return EpisodeWriter(directory, name, self._metadata(), reserve=reserve)

    def _metadata(self) -> dict[str, Any]:
        clock = host_clock()
        return {
            **provenance.episode_metadata(self._state),
            **provenance.host(),
            'cell_id': self._settings.cell_id or provenance.cell_id(self._namespace),
            'namespace': self._namespace,
            'software': provenance.software(),
            'clock': 'lockstep' if self._settings.lockstep else 'real time',
            'recorded': clock['utc'],
            'host_clock': clock,
            'limits': json.loads(self._settings.limits),
            'calibration': json.loads(self._settings.calibration),
            'spec': json.loads(self._spec) if self._spec else None,
        }
