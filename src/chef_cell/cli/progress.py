"""Follow a session from outside: what `chef session` shows while it runs."""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from chef_cell.nodes.bystander import Bystander
from chef_cell.nodes.ros import STATE_QOS
from chef_cell.nodes.transport import control_transport
from chef_interfaces.msg import EpisodeState, RecorderState

#: How long other participants of a domain may take to be discovered (s).
DISCOVERY = 0.5
_PHASES = {
    EpisodeState.IDLE: 'starting',
    EpisodeState.RESETTING: 'reset',
    EpisodeState.SCRIPTED_RESET: 'scripted reset',
    EpisodeState.RUNNING: 'running',
    EpisodeState.ENDED: 'ended',
}


class Follower:
    """Listens to the topics `episode` and `recorder` of a cell.

    Args:
        domain: ROS domain.
        namespace: of the cell.

    Attributes:
        recorder: its newest state.
    """

    def __init__(self, domain: int, namespace: str) -> None:
        with control_transport():
            self._bystander = Bystander('chef_runner', domain, namespace)
        node = self._bystander.node
        node.create_subscription(EpisodeState, 'episode', self._on_episode, STATE_QOS)
        node.create_subscription(RecorderState, 'recorder', self._on_recorder, STATE_QOS)
        self._new: list[EpisodeState] = []
        self.recorder = RecorderState()

    def others(self) -> list[str]:
        """Return the nodes that are already in the cell's namespace, after a short wait."""
        end = time.monotonic() + DISCOVERY
        found: list[str] = []
        while not found and (left := end - time.monotonic()) > 0:
            self._bystander.spin_once(min(left, 0.1))
            found = self._bystander.others()
        return found

    def wait(self, timeout: float) -> list[EpisodeState]:
        """Listen for up to `timeout` seconds; return what was announced, oldest first."""
        self._bystander.spin_once(timeout)
        new, self._new = self._new, []
        return new

    def close(self) -> None:
        """Leave the domain."""
        self._bystander.close()

    def _on_episode(self, state: EpisodeState) -> None:
        self._new.append(state)

    def _on_recorder(self, state: RecorderState) -> None:
        self.recorder = state


class Display:
    """A progress bar with the running success rate; a plain line per episode elsewhere."""

    def __init__(self, console: Console, total: int) -> None:
        self._console = console
        self._total = total
        self._successes = 0
        self._done: set[str] = set()
        self._recorded: set[str] = set()
        self._phase = 'starting the cell'
        self._bar: Progress | None = None
        if console.is_terminal:
            self._bar = Progress(
                TextColumn('{task.description}'),
                BarColumn(),
                MofNCompleteColumn(),
                TimeElapsedColumn(),
                console=console,
            )
            self._task = self._bar.add_task(self._phase, total=total)
            self._bar.start()

    def show(self, state: EpisodeState) -> None:
        """Show the newest state of an episode."""
        if state.phase == EpisodeState.ENDED and state.episode_id not in self._done:
            self._done.add(state.episode_id)
            self._successes += state.success
            self._line(state)
        phase = _PHASES.get(state.phase, '')
        self._phase = f'triplet {state.triplet}, {phase}{self._rate()}' if state.triplet else phase
        if self._bar is not None:
            self._bar.update(self._task, description=self._phase, completed=len(self._done))

    def show_recorder(self, state: RecorderState) -> None:
        """Show what is lost while it happens, and why an episode must not be used unseen."""
        if self._bar is not None:
            self._bar.update(self._task, description=self._phase + _losses(state))
        if state.recording or state.episode_id in self._recorded:
            return
        self._recorded.add(state.episode_id)
        for mark in state.marks:
            self._print(f'episode {state.episode_id} is marked: {mark}')

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def _rate(self) -> str:
        count = len(self._done)
        return (
            f', success {self._successes}/{count} = {self._successes / count:.0%}' if count else ''
        )

    def _line(self, state: EpisodeState) -> None:
        detail = '' if state.outcome in ('success', 'timeout') else f': {state.reason}'
        self._print(
            f'episode {len(self._done)}/{self._total}, triplet {state.triplet}, {state.policy}: '
            f'{state.outcome}{detail} (peak {state.peak_force:.1f} N){self._rate()}'
        )

    def _print(self, line: str) -> None:
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)


def _losses(state: RecorderState) -> str:
    paused = ', recording is paused' if state.paused else ''
    if not state.dropped:
        return paused
    return f'{paused}, {state.dropped} of {state.expected} messages lost'
