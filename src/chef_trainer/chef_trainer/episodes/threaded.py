"""Write an episode from a thread of its own, so that nobody who hands in messages ever waits."""

import queue
import threading
import time
from array import array
from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from chef_trainer.episodes.bag import Channel
from chef_trainer.episodes.errors import DiskFullError
from chef_trainer.episodes.writer import EpisodeWriter

#: Bytes that may wait for the disk: 1.5 s of three 640x480 cameras at 60 Hz.
CAPACITY_BYTES = 256 << 20
#: How often closed chunks are forced to the disk (s): what a power cut can take.
SYNC_PERIOD = 1.0

Message = tuple[str, int, int, bytes]
#: What becomes of a message on its way into the file; raises ValueError if it cannot be done.
Encode = Callable[[bytes], bytes]
#: Given topic -> messages that could not be written, returns the last metadata of the episode.
Summary = Callable[[Mapping[str, int]], Mapping[str, Any]]


class ThreadedWriter:
    """An `EpisodeWriter` behind a bounded queue; no method but `join` waits for the disk.

    After an error nothing more is taken and `error` says why. When space runs low, or a message
    cannot be encoded, the file is still finished; when the disk fails, what is on it stays for
    `recover`.
    """

    def __init__(
        self,
        writer: EpisodeWriter,
        capacity: int = CAPACITY_BYTES,
        sync_period: float = SYNC_PERIOD,
    ) -> None:
        """Start the threads; `capacity` in bytes, `sync_period` in s."""
        self.path = writer.path
        self.error = ''
        self._writer = writer
        self._capacity = capacity
        self._sync_period = sync_period
        self._queue: queue.SimpleQueue[tuple[Channel, Encode | None] | Message | None]
        self._queue = queue.SimpleQueue()
        self._topics: set[str] = set()
        self._encoders: dict[str, Encode] = {}
        self._lost: Counter[str] = Counter()
        self._delays = array('q')  # ns
        self._summary: Summary | None = None
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._closing = threading.Event()
        self._syncer = threading.Thread(target=self._sync, name='episode sync', daemon=True)
        self._thread = threading.Thread(target=self._run, name='episode writer', daemon=True)
        self._syncer.start()
        self._thread.start()

    @property
    def messages_written(self) -> int:
        """Messages written."""
        return self._writer.messages_written

    @property
    def bytes_written(self) -> int:
        """Bytes of message data written."""
        return self._writer.bytes_written

    @property
    def waiting_bytes(self) -> int:
        """Bytes that wait for the disk."""
        return self._waiting_bytes

    @property
    def delays_ns(self) -> np.ndarray:
        """Time from log time to the file, (messages_written,) in ns; of use in real time."""
        return np.array(self._delays)

    @property
    def done(self) -> bool:
        """Whether the file is finished, discarded, or given up because of `error`."""
        return not self._thread.is_alive()

    def add_channel(self, channel: Channel, encode: Encode | None = None) -> None:
        """Announce a topic; `encode` is applied in the writer's thread."""
        self._topics.add(channel.topic)
        self._queue.put((channel, encode))

    def write(self, topic: str, log_time_ns: int, publish_time_ns: int, data: bytes) -> bool:
        """Queue one message; False when it had to be dropped. KeyError: topic not announced."""
        if topic not in self._topics:
            raise KeyError(topic)
        with self._lock:
            if self.error or self._waiting_bytes + len(data) > self._capacity:
                return False
            self._waiting_bytes += len(data)
        self._queue.put((topic, log_time_ns, publish_time_ns, data))
        return True

    def finish(self, summary: Summary) -> None:
        """Ask the thread to write what is queued, to call `summary`, and to finish the file."""
        self._summary = summary
        self._queue.put(None)

    def discard(self) -> None:
        """Ask the thread to delete the file."""
        self._summary = None
        self._queue.put(None)

    def join(self) -> None:
        """Wait until `done`, after `finish` or `discard`."""
        self._thread.join()

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                if len(item) == 2:
                    self._add(*item)
                else:
                    self._write(*item)
            self._stop_syncing()
            if self._summary:
                self._writer.finish(self._summary(self._lost))
            else:
                self._writer.discard()
        # Nobody sees an exception of a thread: whatever it is, it becomes `error`.
        except Exception as error:
            self._fail(error)
            self._stop_syncing()
            self._writer.abandon()

    def _add(self, channel: Channel, encode: Encode | None) -> None:
        self._writer.add_channel(channel)
        if encode:
            self._encoders[channel.topic] = encode

    def _write(self, topic: str, log_time_ns: int, publish_time_ns: int, data: bytes) -> None:
        try:
            if self.error:
                self._lost[topic] += 1
                return
            encode = self._encoders.get(topic)
            content = encode(data) if encode else data
            self._writer.write(topic, log_time_ns, publish_time_ns, content)
            self._delays.append(time.time_ns() - log_time_ns)
        except (DiskFullError, ValueError) as error:
            self._lost[topic] += 1
            self.error = f'{topic}: {error}'
        finally:
            with self._lock:
                self._waiting_bytes -= len(data)

    def _sync(self) -> None:
        while not self._closing.wait(self._sync_period):
            try:
                self._writer.sync()
            except OSError as error:
                self._fail(error)

    def _stop_syncing(self) -> None:
        self._closing.set()
        self._syncer.join()

    def _fail(self, error: Exception) -> None:
        reason = error.strerror if isinstance(error, OSError) else repr(error)
        self.error = f'{self.path}: {reason}'
