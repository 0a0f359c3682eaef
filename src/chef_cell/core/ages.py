"""How old readings are."""

import math
from collections.abc import Iterable, Mapping


def ages(newest_ns: Mapping[str, int], needed: Iterable[str], now_ns: int) -> dict[str, float]:
    """Return how old the newest of each needed reading is at `now_ns`.

    Args:
        newest_ns: reading -> stamp (ns) of the newest that came.
        needed: names of the readings that matter.
        now_ns: time (ns) on the clock of the stamps.

    Returns:
        Reading -> age (s), sorted by name; infinite where none came, negative where its stamp lies
        in the future.
    """
    return {
        name: (now_ns - newest_ns[name]) * 1e-9 if name in newest_ns else math.inf
        for name in sorted(needed)
    }


def stale(ages: Mapping[str, float], limit: float) -> list[str]:
    """Say of each reading that is missing, or further than `limit` (s) from now, how old it is."""
    return [
        f'{name}: no reading' if math.isinf(age) else f'{name} is {age:.3f} s old'
        for name, age in ages.items()
        if not abs(age) <= limit
    ]
