"""Readings at the start of an episode in real time: the policy stops at the first old one."""

from builtin_interfaces.msg import Time

from chef_cell.core.ages import stale
from chef_cell.nodes import ros
from chef_cell.nodes.cell_client import CellClient

#: How often each reading must come. The first images of a scene, or of a camera that was away, say
#: nothing about the pace of the next.
_TIMES = 2


class NewReadings:
    """Whether all that the policy needs has come, and come again, since the scene was made.

    Args:
        client: the session's side of the graph.
        since: when that was, on the clock of the stamps.
    """

    def __init__(self, client: CellClient, since: Time) -> None:
        self._client = client
        self._since = since
        self._times = 0

    def done(self) -> bool:
        """Look what the policy has; call this until it is true."""
        if self._stale():
            return False
        self._times += 1
        self._since = self._client.now()
        return self._times == _TIMES

    def problem(self) -> str:
        """Return what is missing or old, in words."""
        return ', '.join(self._stale())

    def _stale(self) -> list[str]:
        policy, now_ns = self._client.policy, ros.nanoseconds(self._client.now())
        silence = (now_ns - ros.nanoseconds(policy.header.stamp)) * 1e-9
        ages = {
            name: silence + age for name, age in zip(policy.readings, policy.ages, strict=True)
        }
        return stale(ages, (now_ns - ros.nanoseconds(self._since)) * 1e-9)
