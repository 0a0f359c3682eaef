"""Record one file per episode, straight from the wire: nothing is decoded or encoded again."""

import struct
import sys
from pathlib import Path

from rclpy.serialization import deserialize_message
from std_msgs.msg import String

from chef_cell.core.recording import EpisodeLog, Sample
from chef_cell.core.topic_rules import TopicRule
from chef_cell.nodes import ros
from chef_cell.nodes.definitions import type_hash
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.recorder_services import RecorderServices
from chef_cell.nodes.recorder_settings import RecorderSettings
from chef_cell.nodes.recordings import Recordings
from chef_cell.nodes.topic_watch import Received, Stream, TopicWatch
from chef_interfaces.msg import EpisodeState, RecorderState
from chef_trainer.episodes import recover_all

EPISODE_TYPE = 'chef_interfaces/msg/EpisodeState'
TAKE_PERIOD = 0.01  # s, between emptying the subscriptions
REPORT_PERIOD = 1.0  # s


class Recorder(ros.ManagedNode):
    """Records what the session says is an episode, from all topics that its settings name."""

    images = True

    def __init__(self) -> None:
        super().__init__('recorder')
        self._watch: TopicWatch | None = None
        self._state = RecorderState()

    def setup(self) -> None:
        """Save what a crash left; listen to the episode, then to whatever appears."""
        settings = ros.declare_settings(self, RecorderSettings)
        for line in recover_all(Path(settings.directory)):
            self.get_logger().warning(line)
        self._publisher = self.create_publisher(RecorderState, 'recorder', ros.STATE_QOS)
        self._recordings = Recordings(self, settings, self._spec, self._report)
        self._stamped: dict[str, bool] = {}
        self._spec_topic = self.resolve_topic_name('policy/spec')
        self._episode_topic = self.resolve_topic_name('episode')
        self._watch = TopicWatch(self, settings.rules, self._on_stream)
        self._watch.subscribe(
            self._episode_topic, EPISODE_TYPE, ros.STATE_QOS, type_hash(EPISODE_TYPE),
            TopicRule(self._episode_topic),
        )  # fmt: skip
        RecorderServices(self, self._recordings)
        ros.every(self, TAKE_PERIOD, self._take)
        ros.every(self, REPORT_PERIOD, self._report)
        self._report()

    def call_roll(self) -> ros.RollCall:
        """Subscribe to all that the peers publish before they count this node as connected."""
        assert self._watch
        return ros.RollCall(self, self._watch.look)

    def pause(self) -> None:
        """Finish the file of a running episode."""
        self._recordings.stop()

    def diagnose(self) -> dict[str, Health]:
        """Return how the recording is; what it cannot write stops the session."""
        return {'recording': Health.of(self._state, self._state.error, stops=True)}

    def teardown(self) -> None:
        """Stop listening."""
        if self._watch:
            self._watch.close()
            self._watch = None

    def _on_stream(self, stream: Stream) -> None:
        self._stamped[stream.channel.topic] = stream.channel.stamped
        self._recordings.add_stream(stream)

    def _take(self) -> None:
        assert self._watch
        for message in self._watch.take():
            self._on_message(self._watch, message)
        self._recordings.look()

    def _on_message(self, watch: TopicWatch, message: Received) -> None:
        topic, data, stamp = message.topic, message.data, None
        if self._stamped[topic]:
            # A header comes first in the message, and its stamp first in the header.
            seconds, nanoseconds = struct.unpack_from('<iI', data, 4)
            stamp = seconds * 1_000_000_000 + nanoseconds
        self._recordings.take(Sample(topic, message.arrival_ns, stamp, data), message.number)
        if topic == self._episode_topic and self.active:
            state = deserialize_message(data, EpisodeState)
            if state.phase == EpisodeState.RESETTING:
                watch.look()
            self._recordings.on_episode(state)

    def _spec(self, log: EpisodeLog) -> str:
        data = log.state(self._spec_topic)
        return deserialize_message(data, String).data if data else ''

    def _report(self) -> None:
        self._state = self._recordings.report()
        self._state.header.stamp = self.get_clock().now().to_msg()
        self._publisher.publish(self._state)


def main() -> int:
    """Run the recorder."""
    return ros.run(Recorder)


if __name__ == '__main__':
    sys.exit(main())
