"""Publish camera frames from a process of its own; `transport` counts what arrives elsewhere."""

import array
import contextlib
import json
import os
import re
import sys
import time
from pathlib import Path

import rclpy
from rclpy.node import Node
from rclpy.qos import QoSProfile, ReliabilityPolicy
from rclpy.signals import SignalHandlerOptions
from sensor_msgs.msg import Image

TOPIC = 'doctor/frames'
WIDTH, HEIGHT = 640, 480
FRAME_BYTES = WIDTH * HEIGHT * 3
FRAMES = 60
RATE = 30.0  # Hz
#: As a camera is read in real time: what does not fit is lost.
FRAME_QOS = QoSProfile(depth=5, reliability=ReliabilityPolicy.BEST_EFFORT)
#: How long a subscriber may take to be found (s).
PATIENCE = 15.0

_LOCK = re.compile(r'(/dev/shm/(?:fastrtps|fastdds)_[0-9a-f]{16})_el')


def segment_bytes() -> int:
    """Return the size of the shared-memory segment that this process sends from; 0 for none.

    Segments of others are mapped too, but a process keeps open only the lock of its own.
    """
    sizes = [0]
    for descriptor in Path('/proc/self/fd').iterdir():
        with contextlib.suppress(OSError):
            if match := _LOCK.fullmatch(os.readlink(descriptor)):
                sizes.append(Path(match[1]).stat().st_size)
    return max(sizes)


def main() -> int:
    """Publish the frames; print how many were sent and from which segment, as JSON.

    Ends when standard input is closed, because frames still under way go with the process.
    """
    rclpy.init(signal_handler_options=SignalHandlerOptions.NO)
    node = Node('doctor_frames', start_parameter_services=False, enable_rosout=False)
    publisher = node.create_publisher(Image, TOPIC, FRAME_QOS)
    segment = segment_bytes()
    end = time.monotonic() + PATIENCE
    while not publisher.get_subscription_count() and time.monotonic() < end:
        time.sleep(0.01)
    frame = Image(width=WIDTH, height=HEIGHT, encoding='rgb8', step=3 * WIDTH)
    frame.data = array.array('B', bytes(FRAME_BYTES))
    sent, begin = 0, time.monotonic()
    while sent < FRAMES and publisher.get_subscription_count():
        frame.header.frame_id = str(sent)
        publisher.publish(frame)
        sent += 1
        time.sleep(max(0.0, begin + sent / RATE - time.monotonic()))
    sys.stdout.write(json.dumps({'sent': sent, 'segment': segment}))
    sys.stdout.flush()
    sys.stdin.read()
    node.destroy_node()
    rclpy.try_shutdown()
    return 0


if __name__ == '__main__':
    sys.exit(main())
