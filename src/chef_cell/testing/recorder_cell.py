"""A recorder on a real graph, and all that it listens to, for tests."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from geometry_msgs.msg import WrenchStamped
from rclpy.publisher import Publisher
from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from chef_cell.core.readings import ImageReading, WrenchReading
from chef_cell.nodes import messages, ros
from chef_cell.testing.ros_harness import Graph, Inbox, NodeProcess
from chef_interfaces.msg import EpisodeState, RecorderState, SafetyState

TICK_NS = 10_000_000
CAMERA = 'camera/front/image_raw'
#: Tests publish an episode at once, which no cell does.
BURST_QOS = QoSProfile(depth=1000, reliability=ReliabilityPolicy.RELIABLE)


class RecorderCell:
    """A recorder, and a probe that publishes everything it listens to.

    Samples come at 100 Hz of a time of their own; a frame with every fifth.
    """

    def __init__(self, graph: Graph, directory: Path, **parameters: object) -> None:
        self.graph, self.directory = graph, directory
        self.states: Inbox = graph.collect(RecorderState, 'recorder', ros.STATE_QOS)
        self.episodes = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
        self.safety = graph.publisher(SafetyState, 'safety', ros.STATE_QOS)
        self.wrench = graph.publisher(WrenchStamped, 'wrist/wrench', BURST_QOS)
        self.camera = graph.publisher(Image, CAMERA, BURST_QOS)
        self.device = graph.publisher(Image, 'camera/front/device/image_raw')
        self.parameters = {'lockstep': True, 'directory': directory, **parameters}
        self.node = self.start()

    def start(self) -> NodeProcess:
        """Start a recorder, in place of one that has ended."""
        self.states.forget()
        node = self.graph.start('recorder', self.parameters)
        heard = (self.episodes, self.safety, self.wrench, self.camera)
        self.graph.wait_for(
            lambda: bool(self.states) and all(map(is_heard, heard)),
            'subscriptions of the recorder',
        )
        return node

    def announce(self, phase: int, episode: str, **fields: Any) -> None:
        """Say what the session says of an episode."""
        self.episodes.publish(
            EpisodeState(
                phase=phase, session_id='session', episode_id=episode, triplet='3', **fields
            )
        )

    def run(self, episode: str, start_ns: int = 0) -> None:
        """Begin an episode, and wait until it is recorded."""
        self.announce(EpisodeState.RUNNING, episode, start=ros.to_stamp(start_ns))
        self.wait(lambda state: state.recording and state.episode_id == episode)

    def end(self, episode: str, end_ns: int) -> RecorderState:
        """End an episode, and wait until its file is finished."""
        self.announce(
            EpisodeState.ENDED,
            episode,
            outcome='force',
            reason='20.5 N',
            end=ros.to_stamp(end_ns),
            reward_names=['lift'],
            final_rewards=[0.25],
            return_rewards=[3.5],
        )
        return self.wait(lambda state: not state.recording and state.episode_id == episode)

    def sense(self, first: int, last: int) -> None:
        """Publish samples of the ticks first .. last - 1; an image every fifth."""
        for tick in range(first, last):
            stamp = ros.to_stamp(tick * TICK_NS)
            reading = WrenchReading(0.0, np.full(3, float(tick)), np.zeros(3))
            self.wrench.publish(messages.wrench_to_message(reading, stamp, 'tool'))
            if tick % 5 == 0:
                image = ImageReading(0.0, np.full((128, 128, 3), tick % 256, np.uint8))
                self.camera.publish(messages.image_to_message(image, stamp, 'front'))

    def wait(self, condition: Callable[[RecorderState], Any]) -> RecorderState:
        """Wait for a state of the recorder; return it."""
        self.graph.wait_for(
            lambda: self.states and condition(self.states[-1]), 'a state of the recorder'
        )
        return self.states[-1]


def as_yaml(values: dict[str, float]) -> str:
    """JSON text as one YAML string, as the command line of a node takes it."""
    return json.dumps(json.dumps(values))


def is_heard(publisher: Publisher) -> bool:
    """Whether somebody subscribes."""
    return publisher.get_subscription_count() > 0
