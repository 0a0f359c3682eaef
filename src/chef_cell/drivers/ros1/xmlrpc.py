"""The XML-RPC half of ROS 1: calls to the master and to other nodes, and our own API.

Every answer is a triple: status (1 is success), a text for people, and a value.
"""

import http.client
import os
import socket
import socketserver
import threading
import urllib.parse
import xmlrpc.client
import xmlrpc.server
from collections.abc import Callable, Iterable
from typing import Any

#: How long the master or another node may take to answer (s).
TIMEOUT = 3.0
SUCCESS = 1
ERROR = -1

Answer = tuple[int, str, Any]


class RemoteError(RuntimeError):
    """The master or another node refused a call; the text is its reason."""


#: What may go wrong with a call: nobody there, no XML-RPC, or a refusal.
CALL_ERRORS = (OSError, http.client.HTTPException, xmlrpc.client.Error, RemoteError)


class _Transport(xmlrpc.client.Transport):
    """An HTTP connection that gives up: a machine that is off answers nothing at all."""

    def __init__(self, timeout: float) -> None:
        super().__init__()
        self._timeout = timeout

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(host, timeout=self._timeout)


def call(uri: str, method: str, *arguments: Any, timeout: float = TIMEOUT) -> Any:
    """Call a method and return the value of its answer.

    Raises:
        OSError: nobody answers.
        RemoteError: the answer is a refusal.
        xmlrpc.client.Error: the answer is no XML-RPC.
    """
    with xmlrpc.client.ServerProxy(uri, transport=_Transport(timeout)) as proxy:
        answer: Any = getattr(proxy, method)(*arguments)
    if not isinstance(answer, list | tuple) or len(answer) != 3:
        raise RemoteError(f'{method}: {answer!r} is not status, text and value')
    status, text, value = answer
    if status != SUCCESS:
        raise RemoteError(f'{method}: {text}')
    return value


class _ThreadingServer(socketserver.ThreadingMixIn, xmlrpc.server.SimpleXMLRPCServer):
    daemon_threads = True
    allow_reuse_address = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: a client that went away in the middle is not worth a traceback."""


class Server:
    """Serves some methods over XML-RPC, each call in a thread of its own.

    Args:
        host: name or address under which other machines reach this one.
        methods: what is served, under its own name in camel case: `get_pid` as getPid.
        port: to listen at; 0 takes a free one.
    """

    def __init__(self, host: str, methods: Iterable[Callable[..., Any]], port: int = 0) -> None:
        self._server = _ThreadingServer(
            (bind_address(host), port), logRequests=False, allow_none=True
        )
        for method in methods:
            self._server.register_function(method, _camel_case(method.__name__))
        self._server.register_multicall_functions()
        self.port = int(self._server.server_address[1])
        self.uri = f'http://{host}:{self.port}/'
        # The poll interval is how long closing takes.
        self._thread = threading.Thread(
            target=self._server.serve_forever,
            args=(0.05,),
            name=f'xmlrpc {self.port}',
            daemon=True,
        )
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _camel_case(name: str) -> str:
    first, *others = name.split('_')
    return first + ''.join(other.capitalize() for other in others)


def own_host(master_uri: str) -> str:
    """Return the name or address under which the master's network reaches this machine.

    ROS_HOSTNAME and ROS_IP win, as everywhere in ROS 1. Without them it is the address of the
    interface that leads to the master: a workstation in a lab has several.
    """
    for variable in ('ROS_HOSTNAME', 'ROS_IP'):
        if value := os.environ.get(variable):
            return value
    master = urllib.parse.urlsplit(master_uri)
    if not master.hostname:
        raise ValueError(f'master URI {master_uri!r}, expected http://HOST:11311')
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect((master.hostname, master.port or 11311))  # sends nothing
        except OSError:
            return '127.0.0.1'
        return str(probe.getsockname()[0])


def bind_address(host: str) -> str:
    """Return the address to listen at: nothing leaves the machine when it is not to."""
    loopback = host == 'localhost' or host.startswith('127.')
    return '127.0.0.1' if loopback else '0.0.0.0'
