"""A whole cell of real nodes in real time, with the test in the wires between them.

Some streams run through a `Wire`, which passes every message on untouched until a test tampers
with it: so a sensor can fall silent, freeze or lie while its node is well.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from geometry_msgs.msg import WrenchStamped
from rclpy.action import ActionClient
from rclpy.publisher import Publisher
from rclpy.task import Future
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import String
from std_srvs.srv import Trigger

from chef_cell.graph import CAMERAS, CellSettings, nodes, parameter_file
from chef_cell.nodes import ros
from chef_cell.testing.ros_harness import Graph, NodeProcess
from chef_interfaces.action import RunSession
from chef_interfaces.msg import (
    ControllerState,
    EpisodeState,
    GripperState,
    SafetyState,
    TaskCommand,
)
from chef_trainer.spec import ObservationSpec
from chef_trainer.testing import tiny_spec, write_tiny_policy
from intera_core_msgs.msg import JointCommand

CONFIG = Path(__file__).parents[2] / 'config'
CAMERA = CAMERAS[0]
DEADLINE = 60.0
STARTED = 100.0
#: What a loaded machine does must not look like a fault: silence is judged a little later.
PATIENT = 1.5  # s
SETTINGS: dict[str, dict[str, Any]] = {
    'safety': {
        'wrench_timeout': PATIENT,
        'joint_timeout': PATIENT,
        'command_timeout': PATIENT,
        'command_behind': PATIENT,
        'controller_timeout': PATIENT,
        'camera_timeout': 2.0 * PATIENT,  # images wait for whatever time the others leave
        'recorder_timeout': 2.0 * PATIENT,
        'missed_deadlines': 1000,
        'cameras': [CAMERA],
        'frozen_values': 50,
        'frozen_images': 5,
    },
    'controller': {
        'command_timeout': PATIENT,
        'safety_timeout': PATIENT,
        'joint_timeout': PATIENT,
    },
    'policy': {'max_age': 2.0 * PATIENT},  # the latch speaks first
    'session': {
        'max_steps': 2000,
        'safety_timeout': PATIENT,
        'ready_timeout': STARTED,
        'record_timeout': 10.0,
    },
    'mujoco_bridge': {'image_rate': 5.0},
}
#: A gap between two beats of the test itself after which nothing can be said about a cell (s).
STALLED = 0.2 * PATIENT


class Wire:
    """Passes the messages of one stream on, or what somebody makes of them."""

    def __init__(self, graph: Graph, kind: type, topic: str) -> None:
        self.last: Any = None  # message passed on
        self._change: Callable[[Any], Any] | None = None
        self._noise = np.random.default_rng(0)
        qos = ros.SENSOR_PUBLISHER_QOS
        self._publisher = graph.publisher(kind, topic, qos)
        graph.probe.create_subscription(kind, tapped(topic), self._pass_on, qos)

    @contextmanager
    def tampered(self, change: Callable[[Any], Any]) -> Iterator[None]:
        """Meanwhile pass on what `change` makes of each message; None is held back."""
        self._change = change
        try:
            yield
        finally:
            self._change = None

    def _pass_on(self, message: Any) -> None:
        # A simulated sensor is quieter than any real one: at rest it would look frozen.
        if isinstance(message, WrenchStamped):
            message.wrench.force.z += self._noise.normal(0.0, 0.01)
        elif isinstance(message, Image):
            message.data[0] = self._noise.integers(256)
        if self._change is not None:
            message = self._change(message)
        if message is not None:
            self.last = message
            self._publisher.publish(message)


def tapped(topic: str) -> str:
    """The topic on which the publisher of a tapped `topic` is."""
    return f'/tap/{topic.strip("/")}'


#: name of the wire -> message, topic, and the node that publishes it
WIRES = {
    'wrench': (WrenchStamped, 'ft300/wrench', 'mujoco_bridge'),
    'joints': (JointState, '/robot/joint_states', 'mujoco_bridge'),
    'gripper': (GripperState, 'gripper/state', 'mujoco_bridge'),
    'image': (Image, f'camera/{CAMERA}/device/image_raw', 'mujoco_bridge'),
    'command': (TaskCommand, 'command', 'policy'),
}


class LiveCell:
    """All nodes of a cell, what they say, and an operator who runs sessions and rearms."""

    def __init__(self, graph: Graph, folder: Path) -> None:
        self.graph = graph
        self.folder = folder
        self.policy = folder / 'slow.onnx'
        write_slow_policy(self.policy)
        settings = CellSettings(lockstep=False, cameras=(CAMERA,), directory=str(folder))
        self._specs = {s.name: s for s in nodes(settings, CONFIG, overrides=SETTINGS)}
        self._voices: dict[str, Publisher] = {}
        self.wires = {name: Wire(graph, kind, topic) for name, (kind, topic, _) in WIRES.items()}
        self.processes = {name: self._start(name) for name in self._specs}
        self.commands = graph.collect(JointCommand, '/robot/limb/right/joint_command')
        self.controller = graph.collect(ControllerState, 'controller/state')
        self.verdicts = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
        self.episodes = graph.collect(EpisodeState, 'episode', ros.STATE_QOS)
        self._sessions = ActionClient(graph.probe, RunSession, 'run_session')
        self._result: Future | None = None
        self._beat = time.monotonic()
        self.longest_gap = 0.0  # s, between two beats, since somebody set it to 0
        graph.every(0.01, self._measure)

    def _measure(self) -> None:
        before, self._beat = self._beat, time.monotonic()
        self.longest_gap = max(self.longest_gap, self._beat - before)

    def _start(self, name: str) -> NodeProcess:
        path = self.folder / f'{name}.yaml'
        path.write_text(parameter_file(self._specs[name]))
        arguments = ['--params-file', str(path)]
        for _, topic, publisher in WIRES.values():
            if publisher == name:
                arguments += ['-r', f'{topic}:={tapped(topic)}']
        return self.graph.start(name, arguments=tuple(arguments))

    def restart(self, name: str) -> None:
        """Start a node that has died, and wait until it is connected."""
        if name == 'session':
            self._result = None  # it will never come
        self.processes[name] = process = self._start(name)
        present = self.graph.collect(String, ros.RollCall.TOPIC, ros.RollCall.LISTENER_QOS)
        self.graph.wait_for(
            lambda: String(data=name) in present or not process.alive, f'{name}', DEADLINE
        )

    def wait_until_up(self) -> None:
        """Wait until the nodes run: that takes long where many others want to."""
        self.graph.wait_for(self._sessions.server_is_ready, 'the nodes', STARTED)

    def begin(self, episodes: int = 1) -> None:
        """Begin a session and wait until its arm moves and the latch judges it."""
        self.ask(episodes)
        while not self._moves():
            # A bridge that hung has not heard yet that its episode is over: ask again.
            answer = self.end().stopped_by
            assert 'reset refused' in answer, answer
            self.ask(episodes)
        self._be_judged()

    def ask(self, episodes: int = 1, policy: Path | None = None) -> None:
        """Ask for a session."""
        self.commands.forget()
        self.episodes.forget()
        goal = RunSession.Goal(
            triplets=['1'], policies=[str(policy or self.policy)], episodes=episodes
        )
        asked = self._sessions.send_goal_async(goal)
        self.graph.wait_for(asked.done, 'an answer to the goal', DEADLINE)
        self._goal = asked.result()
        assert self._goal.accepted
        self._result = self._goal.get_result_async()

    def _moves(self) -> bool:
        self.graph.wait_for(lambda: self._result.done() or self.moving, 'motion', STARTED)
        return self.moving and not self._result.done()

    def _be_judged(self) -> None:
        """Wait until the latch can compare: in an episode it has heard of, it begins anew."""
        self.graph.wait_for(
            lambda: (
                self.episodes
                and self.verdicts
                and self.verdicts[-1].episode_id == self.episodes[-1].episode_id
            ),
            'a verdict on this episode',
        )
        before = {name: self.wires[name].last for name in ('wrench', 'joints')}
        self.graph.wait_for(
            lambda: all(self.wires[name].last is not last for name, last in before.items()),
            'a wrench and a joint state',
        )

    def wait_until_on_its_way(self) -> None:
        """Wait for half a second of motion: a tool that has hardly moved does not retreat."""
        self.graph.wait_for(
            lambda: sum(any(command.velocity) for command in self.commands) >= 50, 'a way'
        )

    @property
    def moving(self) -> bool:
        """Whether the newest joint command is a motion."""
        return bool(self.commands) and any(self.commands[-1].velocity)

    @property
    def speed(self) -> float:
        """Largest joint speed (rad/s) that the robot has told last."""
        return float(np.abs(self.wires['joints'].last.velocity).max())

    def wait_for_phase(self, index: int, phase: int) -> None:
        """Wait until an episode of the session is in a phase, or was."""
        self.graph.wait_for(
            lambda: any((e.index, e.phase) == (index, phase) for e in self.episodes),
            f'phase {phase} of episode {index}',
        )

    def cancel(self) -> None:
        """Ask the session to end."""
        self._goal.cancel_goal_async()

    def end(self) -> RunSession.Result:
        """Wait for the end of the session; return what came of it."""
        self.graph.wait_for(self._result.done, 'the end of the session', DEADLINE)
        return self._result.result().result

    def settle(self) -> None:
        """End the session if it runs, and rearm the latch: both must be possible after a test."""
        if self._result is not None and not self._result.done():
            self.cancel()
            self.end()
        self.rearm()

    def rearm(self) -> None:
        """Rearm the latch as soon as it lets one, and has heard all that was before."""
        now = self.graph.probe.get_clock().now().nanoseconds
        self.verdicts.forget()
        self.graph.wait_for(
            lambda: self.verdicts and ros.nanoseconds(self.verdicts[-1].header.stamp) > now,
            'a verdict on a wrench of now',
            DEADLINE,
        )
        answers = []

        def released() -> bool:
            answers.append(self.call(Trigger, 'safety/rearm', Trigger.Request()))
            return bool(answers[-1].success)

        self.graph.wait_for(released, 'the latch to be rearmed', DEADLINE)

    def call(self, kind: type, service: str, request: Any) -> Any:
        """Call a service of a node."""
        return self.graph.call(kind, service, request)

    def voice(self, kind: type, topic: str) -> Publisher:
        """A publisher that somebody hears."""
        if topic not in self._voices:
            self._voices[topic] = self.graph.publisher(kind, topic, ros.STATE_QOS)
        publisher = self._voices[topic]
        self.graph.wait_for(publisher.get_subscription_count, f'a subscriber of {topic}')
        return publisher


def write_slow_policy(path: Path) -> None:
    """Write a policy that always does the same: it turns and moves slowly, and never down."""
    observations = (
        ObservationSpec('triplet', (5,), '1'),
        ObservationSpec('gripper_position', (1,), '1'),
    )
    write_tiny_policy(path, tiny_spec(observations), seed=44, gain=0.3)
