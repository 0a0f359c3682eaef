"""Does the policy fit the cell, and is it fast enough?"""

import dataclasses
import time
from pathlib import Path

import numpy as np

from chef_cell.core.policy_slot import Offer, PolicySlot
from chef_cell.doctor.finding import Finding, Level
from chef_cell.drivers.onnx_runner import OnnxRunner

_ACTIONS = 50
#: Share of the control period that a policy may think.
_SHARE = 0.5


@dataclasses.dataclass(frozen=True)
class PolicyReading:
    """What came of loading a policy as the policy node does."""

    name: str = ''
    sha256: str = ''
    provider: str = ''
    slowest: float = 0.0  # s, of 50 actions
    error: str = ''


def load(
    path: Path,
    offer: Offer,
    providers: tuple[str, ...],
    threads: int = 1,
    bfloat16: bool = False,
) -> PolicyReading:
    """Open, check and try the policy, by the very code of the policy node."""
    slot = PolicySlot(offer, lambda name: OnnxRunner(name, providers, threads, bfloat16))
    candidate = slot.prepare(str(path))
    runner = candidate.runner
    if not isinstance(runner, OnnxRunner):
        return PolicyReading(error=candidate.error)
    observation = {
        spec.name: np.zeros(spec.stacked_shape, spec.dtype) for spec in runner.spec.observations
    }
    times = []
    for _ in range(_ACTIONS):
        begin = time.perf_counter()
        runner.act(observation)
        times.append(time.perf_counter() - begin)
    return PolicyReading(runner.spec.name, runner.sha256, runner.provider, max(times))


def judge(reading: PolicyReading, rate: float) -> Finding:
    """Judge the policy against a cell that asks for `rate` actions a second."""
    budget = _SHARE / rate
    expected = f'fits the cell, acts within {budget * 1e3:.0f} ms'
    if reading.error:
        remedy = 'choose another with --policy FILE, or start the cell as this one asks'
        return Finding('policy', Level.FAIL, reading.error, expected, remedy)
    value = (
        f'{reading.name} {reading.sha256[:12]} on {reading.provider}, '
        f'slowest of {_ACTIONS} actions {reading.slowest * 1e3:.2f} ms'
    )
    if reading.slowest > budget:
        remedy = 'end other work on this machine, or use a smaller network'
        return Finding('policy', Level.WARN, value, expected, remedy)
    return Finding('policy', Level.OK, value, expected)
