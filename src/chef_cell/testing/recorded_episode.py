"""Small recorded episodes and sessions: invented motion, real messages, files and metadata."""

import dataclasses
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.serialization import serialize_message

from chef_cell.core.readings import (
    COLOURS,
    ArmReading,
    Grasp,
    GripperReading,
    ImageReading,
    ObjectReading,
    TaskCommand,
    WrenchReading,
)
from chef_cell.core.results import EpisodeResult, SessionResult
from chef_cell.core.rewards import REWARD_NAMES
from chef_cell.nodes import messages, provenance, ros
from chef_cell.nodes.definitions import bag_qos, definition, type_hash
from chef_interfaces.msg import ControllerState, EpisodeState, SafetyState, Tick
from chef_trainer.episodes import Channel, EpisodeWriter

CAMERAS = ('basket_front_left', 'basket_front_right', 'basket_back_left')
STEP_NS = 50_000_000
TICKS = 5  # joint ticks per control step

Message = tuple[str, Time, Any]


@dataclasses.dataclass(frozen=True)
class Script:
    """What shall have happened in an episode."""

    index: int = 0
    triplet: str = '3'
    policy: str = 'stacker'
    outcome: str = 'success'
    reason: str = ''
    steps: int = 20
    peak_force: float = 8.0  # N
    cameras: tuple[str, ...] = CAMERAS
    image_size: int = 128

    @property
    def state(self) -> EpisodeState:
        """What the session says at the end."""
        success = self.outcome == 'success'
        rewards = [float(success)] * len(REWARD_NAMES)
        return EpisodeState(
            phase=EpisodeState.ENDED,
            session_id='session',
            episode_id=f'episode{self.index}',
            index=self.index,
            total=4,
            triplet=self.triplet,
            objects=['red_object', 'green_object', 'blue_object'],
            policy=self.policy,
            policy_sha256='ab' * 32,
            seed=self.index,
            max_steps=self.steps,
            steps=self.steps,
            outcome=self.outcome,
            reason=self.reason,
            success=success,
            value=self.peak_force if self.outcome == 'force' else 0.0,
            limit=20.0 if self.outcome == 'force' else 0.0,
            end=ros.to_stamp(self.steps * STEP_NS),
            reward_names=list(REWARD_NAMES),
            final_rewards=rewards,
            return_rewards=[self.steps * value / 2 for value in rewards],
            peak_force=self.peak_force,
        )


def record_episode(directory: Path, script: Script) -> EpisodeResult:
    """Write one episode file below `directory`; return the session's record of it."""
    state = script.state
    writer = EpisodeWriter(
        directory,
        f'{state.index:04d}_{state.episode_id}',
        {**provenance.episode_metadata(state), 'namespace': '/cell'},
    )
    known: set[str] = set()
    for topic, stamp, message in _messages(script):
        if topic not in known:
            known.add(topic)
            writer.add_channel(_channel(topic, message))
        time_ns = ros.nanoseconds(stamp)
        writer.write(topic, time_ns, time_ns, serialize_message(message))
    path = writer.finish({'dropped': 0, 'incomplete': [], 'software': provenance.software()})
    record: dict[str, Any] = provenance.episode_metadata(state)
    record['objects'] = tuple(record['objects'])
    record['file'] = str(path.relative_to(directory))
    record['wall_seconds'] = 1.0
    names = {field.name for field in dataclasses.fields(EpisodeResult)}
    return EpisodeResult(**{name: record[name] for name in names})


def record_session(directory: Path, scripts: tuple[Script, ...]) -> SessionResult:
    """Write a session directory: episode files and `session.json`."""
    episodes = tuple(record_episode(directory, script) for script in scripts)
    session = SessionResult('session', '2026-01-02T03:04:05+00:00', {'seed': 0}, episodes)
    (directory / 'session.json').write_text(session.to_json())
    return session


