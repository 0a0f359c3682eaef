"""The policy in force, and the one that waits for the end of the episode to replace it."""

import dataclasses
from collections.abc import Callable

import numpy as np

from chef_cell.core.observe import IMAGE_PREFIX, ObservationError, check_specs
from chef_cell.core.ports import PolicyRunner
from chef_trainer.spec import ActionSpec, PolicySpec

#: Two rates closer than this are the same rate (Hz).
_RATE_TOLERANCE = 1e-6

#: Action 1 on every axis: full speed, as in the benchmark.
FULL_ACTION = ActionSpec()


class PolicyRefusedError(ValueError):
    """A policy cannot run in this cell."""


@dataclasses.dataclass(frozen=True)
class Offer:
    """What the cell offers to a policy."""

    rate_hz: float
    cameras: tuple[str, ...] = ()
    full_action: ActionSpec = FULL_ACTION  # largest scale allowed, with its units and frame


@dataclasses.dataclass(frozen=True)
class Candidate:
    """The answer to one load request: a policy ready to run, or the reason why not."""

    path: str
    runner: PolicyRunner | None
    error: str = ''


class PolicySlot:
    """Holds the policy in force; a new one takes over only at an episode boundary.

    Args:
        offer: what the cell offers.
        open_runner: opens a policy file; raises ValueError when it cannot be used.
    """

    def __init__(self, offer: Offer, open_runner: Callable[[str], PolicyRunner]) -> None:
        self._offer = offer
        self._open = open_runner
        self.current: PolicyRunner | None = None
        self.pending: PolicyRunner | None = None
        self.last_error = ''

    def prepare(self, path: str) -> Candidate:
        """Open, check and warm up the policy at `path`, without touching the one in force.

        Slow, and safe to call from another thread.
        """
        try:
            runner = self._open(path)
            check_fits(runner.spec, self._offer)
            warm_up(runner)
        except ValueError as error:
            return Candidate(path, None, str(error))
        return Candidate(path, runner)

    def accept(self, candidate: Candidate) -> bool:
        """Let `candidate` wait for the next boundary; on its error everything stays as it was."""
        self.last_error = candidate.error
        if candidate.runner is None:
            return False
        self.pending = candidate.runner
        return True

    def boundary(self) -> bool:
        """Between two episodes: put the waiting policy in force. Returns whether it changed."""
        if self.pending is None:
            return False
        self.current, self.pending = self.pending, None
        return True


def check_fits(spec: PolicySpec, offer: Offer) -> None:
    """Raise PolicyRefusedError unless the cell can feed and obey a policy with this spec."""
    if abs(spec.rate_hz - offer.rate_hz) > _RATE_TOLERANCE:
        raise PolicyRefusedError(
            f'{spec.name}: made for {spec.rate_hz} Hz, this cell runs at {offer.rate_hz} Hz'
        )
    try:
        check_specs(spec.observations)
    except ObservationError as error:
        raise PolicyRefusedError(f'{spec.name}: {error}') from error
    cameras = {
        observation.name.removeprefix(IMAGE_PREFIX)
        for observation in spec.observations
        if observation.name.startswith(IMAGE_PREFIX)
    }
    missing = sorted(cameras - set(offer.cameras))
    if missing:
        raise PolicyRefusedError(
            f'{spec.name}: needs camera {missing}, this cell runs with {list(offer.cameras)}'
        )
    _check_action(spec, offer.full_action)


def _check_action(spec: PolicySpec, full: ActionSpec) -> None:
    if (spec.action.names, spec.action.discrete) != (full.names, full.discrete):
        raise PolicyRefusedError(
            f'{spec.name}: acts by {spec.action.names}, the last discrete: '
            f'{spec.action.discrete}; this cell by {full.names}, {full.discrete}'
        )
    if (spec.action.units, spec.action.frame) != (full.units, full.frame):
        raise PolicyRefusedError(
            f'{spec.name}: acts in {spec.action.units} in frame {spec.action.frame!r}, '
            f'this cell in {full.units} in {full.frame!r}'
        )
    for name, scale, largest in zip(full.names, spec.action.scale, full.scale, strict=True):
        if not abs(scale) <= largest:
            raise PolicyRefusedError(
                f'{spec.name}: action {name} is scaled by {scale}, allowed up to {largest}'
            )


def warm_up(runner: PolicyRunner) -> None:
    """Ask for one action, so that the first one that counts is as fast as the rest.

    Raises:
        ValueError: the network refuses its own inputs, or answers with an impossible action.
    """
    runner.act(
        {
            observation.name: np.zeros(observation.stacked_shape, observation.dtype)
            for observation in runner.spec.observations
        }
    )
