"""Do camera frames get from one process to another?"""

import dataclasses
import json
import subprocess
import sys
import time
from collections.abc import Mapping

from sensor_msgs.msg import Image

from chef_cell.doctor.finding import Finding, Level
from chef_cell.doctor.frames import FRAME_BYTES, FRAME_QOS, FRAMES, PATIENCE, RATE, TOPIC
from chef_cell.nodes.bystander import Bystander

#: A stream in bursts needs room for several frames: fewer than these are worth a warning.
_ROOMY = 10
#: Share of frames that may be lost before the check fails.
_LOSS_LIMIT = 0.02
#: How long to wait for the last frame after it should have come (s).
_GRACE = 2.0
_PROFILE = (
    'set FASTRTPS_DEFAULT_PROFILES_FILE (Jazzy) and FASTDDS_DEFAULT_PROFILES_FILE (Kilted) to '
    'config/fastdds.xml'
)


@dataclasses.dataclass(frozen=True)
class FrameCount:
    """What came of a stream of frames."""

    sent: int
    received: int
    segment: int  # bytes of the sender's shared-memory segment; 0: none


def judge_segment(size: int) -> Finding:
    """Judge the shared-memory segment that is really in force."""
    name, expected = 'DDS segment', f'at least {_ROOMY * FRAME_BYTES / 1e6:.0f} MB'
    if size == 0:
        return Finding(
            name, Level.FAIL, 'no shared memory, frames go through sockets', expected, _PROFILE
        )
    value = f'{size / 1e6:.1f} MB = {size / FRAME_BYTES:.1f} frames of 640x480'
    if size < FRAME_BYTES:
        return Finding(name, Level.FAIL, value, expected, _PROFILE)
    if size < _ROOMY * FRAME_BYTES:
        return Finding(name, Level.WARN, value, expected, f'raise segment_size: {_PROFILE}')
    return Finding(name, Level.OK, value, expected)


def judge_loss(count: FrameCount) -> Finding:
    """Judge how many frames were lost between two processes."""
    name, expected = 'frame loss', f'0 of {FRAMES} frames of 640x480 at {RATE:g} Hz'
    lost = count.sent - count.received
    value = f'{lost} of {count.sent} lost'
    if count.sent < FRAMES:
        remedy = 'two processes do not find each other: look at the DDS profile and the loopback'
        return Finding(name, Level.FAIL, f'only {count.sent} could be sent', expected, remedy)
    if lost == 0:
        return Finding(name, Level.OK, value, expected)
    if lost <= _LOSS_LIMIT * count.sent:
        return Finding(name, Level.WARN, value, expected, 'the machine is busy: end other work')
    return Finding(name, Level.FAIL, value, expected, _PROFILE)


def send_frames(domain: int, environment: Mapping[str, str]) -> FrameCount:
    """Send frames from a process with this environment to this one; count what arrives."""
    bystander = Bystander('doctor', domain)
    numbers: set[int] = set()
    bystander.node.create_subscription(
        Image, TOPIC, lambda frame: numbers.add(int(frame.header.frame_id)), FRAME_QOS
    )
    sender = subprocess.Popen(
        [sys.executable, '-m', 'chef_cell.doctor.frames'],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**environment, 'ROS_DOMAIN_ID': str(domain)},
        text=True,
    )
    try:
        end = time.monotonic() + PATIENCE
        while FRAMES - 1 not in numbers and sender.poll() is None and time.monotonic() < end:
            before = len(numbers)
            bystander.spin_once(0.1)
            if not before and numbers:
                end = time.monotonic() + FRAMES / RATE + _GRACE
        printed, _ = sender.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        printed = ''  # a machine without time to start a process: nothing could be sent
    finally:
        sender.kill()
        sender.wait()
        bystander.close()
    return read_count(printed, len(numbers))


def read_count(printed: str, arrived: int) -> FrameCount:
    """Read what the sender printed: its last line, for Fast DDS prints its own troubles there."""
    lines = printed.splitlines() or ['{"sent": 0, "segment": 0}']
    said = json.loads(lines[-1])
    return FrameCount(said['sent'], arrived, said['segment'])
