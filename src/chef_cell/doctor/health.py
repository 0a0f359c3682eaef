"""What do the nodes of a running cell say of themselves on /diagnostics?"""

import math
from collections.abc import Iterable, Iterator

from diagnostic_msgs.msg import DiagnosticStatus

from chef_cell.doctor.finding import Finding, Level

#: Samples that are older than this when they arrive were held up (ms): half a wrench_timeout.
_AGE_LIMIT = 25.0
_AGE = 'age p99 (ms)'


def judge(statuses: Iterable[DiagnosticStatus], nodes: Iterable[str]) -> Iterator[Finding]:
    """Judge the newest status of each part of each of the `nodes`."""
    parts = {status.name: status for status in statuses}
    silent = sorted(set(nodes) - {name.partition(':')[0] for name in parts})
    name, expected = 'diagnostics', 'every node, all well'
    if silent:
        remedy = 'these nodes hang or are none of this cell: look at their logs'
        yield Finding(name, Level.FAIL, f'nothing from {", ".join(silent)}', expected, remedy)
    amiss = [status for status in parts.values() if status.level != DiagnosticStatus.OK]
    for status in amiss:
        level = Level.FAIL if status.level == DiagnosticStatus.ERROR else Level.WARN
        remedy = f'look at the log of {status.name.partition(":")[0]}, and at /diagnostics'
        yield Finding(status.name, level, status.message, 'OK', remedy)
    if not silent and not amiss:
        yield Finding(name, Level.OK, f'{len(parts)} parts, all well', expected)


def judge_ages(statuses: Iterable[DiagnosticStatus]) -> Finding:
    """Judge how old samples are on arrival; in lockstep they have no age."""
    ages = {
        status.name: float(item.value)
        for status in statuses
        for item in status.values
        if item.key == _AGE
    }
    known = {name: age for name, age in ages.items() if not math.isnan(age)}
    name, expected = 'age of samples', f'99 % at most {_AGE_LIMIT:g} ms old on arrival'
    if not known:
        return Finding(name, Level.OK, 'no samples with an age', expected)
    worst = max(known, key=lambda name: known[name])
    hearer, _, topic = worst.partition(': ')
    value = f'p99 {known[worst]:.1f} ms, of {topic} at {hearer}'
    if known[worst] > _AGE_LIMIT:
        remedy = 'the machine is busy: end other work, fewer cameras'
        return Finding(name, Level.WARN, value, expected, remedy)
    return Finding(name, Level.OK, value, expected)
