"""Which messages belong to an episode, and under which time."""

import dataclasses
from collections import deque
from typing import NamedTuple

from chef_cell.core.ledger import Ledger, TopicAccount

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
    awaited: bool = False  # a sensor: its samples must reach the end of the episode
    period_ns: int = 0  # at most one message in this time is kept; 0: all are


class Sample(NamedTuple):
    """One message as it was received."""

    topic: str
    arrival_ns: int
    stamp_ns: int | None
    data: bytes


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
        self._accounts: dict[str, TopicAccount] = {}
        self._start: int | None = None
        self._end: int | None = None
        self._pauses: list[tuple[int, int]] = []
        self._paused_since: int | None = None
        self.newest = 0  # ns, on the clock of log times

    def add_topic(self, topic: str, kind: TopicKind) -> None:
        """Announce a topic."""
        self._kinds[topic] = kind
        self._accounts[topic] = TopicAccount(kind.awaited)

    def forget_recent(self) -> None:
        """Drop what was received before the scene was reset: its stamps may lie in the future."""
        self._recent.clear()

    def state(self, topic: str) -> bytes | None:
        """Return the newest message of a latched topic, None if there was none."""
        sample = self._states.get(topic)
        return sample.data if sample else None

    def open(self, start_ns: int, now_ns: int) -> list[Entry]:
        """Begin an episode; return the states in force and the samples that came early."""
        early = [s for s in self._recent if (s.stamp_ns or 0) >= start_ns]
        self._recent.clear()
        self._forget_accounts()
        self._start, self._end = start_ns, None
        first = min([now_ns, *(s.arrival_ns for s in early)])
        self.newest = start_ns if self._lockstep else first
        self._pauses = []
        if self._paused_since is not None:
            self._paused_since = self.newest
        states = [sample._replace(arrival_ns=first) for sample in self._states.values()]
        entries = [self._entry(sample) for sample in (*states, *early)]
        return [entry for entry in entries if entry]

    def take(self, sample: Sample, sequence: int | None = None) -> Entry | None:
        """Return the entry for one received message, None if it does not enter a file.

        `sequence` is the publisher's number of the message, None where it cannot be known.
        """
        kind, account = self._kinds[sample.topic], self._accounts[sample.topic]
        if sequence is None:
            account.numbered = False
        else:
            last = self._sequences.get(sample.topic, sequence - 1)
            # A smaller number is a new publisher's.
            account.skipped += max(sequence - last - 1, 0)
            self._sequences[sample.topic] = sequence
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
                account.note(sample.stamp_ns)
                return None
        return self._entry(sample)

    def refuse(self, topic: str) -> None:
        """The entry of a message could not be written."""
        self._accounts[topic].refused += 1

    @property
    def paused(self) -> bool:
        """Whether messages are left out, states excepted."""
        return self._paused_since is not None

    def pause(self, paused: bool) -> None:
        """Leave out messages from now on, or no longer."""
        if paused and self._paused_since is None:
            self._paused_since = self.newest
        elif not paused and self._paused_since is not None:
            if self._start is not None:
                self._pauses.append((self._paused_since, self.newest))
            self._paused_since = None

    def end(self, end_ns: int) -> None:
        """Take nothing stamped later than `end_ns` from now on."""
        self._end = end_ns

    @property
    def incomplete(self) -> tuple[str, ...]:
        """Awaited topics of this episode whose samples have not reached its end yet."""
        end = self._end
        return tuple(
            topic
            for topic, account in self._accounts.items()
            if self._kinds[topic].awaited
            and account.received
            and end is not None
            and not account.reached(end)
        )

    @property
    def ledger(self) -> Ledger:
        """What came in this episode up to now."""
        running = [(self._paused_since, self.newest)] if self._paused_since is not None else []
        return Ledger(self._accounts, self.incomplete, (*self._pauses, *running))

    def close(self) -> Ledger:
        """End the episode; return what came."""
        ledger = self.ledger
        self._start = self._end = None
        self._forget_accounts()
        return ledger

    def _forget_accounts(self) -> None:
        self._accounts = {topic: TopicAccount(kind.awaited) for topic, kind in self._kinds.items()}

    def _entry(self, sample: Sample) -> Entry | None:
        account, kind = self._accounts[sample.topic], self._kinds[sample.topic]
        account.received += 1
        time_ns = self.newest if self._lockstep else sample.arrival_ns
        if not kind.latched and sample.stamp_ns is not None:
            account.note(sample.stamp_ns)
            time_ns = sample.stamp_ns if self._lockstep else time_ns
        self.newest = max(self.newest, time_ns)
        published = time_ns if sample.stamp_ns is None else sample.stamp_ns
        thinned = kind.period_ns > 0 and not account.is_due(published, kind.period_ns)
        if (self.paused or thinned) and not kind.latched:
            account.omitted += 1
            return None
        return Entry(sample.topic, time_ns, published, sample.data)
