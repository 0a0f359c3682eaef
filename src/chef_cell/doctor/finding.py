"""What one check says."""

import dataclasses
from collections.abc import Iterable
from enum import StrEnum


class Level(StrEnum):
    """How bad it is."""

    OK = 'ok'
    WARN = 'warn'  # a session runs, but not as well as it could, or not as one might think
    FAIL = 'fail'  # a session will not run, or not safely


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of the doctor's report."""

    name: str
    level: Level
    value: str  # what was found, with its unit
    expected: str = ''
    remedy: str = ''  # what to do about it; empty when all is well

    def __post_init__(self) -> None:
        if self.level is not Level.OK and not self.remedy:
            raise ValueError(f'{self.name} is at {self.level}: say what to do about it')


def failed(findings: Iterable[Finding]) -> bool:
    """Return whether any check failed."""
    return any(finding.level is Level.FAIL for finding in findings)
