"""The wrist sensor's zero at the start of an episode: the bias of an FT 300 drifts."""

import time

from chef_cell.nodes.cell_client import CellClient
from chef_cell.nodes.service_call import ServiceCall

#: s between two attempts: the arm may still be coming to rest.
_PAUSE = 0.5


class WristZeroing:
    """Asks the wrist node for a new zero until it has taken one."""

    def __init__(self, client: CellClient) -> None:
        self._said = 'zero did not answer'
        self._client = client
        self._call: ServiceCall | None = None
        self._next = 0.0  # s, steady clock

    def done(self) -> bool:
        """Whether the sensor is zeroed; call this until it is."""
        if self._call is None:
            if time.monotonic() < self._next:
                return False
            self._call = self._client.zero_wrist()
        if not self._call.done():
            return False
        answer, self._call = self._call.response, None
        self._said, self._next = answer.message, time.monotonic() + _PAUSE
        return bool(answer.success)

    def problem(self) -> str:
        """Return why it is not zeroed yet."""
        return f'wrist: {self._said}'
