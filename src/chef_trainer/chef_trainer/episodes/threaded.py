"""Write an episode from a thread of its own, so that nobody who hands in messages ever waits."""

import queue
import threading
from collections.abc import Mapping
from typing import Any

from chef_trainer.episodes.bag import Channel
from chef_trainer.episodes.writer import EpisodeWriter

#: Bytes that may wait for the disk: 3 s of three 640x480 cameras at 30 Hz.
CAPACITY_BYTES = 256 << 20

Item = tuple[str, int, int, bytes]


class ThreadedWriter:
    """An `EpisodeWriter` behind a bounded queue; no method but `join` waits for the disk.

    After an error (disk full) nothing more is taken, `error` says why, and what is on the disk
    stays for `recover`.
    """

    def __init__(self, writer: EpisodeWriter, capacity: int = CAPACITY_BYTES) -> None:
        """Start the thread; `capacity` in bytes."""
        self.path = writer.path
        self.error = ''
        self._writer = writer
        self._capacity = capacity
        self._queue: queue.SimpleQueue[Channel | Item | None] = queue.SimpleQueue()
        self._topics: set[str] = set()
        self._metadata: Mapping[str, Any] = {}
        self._lock = threading.Lock()
        self._waiting_bytes = 0
        self._thread = threading.Thread(target=self._run, name='episode writer', daemon=True)
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
    def done(self) -> bool:
        """Whether the file is finished, or given up because of `error`."""
        return not self._thread.is_alive()

    def add_channel(self, channel: Channel) -> None:
        """Announce a topic."""
        self._topics.add(channel.topic)
        self._queue.put(channel)

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

    def finish(self, metadata: Mapping[str, Any]) -> None:
        """Ask the thread to write what is queued and to finish the file."""
        self._metadata = metadata
        self._queue.put(None)

    def join(self) -> None:
        """Wait until `done`, after `finish`."""
        self._thread.join()

    def _run(self) -> None:
        try:
            while (item := self._queue.get()) is not None:
                if isinstance(item, Channel):
                    self._writer.add_channel(item)
                    continue
                self._writer.write(*item)
                with self._lock:
                    self._waiting_bytes -= len(item[3])
            self._writer.finish(self._metadata)
        # Nobody sees an exception of a thread: whatever it is, it becomes `error`.
        except Exception as error:
            reason = error.strerror if isinstance(error, OSError) else repr(error)
            self.error = f'{self.path}: {reason}'
            self._writer.abandon()
