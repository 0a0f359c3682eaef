"""Record one file per episode, straight from the wire: nothing is decoded or encoded again."""

import struct
import sys
import time
from pathlib import Path

from rclpy.executors import SingleThreadedExecutor
from rclpy.serialization import deserialize_message

from chef_cell.core.recording import EpisodeLog, Sample, TopicKind
from chef_cell.nodes import ros
from chef_cell.nodes.definitions import type_hash
from chef_cell.nodes.recording import RecorderSettings, Recording
from chef_cell.nodes.topic_watch import TopicWatch, absolute, matches
from chef_interfaces.msg import EpisodeState, RecorderState
from chef_trainer.episodes import Channel, EpisodeFileError, recover_all

EPISODE_TYPE = 'chef_interfaces/msg/EpisodeState'
REPORT_PERIOD = 1.0  # s
POLL_PERIOD = 0.01  # s, while a file is being closed


class Recorder(ros.ManagedNode):
    """Opens a file when an episode runs, and finishes it when the episode has ended."""

    def __init__(self) -> None:
        super().__init__('recorder')

    def setup(self) -> None:
        """Save what a crash left; listen to the episode, then to whatever appears."""
        self._settings = ros.declare_settings(self, RecorderSettings)
        for line in recover_all(Path(self._settings.directory)):
            self.get_logger().warning(line)
        self._log = EpisodeLog(self._settings.lockstep)
        self._channels: list[Channel] = []
        self._stamped: dict[str, bool] = {}
        self._episode_id = ''
        self._current: Recording | None = None  # takes messages
        self._closing: Recording | None = None  # its file is being completed
        self._state = RecorderState()
        self._publisher = self.create_publisher(RecorderState, 'recorder', ros.STATE_QOS)
        self._awaited = [absolute(p, self.get_namespace()) for p in self._settings.awaited]
        self._watch = TopicWatch(self, self._settings.topics, self._on_topic, self._on_message)
        self._episode_topic = self.resolve_topic_name('episode')
        self._watch.subscribe(
            self._episode_topic, EPISODE_TYPE, ros.STATE_QOS, type_hash(EPISODE_TYPE)
        )
        self._poll_timer = ros.every(self, POLL_PERIOD, self._poll)
        self._poll_timer.cancel()
        ros.every(self, REPORT_PERIOD, self._report)
        self._report()

    def pause(self) -> None:
        """Finish the file of a running episode: what is recorded is worth keeping."""
        self._finish('the recorder was stopped')
        if self._closing:
            self._closing.join()
            self._poll()

    def _on_topic(self, channel: Channel, latched: bool) -> None:
        self._channels.append(channel)
        self._stamped[channel.topic] = channel.stamped
        awaited = not latched and matches(channel.topic, self._awaited)
        self._log.add_topic(channel.topic, TopicKind(latched, awaited))
        if self._current:
            self._current.add_channel(channel)

    def _on_message(self, topic: str, data: bytes, number: int | None) -> None:
        stamp = None
        if self._stamped[topic]:
            # A header comes first in the message, and its stamp first in the header.
            seconds, nanoseconds = struct.unpack_from('<iI', data, 4)
            stamp = seconds * 1_000_000_000 + nanoseconds
        entry = self._log.take(Sample(topic, time.time_ns(), stamp, data), number)
        if entry and self._current:
            self._current.write(entry)
        if topic == self._episode_topic and self.active:
            self._on_episode(deserialize_message(data, EpisodeState))

    def _on_episode(self, state: EpisodeState) -> None:
        if self._current and state.episode_id != self._current.episode_id:
            self._finish('its end was not announced')
        if state.phase == EpisodeState.RESETTING:
            self._log.forget_recent()
            self._watch.look()
        elif state.phase == EpisodeState.RUNNING and state.episode_id != self._episode_id:
            self._open(state)
        elif state.phase == EpisodeState.ENDED and self._current and not self._current.ended:
            self._current.end(state)
            self._poll_timer.reset()

    def _open(self, state: EpisodeState) -> None:
        self._episode_id = state.episode_id
        try:
            self._current = Recording(
                self._settings, self.get_namespace(), self._log, state, self._channels
            )
        except (OSError, EpisodeFileError) as error:
            self._state = RecorderState(episode_id=state.episode_id, error=str(error))
            self.get_logger().error(f'episode {state.episode_id} is not recorded: {error}')
        self._report()

    def _poll(self) -> None:
        if self._current and self._current.ready:
            self._finish('')
        if self._closing and self._closing.done:
            self._poll_timer.cancel()
            self._state = self._closing.report()
            self._closing = None
            if self._state.error:
                self.get_logger().error(f'{self._state.error}: the episode is cut short')
            self._report()

    def _finish(self, reason: str) -> None:
        if self._current:
            self._current.finish(reason)
            if self._closing:  # the disk is slower than the episodes are
                self._closing.join()
            self._closing, self._current = self._current, None
            self._poll_timer.reset()

    def _report(self) -> None:
        if self._current:
            self._state = self._current.report()
        self._state.header.stamp = self.get_clock().now().to_msg()
        self._publisher.publish(self._state)


def main() -> int:
    """Run the recorder."""
    # The events executor of this release fails on callbacks that ask for a message's number.
    return ros.run(Recorder, SingleThreadedExecutor)


if __name__ == '__main__':
    sys.exit(main())
