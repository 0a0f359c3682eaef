"""What came and what did not, of every topic in one episode."""

import dataclasses
from array import array
from typing import Any

import numpy as np


@dataclasses.dataclass
class TopicAccount:
    """One topic in one episode.

    Messages are missed where the publisher's numbers have gaps. Where nobody numbers them (several
    publishers side by side), those of a periodic topic are missed where a step between two stamps
    is a multiple of the median step.
    """

    periodic: bool = False  # a sensor, with one stamp after the other
    received: int = 0
    skipped: int = 0  # gaps in the publisher's numbers
    numbered: bool = True  # each message had a number
    refused: int = 0  # the disk is too slow or full
    omitted: int = 0  # above the rate asked for, or while recording was paused
    longest_gap: int = 0  # ns, between stamps
    shortest_step: int = 1  # ns, between stamps
    stamps: 'array[int]' = dataclasses.field(default_factory=lambda: array('q'))  # ns, rising
    due: int = 0  # ns, when the next message is kept, for a topic with a rate

    def note(self, stamp_ns: int) -> None:
        """Take down the stamp of a message."""
        if self.stamps:
            step = stamp_ns - self.stamps[-1]
            if step <= 0:
                return
            self.longest_gap = max(self.longest_gap, step)
            known = len(self.stamps) > 1
            self.shortest_step = min(self.shortest_step, step) if known else step
        self.stamps.append(stamp_ns)

    def reached(self, end_ns: int) -> bool:
        """Whether the next sample would lie beyond `end_ns`."""
        return bool(self.stamps) and self.stamps[-1] + self.shortest_step > end_ns

    def is_due(self, time_ns: int, period_ns: int) -> bool:
        """Whether a message is kept when one in `period_ns` is; a tenth of that is jitter."""
        if time_ns < self.due - period_ns // 10:
            return False
        late = time_ns >= self.due + period_ns
        self.due = (time_ns if late else self.due) + period_ns
        return True

    @property
    def missed(self) -> int:
        """Messages published but not received."""
        if self.numbered or not self.periodic or len(self.stamps) < 3:
            return self.skipped
        steps = np.diff(np.asarray(self.stamps))
        return int((np.rint(steps / np.median(steps)) - 1).clip(min=0).sum())

    @property
    def lost(self) -> int:
        """Messages that should be in the file and are not."""
        return self.missed + self.refused

    @property
    def expected(self) -> int:
        """Messages published, as far as it is known."""
        return self.received + self.missed

    @property
    def loss(self) -> float:
        """Share of the messages that is lost, 0 .. 1."""
        return self.lost / self.expected if self.expected else 0.0

    def summary(self) -> dict[str, Any]:
        """Numbers for the episode's metadata."""
        return {
            'expected': self.expected,
            'received': self.received,
            'missed': self.missed,
            'refused': self.refused,
            'omitted': self.omitted,
            'longest_gap_ms': self.longest_gap * 1e-6,
        }


@dataclasses.dataclass(frozen=True)
class Ledger:
    """All topics of one episode."""

    accounts: dict[str, TopicAccount]
    incomplete: tuple[str, ...] = ()  # sensors whose samples do not reach the end
    pauses: tuple[tuple[int, int], ...] = ()  # ns, on the clock of log times: from, to

    @property
    def expected(self) -> int:
        """Messages published, as far as it is known."""
        return sum(account.expected for account in self.accounts.values())

    @property
    def dropped(self) -> int:
        """Messages known to be missing in the file."""
        return sum(account.lost for account in self.accounts.values())

    @property
    def loss(self) -> float:
        """Largest share of a topic that is lost, 0 .. 1."""
        return max((account.loss for account in self.accounts.values()), default=0.0)

    def marks(self, max_loss: float) -> tuple[str, ...]:
        """Why the episode must not be used without a look; empty when it is sound.

        Args:
            max_loss: share of a topic that may be lost, 0 .. 1.
        """
        lossy = [
            f'loss: {topic} lacks {account.lost} of {account.expected} messages '
            f'({account.loss:.2%}, at most {max_loss:.2%})'
            for topic, account in self.accounts.items()
            if account.loss > max_loss
        ]
        silent = [
            f'silent: {topic} said nothing'
            for topic, account in self.accounts.items()
            if account.periodic and not account.received
        ]
        short = [f'incomplete: {topic} ends before the episode' for topic in self.incomplete]
        lasted = sum(to - begin for begin, to in self.pauses) * 1e-9
        paused = [f'paused: {lasted:.2f} s are left out'] if self.pauses else []
        return (*lossy, *silent, *short, *paused)
