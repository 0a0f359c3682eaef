"""The nodes of a cell as processes: started together, watched, and never left behind."""

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

from chef_cell.graph import NodeSpec, parameter_file

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None)

#: How long a node may take to end after each signal, politest first (s).
_STAGES = ((signal.SIGINT, 6.0), (signal.SIGTERM, 2.0), (signal.SIGKILL, 2.0))
#: How long the session may take to end the episode before the others are told to end (s).
_LAST_WORDS = 5.0
_POLL = 0.01


class NodeProcess:
    """One node in a process group of its own; what it prints goes to a file."""

    def __init__(self, spec: NodeSpec, folder: Path, environment: Mapping[str, str]) -> None:
        self.name = spec.name
        self.log = folder / f'{spec.name}.log'
        parameters = folder / f'{spec.name}.yaml'
        parameters.write_text(parameter_file(spec))
        arguments = ['-r', f'__ns:={spec.namespace}', '--params-file', str(parameters)]
        arguments += ['--enclave', spec.enclave]
        with self.log.open('wb') as output:
            self._process = subprocess.Popen(
                [sys.executable, '-m', spec.module, '--ros-args', *arguments],
                stdin=subprocess.PIPE if spec.reads_keys else subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                env=dict(environment),
                # Ctrl-C in the terminal must reach the runner alone: it knows the order.
                process_group=0,
                preexec_fn=_end_with_parent,
            )

    @property
    def input(self) -> IO[bytes] | None:
        """Where to write what is typed; None for a node that reads no keys."""
        return self._process.stdin

    @property
    def pid(self) -> int:
        """Process id."""
        return self._process.pid

    @property
    def exit_code(self) -> int | None:
        """Exit code; None while the process runs."""
        return self._process.poll()

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the process and to whatever it has started."""
        if self.exit_code is None:
            os.killpg(self._process.pid, number)

    def last_lines(self, count: int = 8) -> str:
        """Return the end of what the node printed."""
        return '\n'.join(self.log.read_text(errors='replace').splitlines()[-count:])


class CellProcesses:
    """All nodes of a cell; leaving the `with` block ends them all.

    Args:
        specs: the nodes, in the order in which they start.
        folder: where their logs and parameters are kept.
        environment: of the processes.
    """

    def __init__(
        self, specs: Iterable[NodeSpec], folder: Path, environment: Mapping[str, str]
    ) -> None:
        self._specs = tuple(specs)
        self._folder = folder
        self._environment = environment
        self._running: dict[str, NodeProcess] = {}

    def __enter__(self) -> 'CellProcesses':
        self._folder.mkdir(parents=True, exist_ok=True)
        try:
            for spec in self._specs:
                process = NodeProcess(spec, self._folder, self._environment)
                self._running[spec.name] = process
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def names(self) -> frozenset[str]:
        """Names of the nodes."""
        return frozenset(spec.name for spec in self._specs)

    def pid(self, name: str) -> int:
        """Process id of a node."""
        return self._running[name].pid

    def signal(self, name: str, number: signal.Signals) -> None:
        """Send a signal to a node."""
        self._running[name].signal(number)

    def restart(self, name: str) -> None:
        """Start a node that has ended anew."""
        (spec,) = (spec for spec in self._specs if spec.name == name)
        self._running[name] = NodeProcess(spec, self._folder, self._environment)

    def exit_code(self, name: str) -> int | None:
        """Exit code of a node; None while it runs."""
        return self._running[name].exit_code

    def key_reader(self) -> IO[bytes] | None:
        """Return the input of the node that reads keys, if there is one."""
        return next((p.input for p in self._running.values() if p.input), None)

    def dead(self) -> NodeProcess | None:
        """Return a node that has ended, if there is one."""
        return next((p for p in self._running.values() if p.exit_code is not None), None)

    def stop(self) -> None:
        """End every process: the session first, because it knows what the others must hear."""
        session = self._running.get('session')
        if session is not None:
            session.signal(signal.SIGINT)
            _wait([session], _LAST_WORDS)
        for number, patience in _STAGES:
            for process in self._running.values():
                process.signal(number)
            if _wait(self._running.values(), patience):
                return


def _end_with_parent() -> None:
    """In the child: ask the kernel to end it when the runner dies, however that happens."""
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


def _wait(processes: Iterable[NodeProcess], patience: float) -> bool:
    """Wait until all have ended; returns whether they have."""
    end = time.monotonic() + patience
    while any(process.exit_code is None for process in processes):
        if time.monotonic() > end:
            return False
        time.sleep(_POLL)
    return True