def _channel(topic: str, message: Any) -> Channel:
    module, name = type(message).__module__.split('.')[0], type(message).__name__
    kind = f'{module}/msg/{name}'
    return Channel(topic, kind, definition(kind), (bag_qos(ros.COMMAND_QOS),), type_hash(kind))


def _messages(script: Script) -> Iterator[Message]:
    """Everything an episode holds, in the order of its stamps."""
    start = ros.to_stamp(0)
    yield '/cell/episode', start, script.state
    yield '/cell/safety', start, SafetyState()
    for tick in range(script.steps * TICKS + 1):
        stamp = ros.to_stamp(tick * STEP_NS // TICKS)
        progress = tick / (script.steps * TICKS or 1)
        yield from _joint_tick(script, progress, stamp)
        if tick % TICKS == 0:
            yield from _control_step(script, progress, stamp, tick // TICKS)


def _joint_tick(script: Script, progress: float, stamp: Time) -> Iterator[Message]:
    position = np.array([0.2, -0.6, 0.1, 1.4, 0.0, 0.8, 0.5]) + 0.1 * math.sin(6 * progress)
    arm = ArmReading(ros.seconds(stamp), position, np.zeros(7), np.zeros(7))
    yield '/robot/joint_states', stamp, messages.arm_to_message(arm, stamp)
    bump = math.exp(-(((progress - 0.6) / 0.05) ** 2))
    force = np.array([0.3, 0.0, -(script.peak_force - 0.5) * bump - 0.4])
    wrench = WrenchReading(ros.seconds(stamp), force, 0.1 * force)
    yield '/cell/wrist/wrench', stamp, messages.wrench_to_message(wrench, stamp, 'tool')


def _control_step(script: Script, progress: float, stamp: Time, step: int) -> Iterator[Message]:
    seconds = ros.seconds(stamp)
    closed = progress > 0.3
    gripper = GripperReading(seconds, 200.0 * closed, 0.0, Grasp.INWARD if closed else Grasp.NONE)
    yield '/cell/gripper/state', stamp, messages.gripper_to_message(gripper, stamp)
    poses = {
        colour: np.array([0.55 + 0.05 * i, 0.1 * (1 - progress) * i, 0.06, 1.0, 0, 0, 0])
        for i, colour in enumerate(COLOURS)
    }
    objects = ObjectReading(seconds, poses, dict.fromkeys(COLOURS, True))
    yield '/cell/objects', stamp, messages.objects_to_message(objects, stamp)
    for number, camera in enumerate(script.cameras):
        image = ImageReading(seconds, _picture(script.image_size, progress, number))
        message = messages.image_to_message(image, stamp, f'{camera}_optical_frame')
        yield f'/cell/camera/{camera}/image_raw', stamp, message
    due = step < script.steps
    tick = Tick(episode_id=script.state.episode_id, step=step, command_due=due)
    tick.header.stamp = stamp
    yield '/cell/tick', stamp, tick
    if due:
        linear = 0.07 * np.array([math.sin(9 * progress), math.cos(9 * progress), -progress])
        command = TaskCommand(seconds, linear, 0.5 * math.sin(5 * progress), 2.0 * closed - 1.0)
        yield '/cell/command', stamp, messages.task_command_to_message(command, stamp)
        yield '/cell/gripper/command', stamp, messages.gripper_command(command, stamp)
        state = ControllerState(period_ms=[10.0 + 0.1 * math.sin(step)] * TICKS)
        state.header.stamp = stamp
        yield '/cell/controller/state', stamp, state


def _picture(size: int, progress: float, camera: int) -> np.ndarray:
    """A basket with three blocks; red travels to blue."""
    pixels = np.full((size, size, 3), (150, 140, 130), np.uint8)
    pixels[::8] = (120, 110, 105)
    block = size // 6
    columns = (size // 8 + int(progress * size / 2), size // 3, size // 8 + size // 2)
    for colour, column in enumerate(columns):
        row = size // 2 + 8 * camera
        pixels[row : row + block, column : column + block] = 40
        pixels[row : row + block, column : column + block, colour] = 220
    return pixels
