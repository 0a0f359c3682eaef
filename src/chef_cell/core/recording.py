"""Which messages belong to an episode, and which of them are missing."""

import dataclasses
from collections import deque
from typing import Any, NamedTuple

#: Messages kept while no episode runs. The news that an episode runs may arrive after its first
#: samples, but only by one trip through the graph.
RECENT_MESSAGES = 512


class Entry(NamedTuple):
    """One message as it enters the file."""

    topic: str
    log_time: int  # ns
    publish_time: int  # ns, stamp of the message, or log time without one
    data: bytes


@dataclasses.dataclass(frozen=True)
class TopicKind:
    """How messages of a topic behave."""

    latched: bool = False  # they tell a state: the newest holds until the next one
    awaited: bool = False  # their samples must reach the end of the episode


@dataclasses.dataclass(frozen=True)
class Sample:
    """One message as it was received."""

    topic: str
    arrival_ns: int
    stamp_ns: int | None
    data: bytes


@dataclasses.dataclass
class TopicAccount:
    """What came and what did not, of one topic in one episode."""

    received: int = 0
    missed: int = 0  # gaps in the publisher's sequence numbers
    refused: int = 0  # the writer's queue was full
    newest_stamp: int | None = None  # ns
    shortest_step: int = 1  # ns, between stamps
    longest_step: int = 0  # ns, between stamps

    def note(self, stamp_ns: int) -> None:
        """Count the time step to a new stamp."""
        step = stamp_ns - self.newest_stamp if self.newest_stamp is not None else 0
        if step > 0:
            known = self.longest_step > 0
            self.shortest_step = min(self.shortest_step, step) if known else step
            self.longest_step = max(self.longest_step, step)
        if self.newest_stamp is None or step > 0:
            self.newest_stamp = stamp_ns

    def reached(self, end_ns: int) -> bool:
        """Whether the next sample would lie beyond `end_ns`."""
        return self.newest_stamp is not None and self.newest_stamp + self.shortest_step > end_ns

    def summary(self) -> dict[str, Any]:
        """Numbers for the episode's metadata."""
        return {
            'received': self.received,
            'missed': self.missed,
            'refused': self.refused,
            'longest_step_ms': self.longest_step * 1e-6,
        }


class EpisodeLog:
    """Sort messages into episodes by their stamps.

    In lockstep the log time of a sample is its stamp, so that a file does not depend on how fast
    the machine was, and that of a state is the newest stamp seen; in real time log time is the
    time of arrival.
    """

    def __init__(self, lockstep: bool) -> None:
        """Start without topics, outside an episode."""
        self._lockstep = lockstep
        self._kinds: dict[str, TopicKind] = {}
        self._states: dict[str, Sample] = {}
        self._recent: deque[Sample] = deque(maxlen=RECENT_MESSAGES)
        self._sequences: dict[str, int] = {}
        self._newest = 0  # ns, on the clock of log times
        self._start: int | None = None
        self._end: int | None = None
        self.accounts: dict[str, TopicAccount] = {}

    def add_topic(self, topic: str, kind: TopicKind) -> None:
        """Announce a topic."""
        self._kinds[topic] = kind
        self.accounts[topic] = TopicAccount()

    def forget_recent(self) -> None:
        """Drop what was received before the scene was reset: its stamps may lie in the future."""
        self._recent.clear()

    def open(self, start_ns: int, now_ns: int) -> list[Entry]:
        """Begin an episode; return the states in force and the samples that came early."""
        early = [s for s in self._recent if (s.stamp_ns or 0) >= start_ns]
        self._recent.clear()
        self.accounts = {topic: TopicAccount() for topic in self._kinds}
        self._start, self._end = start_ns, None
        first = min([now_ns, *(s.arrival_ns for s in early)])
        self._newest = start_ns if self._lockstep else first
        states = [dataclasses.replace(s, arrival_ns=first) for s in self._states.values()]
        return [self._entry(sample) for sample in (*states, *early)]

    def take(self, sample: Sample, sequence: int | None = None) -> Entry | None:
        """Return the entry for one received message, None if it does not belong to an episode.

        `sequence` is the publisher's number of the message, None where it cannot be known.
        """
        if sequence is not None:
            self._count_missed(sample.topic, sequence)
        kind = self._kinds[sample.topic]
        if kind.latched:
            self._states[sample.topic] = sample
        if self._start is None:
            if not kind.latched and sample.stamp_ns is not None:
                self._recent.append(sample)
            return None
        if sample.stamp_ns is not None and not kind.latched:
            if sample.stamp_ns < self._start:
                return None
            if self._end is not None and sample.stamp_ns > self._end:
                self.accounts[sample.topic].note(sample.stamp_ns)
                return None
        return self._entry(sample)

    def end(self, end_ns: int) -> None:
        """Take nothing stamped later than `end_ns` from now on."""
        self._end = end_ns

    @property
    def incomplete(self) -> tuple[str, ...]:
        """Awaited topics of this episode whose samples have not reached its end yet."""
        end = self._end
        return tuple(
            topic
            for topic, account in self.accounts.items()
            if self._kinds[topic].awaited
            and account.received
            and end is not None
            and not account.reached(end)
        )

    @property
    def dropped(self) -> int:
        """Messages of this episode that are known to be missing in its file."""
        return sum(account.missed + account.refused for account in self.accounts.values())

    def close(self) -> dict[str, TopicAccount]:
        """End the episode; return its accounts."""
        self._start = self._end = None
        return self.accounts

    def _entry(self, sample: Sample) -> Entry:
        account = self.accounts[sample.topic]
        account.received += 1
        stamp = sample.stamp_ns
        time_ns = self._newest if self._lockstep else sample.arrival_ns
        if stamp is not None and not self._kinds[sample.topic].latched:
            account.note(stamp)
            time_ns = stamp if self._lockstep else time_ns
        self._newest = max(self._newest, time_ns)
        return Entry(sample.topic, time_ns, time_ns if stamp is None else stamp, sample.data)

    def _count_missed(self, topic: str, sequence: int) -> None:
        last = self._sequences.get(topic, sequence - 1)
        # A smaller number is a new publisher's.
        self.accounts[topic].missed += max(sequence - last - 1, 0)
        self._sequences[topic] = sequence
