"""`chef session`: start a cell, run a session in it, show what came out, leave nothing behind."""

import dataclasses
import os
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console

from chef_cell.cli.domain import reserved_domain
from chef_cell.cli.keys import forwarded_keys
from chef_cell.cli.processes import CellProcesses
from chef_cell.cli.progress import Display, Follower
from chef_cell.core.schedule import SessionPlan, queue
from chef_cell.graph import CellSettings, nodes
from chef_cell.session_folder import new_session_folder
from chef_interfaces.msg import EpisodeState

#: How often processes and signals are looked at (s).
_POLL = 0.1
#: How long after the end of the session node its last announcement may take to arrive (s).
_LAST_WORDS = 0.5

#: How long the session node, which speaks once a second, may be silent once it runs (s).
_SILENCE = 10.0

INTERRUPTED = 130


class CellError(RuntimeError):
    """A cell could not be started, or a part of it died."""

    def __init__(self, message: str, exit_code: int) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@dataclasses.dataclass(frozen=True)
class SessionRequest:
    """What `chef session` is asked for."""

    plan: SessionPlan
    cell: CellSettings
    config: Path  # folder with cell.yaml, sim.yaml and fastdds.xml
    overrides: Mapping[str, Mapping[str, Any]]  # node -> parameter -> value


def run(request: SessionRequest, console: Console) -> tuple[Path, int]:
    """Run a session and return its folder and exit code: 0 done, 2 bad input, 3 fault, 130 Ctrl-C.

    Raises:
        CellError: a node could not start or died.
        DomainError: no ROS domain can be used.
        GraphError: the cell cannot be put together as asked.
        OSError: the folder cannot be made.
    """
    folder = new_session_folder(Path(request.cell.directory))
    try:
        return folder, _run_in(folder, request, console)
    finally:
        with suppress(OSError):
            folder.rmdir()  # if nothing is in it


def _run_in(folder: Path, request: SessionRequest, console: Console) -> int:
    session = {
        'session_id': folder.name,
        **{key: _plain(value) for key, value in dataclasses.asdict(request.plan).items()},
    }
    specs = nodes(request.cell, request.config, session, request.overrides)
    with reserved_domain() as domain, collected_signals() as stopped:
        environment = cell_environment(request.config, domain)
        os.environ.update(environment)
        follower = Follower(domain, request.cell.namespace)
        display = Display(console, len(queue(request.plan)))
        try:
            if others := follower.others():
                raise CellError(
                    f'ROS domain {domain} already has a cell {request.cell.namespace}: '
                    f'{", ".join(others)}; stop it, or set ROS_DOMAIN_ID to a free domain',
                    2,
                )
            with (
                CellProcesses(specs, folder / 'log', environment) as cell,
                forwarded_keys(cell.key_reader()),
            ):
                code = _watch(cell, follower, display, stopped)
                cell.stop()
                _show_rest(follower, display)
        finally:
            display.close()
            follower.close()
    return code


def _watch(cell: CellProcesses, follower: Follower, display: Display, stopped: list[int]) -> int:
    """Follow the session to its end; returns its exit code."""
    running, heard = False, time.monotonic()
    while not stopped:
        for state in follower.wait(_POLL):
            running, heard = running or state.phase == EpisodeState.RUNNING, time.monotonic()
            display.show(state)
        display.show_recorder(follower.recorder)
        code = cell.exit_code('session')
        if code is not None and code >= 0 and (running or code in (0, 2, 3)):
            return code
        if running and time.monotonic() - heard > _SILENCE:
            raise CellError(f'the session node has been silent for {_SILENCE:g} s', 3)
        dead = cell.dead()
        if dead is not None:
            raise CellError(
                f'{dead.name} ended with exit code {dead.exit_code}; the end of {dead.log}:\n'
                f'{dead.last_lines()}',
                3 if running else 1,
            )
    return INTERRUPTED


def _show_rest(follower: Follower, display: Display) -> None:
    """Show the announcement of an episode that ended last."""
    end = time.monotonic() + _LAST_WORDS
    while time.monotonic() < end:
        states = follower.wait(_POLL)
        for state in states:
            display.show(state)
        display.show_recorder(follower.recorder)
        if any(state.phase == EpisodeState.ENDED for state in states):
            return


@contextmanager
def collected_signals() -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in a list instead of dying of them."""
    received: list[int] = []
    numbers = (signal.SIGINT, signal.SIGTERM)
    previous = [signal.signal(number, lambda n, _: received.append(n)) for number in numbers]
    try:
        yield received
    finally:
        for number, handler in zip(numbers, previous, strict=True):
            signal.signal(number, handler)


def cell_environment(config: Path, domain: int) -> dict[str, str]:
    """Return what the processes of the cell inherit."""
    return {
        'FASTDDS_DEFAULT_PROFILES_FILE': str(config / 'fastdds.xml'),  # Fast DDS 3 (Kilted)
        'FASTRTPS_DEFAULT_PROFILES_FILE': str(config / 'fastdds.xml'),  # Fast DDS 2 (Jazzy)
        'ROS_AUTOMATIC_DISCOVERY_RANGE': 'LOCALHOST',
        # Where message definitions lie, when no setup file was sourced.
        'AMENT_PREFIX_PATH': sys.prefix,
        # Log lines reach the file as they are printed, so that a crash does not eat the last.
        'PYTHONUNBUFFERED': '1',
        **os.environ,
        'ROS_DOMAIN_ID': str(domain),
        'PYTHONPATH': os.pathsep.join(filter(None, sys.path)),
    }


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value
