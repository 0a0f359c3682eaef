"""Wait until every input of one simulated instant is there."""

from collections.abc import Iterable


class StampGate:
    """Newest stamp per input; open for an instant once all inputs asked for carry its stamp.

    Simulated time only moves on when the cell has answered, so an input can be late but never
    ahead: equality of stamps is the whole test, and it is exact, because stamps are integers.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._newest: dict[str, int | None] = dict.fromkeys(names)
        self._taken: int | None = None
        if not self._newest:
            raise ValueError('a gate needs at least one input')

    def put(self, name: str, stamp_ns: int) -> None:
        """Note that the input `name` has arrived with a stamp (integer ns).

        A stamp older than the newest of that input is ignored, because anybody may publish:
        time goes back only through `reset`.

        Raises:
            ValueError: an unknown name.
        """
        if name not in self._newest:
            raise ValueError(f'input {name!r} is unknown, allowed: {sorted(self._newest)}')
        newest = self._newest[name]
        if newest is None or stamp_ns > newest:
            self._newest[name] = stamp_ns

    def ready(self, stamp_ns: int, names: Iterable[str] | None = None) -> bool:
        """Whether all inputs (or those in `names`) have arrived with exactly this stamp."""
        wanted = self._newest if names is None else names
        return all(self._newest[name] == stamp_ns for name in wanted)

    def take(self, stamp_ns: int, names: Iterable[str] | None = None) -> bool:
        """Like `ready`, but true only once per instant: each is answered once."""
        if stamp_ns == self._taken or not self.ready(stamp_ns, names):
            return False
        self._taken = stamp_ns
        return True

    def reset(self) -> None:
        """Forget all stamps: time starts anew."""
        self._newest = dict.fromkeys(self._newest)
        self._taken = None
