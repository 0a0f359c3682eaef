"""ROS domains: one cell each, because two cells on one domain obey each other's commands."""

import contextlib
import os
import socket
from collections.abc import Iterator

#: A domain is reserved by holding TCP port PORT_BASE + domain, as `domain_coordinator` (ROS 2's
#: own tests) does: the reservation ends with the process, whatever ends it.
PORT_BASE = 32768
DOMAINS = range(0, 101)


class DomainError(RuntimeError):
    """No domain can be used."""


@contextlib.contextmanager
def reserved_domain() -> Iterator[int]:
    """Reserve ROS_DOMAIN_ID, or the first free domain if it is not set.

    Raises:
        DomainError: the domain asked for is malformed or in use.
    """
    asked = os.environ.get('ROS_DOMAIN_ID', '')
    if asked and (not asked.isdecimal() or int(asked) > 232):
        raise DomainError(f'ROS_DOMAIN_ID={asked!r}: expected a number from 0 to 232')
    for domain in [int(asked)] if asked else DOMAINS:
        with _lock(domain) as is_ours:
            if is_ours:
                yield domain
                return
    if asked:
        raise DomainError(
            f'ROS domain {asked} is in use by another cell or test; unset ROS_DOMAIN_ID to get '
            'a free one, or set another'
        )
    raise DomainError(f'all ROS domains from {DOMAINS[0]} to {DOMAINS[-1]} are in use')


def domains_in_use() -> list[int]:
    """Return the domains that somebody has reserved."""
    in_use = []
    for domain in DOMAINS:
        with _lock(domain) as is_free:
            if not is_free:
                in_use.append(domain)
    return in_use


@contextlib.contextmanager
def _lock(domain: int) -> Iterator[bool]:
    """Hold the port of a domain meanwhile; yields whether that is possible."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) as lock:
        try:
            lock.bind(('127.0.0.1', PORT_BASE + domain))
        except OSError:
            yield False
        else:
            yield True
