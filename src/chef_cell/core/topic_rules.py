"""Which topics are recorded, how often, and what becomes of their images."""

import dataclasses
import math
from fnmatch import fnmatchcase


class TopicRuleError(ValueError):
    """A line of the recorder's `topics` cannot be understood."""


@dataclasses.dataclass(frozen=True)
class TopicRule:
    """One line of the recorder's `topics`: `NAME [rate=HZ] [crop=PIXELS] [jpeg=QUALITY]`."""

    pattern: str  # a name in which * stands for one part; relative to the cell unless it has a /
    rate: float = math.inf  # Hz, at most so many messages are kept
    crop: int = 0  # pixels: the central square of each image is resized to it; 0: as it is
    jpeg: int = 0  # quality, 1 .. 100; 0: as it is

    def __post_init__(self) -> None:
        if not self.pattern:
            raise TopicRuleError('a topic without a name')
        if not self.rate > 0.0:
            raise TopicRuleError(f'{self.pattern}: rate {self.rate:g} Hz, must be positive')
        if self.crop < 0:
            raise TopicRuleError(f'{self.pattern}: crop {self.crop} pixels, must not be negative')
        if not 0 <= self.jpeg <= 100:
            raise TopicRuleError(f'{self.pattern}: jpeg {self.jpeg}, allowed: 1 .. 100')

    @property
    def period_ns(self) -> int:
        """Shortest time between two messages that are kept; 0: all are."""
        return round(1e9 / self.rate)

    def matches(self, topic: str, namespace: str) -> bool:
        """Whether the rule is about a topic, named in full."""
        parts = topic.split('/')
        patterns = absolute(self.pattern, namespace).split('/')
        return len(parts) == len(patterns) and all(map(fnmatchcase, parts, patterns))


def parse_rule(line: str) -> TopicRule:
    """Read one line of `topics`; raises TopicRuleError saying what is allowed."""
    pattern, *options = line.split() or ['']
    values: dict[str, float] = {}
    for option in options:
        name, _, text = option.partition('=')
        if name not in ('rate', 'crop', 'jpeg'):
            raise TopicRuleError(f'{line!r}: option {name!r}, allowed: rate, crop, jpeg')
        try:
            values[name] = float(text) if name == 'rate' else int(text)
        except ValueError as error:
            raise TopicRuleError(f'{line!r}: {name}={text!r} is not a number') from error
    return TopicRule(pattern, **values)  # type: ignore[arg-type]


def absolute(pattern: str, namespace: str) -> str:
    """Return a pattern as an absolute one."""
    return pattern if pattern.startswith('/') else f'{namespace.rstrip("/")}/{pattern}'
