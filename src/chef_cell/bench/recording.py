"""What does it cost to record a whole cell, and is anything lost?

    python -m chef_cell.bench.recording [--seconds 60] [--directory DIR]

The real recorder, in a process of its own, records in real time what this process publishes:
three cameras of 640x480 at 60 Hz, and the state of the cell at its rates. Before and after, the
disk alone is timed on a file of the same kind. Beside that stand 110 to 120 MB/s, beyond which
users of rosbag2 saw frames go missing on a disk of 620 MB/s
(https://github.com/ros2/rosbag2/issues/1787).
"""

import argparse
import dataclasses
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator

import numpy as np
import rclpy
from geometry_msgs.msg import WrenchStamped
from rclpy.executors import SingleThreadedExecutor
from rclpy.node import Node
from rclpy.publisher import Publisher
from rclpy.serialization import serialize_message
from rich.console import Console
from rich.progress import track
from rich.table import Table
from sensor_msgs.msg import JointState

from chef_cell.cli.domain import reserved_domain
from chef_cell.cli.paths import config_folder
from chef_cell.cli.session import cell_environment
from chef_cell.core.readings import ImageReading
from chef_cell.nodes import messages, ros
from chef_interfaces.msg import (
    ControllerState,
    EpisodeState,
    GripperCommand,
    GripperState,
    RecorderState,
    SafetyState,
    TaskCommand,
    TrackedObjects,
)
from chef_trainer.episodes import EpisodeReader
from chef_trainer.episodes.writer import CHUNK_BYTES
from intera_core_msgs.msg import JointCommand

NAMESPACE = '/bench'
EPISODE = 'bench'
CAMERAS = 3
IMAGE_SHAPE = (480, 640, 3)
CAMERA_RATE = 60.0  # Hz
#: How long things that take seconds may take (s).
PATIENCE = 60.0
#: What users of rosbag2 report, see above (MB/s).
ROSBAG2_LIMIT = '110-120'
#: State topics: message, name, rate (Hz).
STATE = (
    (JointState, '/robot/joint_states', 100.0),
    (JointCommand, '/robot/limb/right/joint_command', 100.0),
    (WrenchStamped, 'wrist/wrench', 100.0),
    (SafetyState, 'safety', 100.0),
    (TaskCommand, 'command', 20.0),
    (ControllerState, 'controller/state', 20.0),
    (GripperCommand, 'gripper/command', 20.0),
    (GripperState, 'gripper/state', 20.0),
    (TrackedObjects, 'objects', 20.0),
)


@dataclasses.dataclass
class Source:
    """One topic: a message that is published again and again with a new stamp."""

    publisher: Publisher
    data: bytearray
    period: float  # s
    due: float = 0.0  # s, on the clock of time.monotonic
    published: int = 0

    def publish(self) -> None:
        """Publish, stamped with now."""
        stamp = ros.to_stamp(time.time_ns())
        struct.pack_into('<iI', self.data, 4, stamp.sec, stamp.nanosec)  # the header comes first
        self.publisher.publish(bytes(self.data))
        self.published += 1
        self.due += self.period


@dataclasses.dataclass(frozen=True)
class Result:
    """What one run gave."""

    seconds: float  # s, of recording
    megabytes: float  # of messages in the file
    cpu_share: float  # of one core, taken by the recorder
    wire_ms: np.ndarray  # ages of the frames when the middleware had them, ms
    write_ms: dict[str, float]  # from there into the file: p50, p99, max, ms
    queued_mb: float  # largest queue to the disk that was reported, once a second
    published: int  # messages
    recorded: int  # messages
    latest_ms: float  # how late the publisher was at most, ms
    error: str  # what the recorder says is wrong


