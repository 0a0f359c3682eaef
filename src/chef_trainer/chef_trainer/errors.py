"""Errors that more than one room raises."""


class DivergedError(RuntimeError):
    """A number of a training run was not finite. `update` says when."""

    def __init__(self, message: str, update: int) -> None:
        super().__init__(message)
        self.update = update


class RunError(ValueError):
    """A run directory belongs to something else, or what it needs is missing."""
