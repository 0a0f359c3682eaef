"""One call of a service that is neither sent too early nor waited for in vain."""

import time
from typing import Any

from rclpy.client import Client
from rclpy.task import Future


class ServiceCall:
    """Sends a request once the server is matched, and again while there is no answer.

    A service is two topics, found apart by discovery, and neither keeps a message for those who
    come later: a request that is sent before its reader is matched is never heard, nor is an
    answer whose reader is not. Who calls waits here for the reader of its request and for the
    writer of the answer; that the server knows the reader of the answer is in the roll call.

    A server that dies takes the request with it, and discovery takes 20 s to miss it. Therefore
    the request is repeated, and must be one that may be obeyed twice.

    Args:
        client: of the service; its node must be spinning.
        request: what is asked.
        repeat: s without an answer after which it is asked again.
    """

    def __init__(self, client: Client, request: Any, repeat: float = 10.0) -> None:
        self._client = client
        self._request = request
        self._repeat = repeat
        self._asked: list[Future] = []
        self._due = 0.0  # s, steady clock

    def done(self) -> bool:
        """Whether there is an answer; call this until there is."""
        if any(map(Future.done, self._asked)):
            return True
        now = time.monotonic()
        if now >= self._due and self._client.service_is_ready():
            self._due = now + self._repeat
            self._asked.append(self._client.call_async(self._request))
        return False

    @property
    def response(self) -> Any:
        """The first answer; only once `done`."""
        return next(filter(Future.done, self._asked)).result()
