"""The errors of the episode readers and writers."""

import os
from pathlib import Path


class EpisodeFileError(Exception):
    """An episode file cannot be used; says which file, what about it, and the remedy."""

    def __init__(
        self, path: os.PathLike[str] | str, field: str, problem: str, remedy: str
    ) -> None:
        super().__init__(f'{path}: {field}: {problem}; {remedy}')
        self.path = Path(path)
        self.field = field
        self.problem = problem
        self.remedy = remedy


class DiskFullError(Exception):
    """Less space is left than is needed to finish an episode file properly."""
