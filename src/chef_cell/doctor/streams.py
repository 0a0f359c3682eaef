"""Does a running cell speak as often as configured, and does the wrist sensor lie still?"""

import dataclasses
from collections.abc import Iterable
from typing import Any

import numpy as np
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import Image, JointState

from chef_cell.doctor.finding import Finding, Level
from chef_cell.graph import NodeSpec
from chef_interfaces.msg import ControllerState, GripperState, SafetyState, TrackedObjects
from intera_core_msgs.msg import JointCommand

#: What a policy and the joint loop need of real devices (Hz).
_CONTROL_RATE, _JOINT_RATE = 20.0, 100.0
#: Share of a stream's rate that may be missing: a warning, a failure.
_WARN, _FAIL = 0.05, 0.2
#: Share of the force limit that a sensor at rest may show.
_BIAS_SHARE = 0.1
#: Standard deviation of a force axis at rest (N); an FT300 has 1.2.
_NOISE_LIMIT = 1.5


@dataclasses.dataclass(frozen=True)
class Stream:
    """A topic and how often it should speak."""

    topic: str
    kind: type  # of its messages
    rate: float  # Hz, at least
    node: str  # who publishes it


@dataclasses.dataclass(frozen=True)
class StreamReading:
    """What was heard of a stream."""

    publishers: int
    messages: int
    duration: float  # s


def expected_streams(nodes: Iterable[NodeSpec], cameras: Iterable[str]) -> list[Stream]:
    """Return the streams of an idle cell in real time."""
    nodes = tuple(nodes)
    bridge = _bridge(nodes)
    joint = 1.0 / bridge['joint_period'] if bridge else _JOINT_RATE
    control = 1.0 / bridge['control_period'] if bridge else _CONTROL_RATE
    arm, wrist, gripper, device = (
        ('mujoco_bridge',) * 4
        if bridge
        else ('intera_driver', 'ft300_driver', 'robotiq_driver', 'of this device')
    )
    return [
        Stream('/robot/joint_states', JointState, joint, arm),
        Stream('ft300/wrench', WrenchStamped, joint, wrist),
        Stream('gripper/state', GripperState, joint if bridge else control, gripper),
        _objects(nodes, joint if bridge else control, device),
        Stream('wrist/wrench', WrenchStamped, joint, 'wrist'),
        Stream('safety', SafetyState, joint, 'safety'),
        Stream('/robot/limb/right/joint_command', JointCommand, joint, 'controller'),
        Stream('controller/state', ControllerState, control, 'controller'),
        *(
            Stream(f'camera/{camera}/image_raw', Image, image_rate(nodes), 'camera')
            for camera in cameras
        ),
    ]


def _objects(nodes: tuple[NodeSpec, ...], rate: float, device: str) -> Stream:
    """Return the stream of poses: from the bridge, or as fast as the tracker sees."""
    tracker = next((node.parameters for node in nodes if node.name == 'tracker'), None)
    if tracker is None:
        return Stream('objects', TrackedObjects, rate, device)
    seen = min(image_rate(nodes), float(tracker.get('rate_hz', _CONTROL_RATE)))
    return Stream('objects', TrackedObjects, seen, 'tracker')


def image_rate(nodes: Iterable[NodeSpec]) -> float:
    """Return how often each camera should show an image (Hz)."""
    return float(_bridge(nodes).get('image_rate', _CONTROL_RATE))


def _bridge(nodes: Iterable[NodeSpec]) -> dict[str, Any]:
    """Parameters of the simulated cell; a real one has none."""
    return next((node.parameters for node in nodes if node.name == 'mujoco_bridge'), {})


def judge_stream(stream: Stream, reading: StreamReading) -> Finding:
    """Judge the rate of a stream."""
    expected = f'at least {stream.rate:g} Hz from one publisher'
    if reading.publishers == 0:
        remedy = f'is the node {stream.node} up? look at its log'
        return Finding(stream.topic, Level.FAIL, 'no publisher', expected, remedy)
    rate = reading.messages / reading.duration
    value = f'{rate:.1f} Hz'
    if reading.publishers > 1:
        remedy = 'two cells share this ROS domain: end one'
        text = f'{value} from {reading.publishers} publishers'
        return Finding(stream.topic, Level.FAIL, text, expected, remedy)
    missing = 1.0 - rate / stream.rate
    if missing > _WARN:
        level = Level.FAIL if missing > _FAIL else Level.WARN
        remedy = f'{stream.node} is too slow: end other work, fewer cameras'
        return Finding(stream.topic, level, value, expected, remedy)
    return Finding(stream.topic, Level.OK, value, expected)


def judge_wrist(wrenches: np.ndarray, force_limit: float, simulated: bool) -> list[Finding]:
    """Judge noise and bias of the compensated wrench while the arm rests.

    Args:
        wrenches: (n, 6), N and N m.
        force_limit: N, that ends an episode.
        simulated: whether the sensor is; only such a one may be without noise.
    """
    expected = [f'at most {_NOISE_LIMIT} N', f'at most {_BIAS_SHARE * force_limit:g} N']
    if len(wrenches) < 2:
        remedy = 'is the node wrist up, and its sensor?'
        return [
            Finding(name, Level.FAIL, f'{len(wrenches)} samples', text, remedy)
            for name, text in zip(('wrist noise', 'wrist bias'), expected, strict=True)
        ]
    noise = wrenches[:, :3].std(axis=0)
    bias = float(np.linalg.norm(wrenches[:, :3].mean(axis=0)))
    value = f'{np.array2string(noise, precision=2)} N in x, y, z'
    if noise.max() > _NOISE_LIMIT:
        remedy = 'is the arm at rest? look at the cable and the mounting of the sensor'
        first = Finding('wrist noise', Level.WARN, value, expected[0], remedy)
    elif noise.max() == 0.0 and not simulated:
        remedy = 'a real sensor is never that quiet: it is frozen, restart its driver'
        first = Finding('wrist noise', Level.FAIL, value, expected[0], remedy)
    else:
        first = Finding('wrist noise', Level.OK, value, expected[0])
    if bias > _BIAS_SHARE * force_limit:
        remedy = 'with nothing touching the tool: ros2 service call wrist/zero'
        level = Level.FAIL if bias > force_limit / 2 else Level.WARN
        return [first, Finding('wrist bias', level, f'{bias:.2f} N', expected[1], remedy)]
    return [first, Finding('wrist bias', Level.OK, f'{bias:.2f} N', expected[1])]