class Bench:
    """The publisher, and what the recorder says."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._executor = SingleThreadedExecutor()
        self._executor.add_node(node)
        self._episodes = node.create_publisher(EpisodeState, 'episode', ros.STATE_QOS)
        self.state = RecorderState()
        self.queued_mb = 0.0
        node.create_subscription(RecorderState, 'recorder', self._on_state, ros.STATE_QOS)
        self.sources = tuple(self._sources())
        self.latest = 0.0  # s

    def wait_for_recorder(self) -> None:
        """Wait until every topic is heard."""
        self._until(
            lambda: (
                all(s.publisher.get_subscription_count() for s in self.sources)
                and self._episodes.get_subscription_count() > 0
            )
        )

    def begin(self) -> None:
        """Begin an episode, and wait until it is recorded."""
        now = ros.to_stamp(time.time_ns())
        self._announce(EpisodeState(phase=EpisodeState.RUNNING, start=now))
        self._until(lambda: self.state.recording)

    def run(self, seconds: float) -> None:
        """Publish for so long."""
        begin = time.monotonic()
        for source in self.sources:
            source.due = begin
        for second in track(range(1, round(seconds) + 1), 'recording', transient=True):
            while (now := time.monotonic()) < begin + second:
                source = min(self.sources, key=lambda source: source.due)
                if source.due > now:
                    self._executor.spin_once(timeout_sec=0.0)
                    time.sleep(max(source.due - time.monotonic(), 0.0))
                self.latest = max(self.latest, time.monotonic() - source.due)
                source.publish()

    def end(self) -> pathlib.Path:
        """End the episode; return its file."""
        now = ros.to_stamp(time.time_ns())
        self._announce(EpisodeState(phase=EpisodeState.ENDED, end=now, outcome='timeout'))
        self._until(lambda: not self.state.recording)
        return pathlib.Path(self.state.path)

    def _announce(self, state: EpisodeState) -> None:
        state.session_id, state.episode_id = 'session', EPISODE
        self._episodes.publish(state)

    def _on_state(self, state: RecorderState) -> None:
        self.state = state
        self.queued_mb = max(self.queued_mb, state.queued_mb)

    def _sources(self) -> Iterator[Source]:
        pixels = np.random.default_rng(0).integers(0, 256, IMAGE_SHAPE, np.uint8)
        image = messages.image_to_message(ImageReading(0.0, pixels), ros.to_stamp(0), 'camera')
        cameras = [(image, f'camera/camera_{i}/image_raw', CAMERA_RATE) for i in range(CAMERAS)]
        state = [(kind(), topic, rate) for kind, topic, rate in STATE]
        for message, topic, rate in (*cameras, *state):
            publisher = self._node.create_publisher(type(message), topic, ros.SENSOR_PUBLISHER_QOS)
            yield Source(publisher, bytearray(serialize_message(message)), 1.0 / rate)

    def _until(self, condition: Callable[[], bool]) -> None:
        end = time.monotonic() + PATIENCE
        while not condition():
            if time.monotonic() > end:
                raise TimeoutError(f'the recorder does not answer for {PATIENCE:g} s')
            self._executor.spin_once(timeout_sec=0.01)


def disk_speed(directory: pathlib.Path, megabytes: float) -> float:
    """Return what the disk takes in one file of chunks, forced to it at the end (MB/s)."""
    block = np.random.default_rng(0).bytes(CHUNK_BYTES)
    count = max(round(megabytes * 1e6 / len(block)), 1)
    with tempfile.NamedTemporaryFile(dir=directory, buffering=0) as stream:
        begin = time.perf_counter()
        for _ in range(count):
            stream.write(block)
        os.fdatasync(stream.fileno())
        return count * len(block) * 1e-6 / (time.perf_counter() - begin)


def cpu_seconds(pid: int) -> float:
    """Return the processor time that a process has taken (s)."""
    fields = pathlib.Path(f'/proc/{pid}/stat').read_text().rpartition(')')[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf('SC_CLK_TCK')


def measure(directory: pathlib.Path, seconds: float) -> Result:
    """Record for so long, in a graph of its own; returns what came out."""
    command = [
        sys.executable, '-m', 'chef_cell.nodes.recorder', '--ros-args', '-r', f'__ns:={NAMESPACE}',
        '-p', f'directory:={directory}', '--log-level', 'error',
    ]  # fmt: skip
    rclpy.init()
    node = rclpy.create_node('bench', namespace=NAMESPACE)
    recorder = subprocess.Popen(command)
    try:
        bench = Bench(node)
        names = [source.publisher.topic_name for source in bench.sources]
        bench.wait_for_recorder()
        bench.begin()
        before = cpu_seconds(recorder.pid)
        bench.run(seconds)
        share = (cpu_seconds(recorder.pid) - before) / seconds
        reader = EpisodeReader(bench.end())
    finally:
        recorder.terminate()
        recorder.wait(PATIENCE)
        node.destroy_node()
        rclpy.shutdown()
    frames = [reader.index(topic) for topic in reader.find('camera/*/image_raw')]
    ages = np.concatenate([frame.log_time - frame.publish_time for frame in frames]) * 1e-6
    return Result(
        seconds=seconds,
        megabytes=bench.state.bytes * 1e-6,
        cpu_share=share,
        wire_ms=ages,
        write_ms=reader.metadata['write_delay_ms'],
        queued_mb=bench.queued_mb,
        published=sum(source.published for source in bench.sources),
        recorded=sum(reader.topics[name].count for name in names),
        latest_ms=bench.latest * 1e3,
        error=bench.state.error,
    )


def tabulate(result: Result, disk: tuple[float, float]) -> Table:
    """Return the table; `disk` is its speed before and after (MB/s)."""
    table = Table(title=f'{CAMERAS} cameras 640x480 at {CAMERA_RATE:g} Hz and all state')
    table.add_column('what')
    table.add_column('measured', justify='right')
    lost = result.published - result.recorded
    write = result.write_ms
    rows = {
        'recorded': f'{result.megabytes / result.seconds:.0f} MB/s for {result.seconds:g} s',
        'lost': f'{lost} of {result.published} messages',
        'processor time of the recorder': f'{result.cpu_share:.0%} of a core',
        'age of frames on arrival, p50 / p99 / max': ' / '.join(
            f'{np.quantile(result.wire_ms, q):.1f}' for q in (0.5, 0.99, 1.0)
        )
        + ' ms',
        'from arrival into the file, p50 / p99 / max': f'{write["p50"]:.1f} / {write["p99"]:.1f}'
        f' / {write["max"]:.1f} ms',
        'longest queue to the disk': f'{result.queued_mb:.0f} MB',
        'publisher at most late by': f'{result.latest_ms:.1f} ms',
        'this disk alone, before and after': f'{disk[0]:.0f}, {disk[1]:.0f} MB/s',
        'limit reported for rosbag2': f'{ROSBAG2_LIMIT} MB/s',
    }
    for what, measured in rows.items():
        table.add_row(what, measured)
    return table


def main() -> int:
    """Run the bench; returns the exit code: 1 when messages were lost."""
    parser = argparse.ArgumentParser(description=__doc__.partition('\n')[0])
    parser.add_argument('--seconds', type=float, default=60.0, help='of recording, 170 MB each')
    parser.add_argument(
        '--directory', type=pathlib.Path, default=pathlib.Path(), help='on the disk to measure'
    )
    parser.add_argument('--disk-mb', type=float, default=2000.0, help='to time the disk alone')
    arguments = parser.parse_args()
    with (
        reserved_domain() as domain,
        tempfile.TemporaryDirectory(dir=arguments.directory, prefix='bench_') as folder,
    ):
        os.environ.update(cell_environment(config_folder(), domain))
        directory = pathlib.Path(folder)
        before = disk_speed(directory, arguments.disk_mb)
        result = measure(directory, arguments.seconds)
        disk = before, disk_speed(directory, arguments.disk_mb)
    Console(width=None if sys.stdout.isatty() else 120).print(tabulate(result, disk))
    if result.error:
        print(f'the recorder says: {result.error}', file=sys.stderr)
    if min(disk) < result.megabytes / result.seconds:
        print('this disk alone takes less than is to be recorded', file=sys.stderr)
    return int(bool(result.error) or result.recorded < result.published)


if __name__ == '__main__':
    sys.exit(main())
