"""A live cell for benches: all nodes but the session, whose part the bench plays itself."""

import os
import signal
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from geometry_msgs.msg import WrenchStamped
from rclpy.client import Client
from std_msgs.msg import String
from std_srvs.srv import Trigger

from chef_cell.cli.domain import reserved_domain
from chef_cell.cli.paths import config_folder
from chef_cell.cli.processes import CellProcesses
from chef_cell.cli.session import cell_environment
from chef_cell.graph import CellSettings, nodes
from chef_cell.nodes import ros
from chef_cell.nodes.bystander import Bystander
from chef_cell.nodes.transport import control_transport
from chef_interfaces.msg import ControllerState, EpisodeState, PolicyState, SafetyState
from chef_interfaces.srv import LoadPolicy, ResetScene
from intera_core_msgs.msg import JointCommand

#: Patience with anything a cell is asked for (s).
DEADLINE = 60.0
_TRIPLET = '3'
#: Steps of an episode: more than any bench lasts.
_ENDLESS = 1_000_000


class BenchError(RuntimeError):
    """The cell does not do what a bench needs."""


class LiveCell:
    """A running cell in real time, and its operator.

    Attributes:
        verdict: newest word of the safety latch.
        halted: when the first joint command without motion arrived since the arm moved (s,
            steady clock).
        moved: when the newest joint command with motion arrived.
        errors: |period - nominal| of the joint loop (ms), until somebody empties the list.
        on_wrench: called with every raw wrench, once; then forgotten.
    """

    def __init__(self, processes: CellProcesses, domain: int, namespace: str) -> None:
        self._processes = processes
        with control_transport():  # a node that hangs must not hang the bench
            self._bystander = Bystander('bench', domain, namespace)
        self.node = node = self._bystander.node
        self.verdict = SafetyState()
        self.halted = self.moved = 0.0
        self.errors: list[float] = []
        self.on_wrench: Callable[[], None] | None = None
        self._present: set[str] = set()
        self._number = 0  # of the episode
        self._state = EpisodeState()
        self._policy_state = PolicyState()
        sensor = ros.sensor_qos(lockstep=False)
        command = '/robot/limb/right/joint_command'
        node.create_subscription(JointCommand, command, self._on_command, ros.COMMAND_QOS)
        node.create_subscription(SafetyState, 'safety', self._on_verdict, ros.STATE_QOS)
        node.create_subscription(PolicyState, 'policy', self._on_policy, ros.STATE_QOS)
        node.create_subscription(
            ControllerState, 'controller/state', self._on_controller, ros.COMMAND_QOS
        )
        node.create_subscription(WrenchStamped, 'ft300/wrench', self._on_wrench, sensor)
        node.create_subscription(
            String, 'connected', lambda m: self._present.add(m.data), ros.RollCall.LISTENER_QOS
        )
        self.wrenches = node.create_publisher(
            WrenchStamped, 'ft300/wrench', ros.SENSOR_PUBLISHER_QOS
        )
        self._episodes = node.create_publisher(EpisodeState, 'episode', ros.STATE_QOS)
        ros.every(node, 1.0, lambda: self._episodes.publish(self._state))
        self._clients: dict[str, Client] = {}

    @property
    def moving(self) -> bool:
        """Whether the arm moves and nobody forbids it."""
        return self.moved > self.halted and self.verdict.level == SafetyState.OK

    def wait_for(self, condition: Callable[[], Any], what: str | Callable[[], str]) -> None:
        """Exchange messages until the condition holds; raises BenchError at the deadline."""
        end = time.monotonic() + DEADLINE
        while not condition():
            if time.monotonic() > end:
                missed = what if isinstance(what, str) else what()
                raise BenchError(f'waited {DEADLINE:g} s in vain for {missed}')
            self._bystander.spin_once(0.01)

    def spin_for(self, duration: float) -> None:
        """Exchange messages for a while (s)."""
        end = time.monotonic() + duration
        while (left := end - time.monotonic()) > 0:
            self._bystander.spin_once(left)

    def call(self, kind: Any, service: str, request: Any) -> Any:
        """Call a service and return its answer."""
        if service not in self._clients:
            self._clients[service] = self.node.create_client(kind, service)
        client = self._clients[service]
        self.wait_for(client.service_is_ready, f'service {service}')
        future = client.call_async(request)
        self.wait_for(future.done, f'an answer of {service}')
        return future.result()

    def prepare(self, policy: Path) -> None:
        """Wait for the nodes and load a policy."""
        names = self._processes.names
        self.wait_for(lambda: names <= self._present, lambda: f'{sorted(names - self._present)}')
        self._policy = policy
        self._load_policy()

    def _load_policy(self) -> None:
        request = LoadPolicy.Request(path=str(self._policy))
        answer = self.call(LoadPolicy, 'policy/load_policy', request)
        if not answer.accepted:
            raise BenchError(f'policy refused: {answer.message}')

    def begin_episode(self) -> None:
        """End the episode that runs, and begin another; the arm will move."""
        before, self._number = self._state, self._number + 1
        self._announce(EpisodeState.ENDED, before.episode_id)
        # A fault has silenced the policy until it is rearmed, and then until the next episode.
        self.wait_for(self._rearmed, lambda: f'rearming: {self.verdict.reason}')
        self.wait_for(lambda: self._policy_state.ready, 'the policy')
        episode_id = f'bench-{self._number}'
        request = ResetScene.Request(episode_id=episode_id, triplet=_TRIPLET, seed=self._number)

        def reset() -> bool:
            return bool(self.call(ResetScene, 'sim/reset_scene', request).success)

        self.wait_for(reset, 'a new scene')
        self._announce(EpisodeState.RUNNING, episode_id)

    def recover(self) -> None:
        """Wait until the arm moves; rearm the latch, and begin another episode, where need be."""

        def moves() -> bool:
            if self.verdict.level == SafetyState.FAULT:
                self.begin_episode()
            elif self.verdict.level == SafetyState.EPISODE_STOP:
                self._rearmed()
            return self.moving

        self.wait_for(moves, lambda: f'motion; the latch says: {self.verdict.reason or "OK"}')

    def move_for(self, duration: float) -> None:
        """Let the arm move for a while (s), and see that nothing has stopped it meanwhile."""
        self.recover()
        self.spin_for(duration)
        while not self.moving:
            self.recover()
            self.spin_for(duration)

    def _rearmed(self) -> bool:
        if self.verdict.level == SafetyState.OK:
            return True
        self.call(Trigger, 'safety/rearm', Trigger.Request())
        self.spin_for(0.01)
        return False

    def rest(self) -> float:
        """Wait for zero velocity of an arm that moves; return when it came (s, steady clock)."""
        self.wait_for(lambda: self.halted > self.moved, 'zero velocity')
        return self.halted

    def freeze(self, name: str) -> float:
        """Hang a node; return when (s, steady clock)."""
        self._processes.signal(name, signal.SIGSTOP)
        return time.monotonic()

    def thaw(self, name: str) -> None:
        """Let it go on."""
        self._processes.signal(name, signal.SIGCONT)

    def kill(self, name: str) -> float:
        """Kill a node; return when (s, steady clock)."""
        self._processes.signal(name, signal.SIGKILL)
        return time.monotonic()

    def restart(self, name: str) -> None:
        """Start a node that was killed, and wait until it is connected."""
        self._present.discard(name)
        self._processes.restart(name)
        self.wait_for(lambda: name in self._present, f'node {name}')
        if name == 'policy':
            self._load_policy()

    def close(self) -> None:
        """Leave the domain."""
        self._bystander.close()

    def _announce(self, phase: int, episode_id: str) -> None:
        self._state = EpisodeState(
            phase=phase,
            session_id='bench',
            episode_id=episode_id,
            triplet=_TRIPLET,
            max_steps=_ENDLESS,
            start=self.node.get_clock().now().to_msg(),
            end=self.node.get_clock().now().to_msg(),
        )
        self._episodes.publish(self._state)

    def _on_command(self, message: JointCommand) -> None:
        if any(message.velocity):
            self.moved = time.monotonic()
        elif self.halted <= self.moved:
            self.halted = time.monotonic()

    def _on_verdict(self, message: SafetyState) -> None:
        self.verdict = message

    def _on_policy(self, message: PolicyState) -> None:
        self._policy_state = message

    def _on_controller(self, message: ControllerState) -> None:
        self.errors += [abs(period - 10.0) for period in message.period_ms]

    def _on_wrench(self, message: WrenchStamped) -> None:
        if self.on_wrench is not None:
            felt, self.on_wrench = self.on_wrench, None
            felt()


@contextmanager
def live_cell(
    folder: Path, cameras: tuple[str, ...], overrides: Mapping[str, Mapping[str, Any]]
) -> Iterator[LiveCell]:
    """A cell in real time on a domain of its own; everything has ended when the block is left.

    `overrides`: node -> parameter -> value.
    """
    settings = CellSettings(lockstep=False, cameras=cameras, directory=str(folder))
    config = config_folder()
    names = [spec.name for spec in nodes(settings, config) if spec.name != 'session']
    asked = {
        name: {**overrides.get(name, {}), 'peers': [peer for peer in names if peer != name]}
        for name in names
    }
    specs = [spec for spec in nodes(settings, config, overrides=asked) if spec.name in names]
    with reserved_domain() as domain:
        environment = cell_environment(config, domain)
        os.environ.update(environment)
        with CellProcesses(specs, folder / 'log', environment) as processes:
            cell = LiveCell(processes, domain, settings.namespace)
            try:
                yield cell
            finally:
                cell.close()
