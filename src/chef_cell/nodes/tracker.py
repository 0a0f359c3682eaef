"""Object tracker node: from the cameras' full images to `objects`, for rewards and reset."""

import dataclasses
import sys
from functools import partial

from rclpy.qos import QoSProfile, ReliabilityPolicy
from sensor_msgs.msg import Image

from chef_cell.core.image_sets import ImageSets
from chef_cell.core.readings import COLOURS, ObjectReading
from chef_cell.nodes import messages, ros
from chef_cell.nodes.calibrated_images import CalibratedImages
from chef_cell.nodes.diagnostics import Health
from chef_cell.sim import objects
from chef_cell.tracking.refinement import RefinementSettings
from chef_cell.tracking.segmentation import ColourSettings
from chef_cell.tracking.track import JudgementSettings
from chef_cell.tracking.tracker import CameraTracker
from chef_interfaces.msg import EpisodeState, TrackedObjects


@dataclasses.dataclass(frozen=True)
class TrackerSettings:
    """Which cameras to look through, and when to give up waiting for one."""

    lockstep: bool = False
    cameras: tuple[str, ...] = ()
    calibration: str = ''  # file that `chef calibrate cameras` wrote, or 'simulated'
    triplet: str = '1'  # objects until an episode names others
    rate_hz: float = 20.0  # Hz, at most
    tolerance: float = 0.03  # s, between the images of one set
    missing_after: float = 0.2  # s behind the others, then a camera is not waited for

    def __post_init__(self) -> None:
        for name in ('rate_hz', 'tolerance', 'missing_after'):
            if not getattr(self, name) > 0.0:
                raise ValueError(f'{name} {getattr(self, name)}, must be positive')

    def image_sets(self) -> ImageSets[Image]:
        """Return what gathers the cameras' images; in lockstep none is missing or late."""
        if self.lockstep:
            return ImageSets(self.cameras, 0.0, float('inf'), 0.0)
        # Sets that come a little early count too: a camera's period varies.
        return ImageSets(self.cameras, self.tolerance, self.missing_after, 0.9 / self.rate_hz)


class TrackerNode(ros.CellNode):
    """Publishes poses, and why one is not valid in /diagnostics."""

    images = True
    images = True
    hardware = 'cameras'

    def __init__(self) -> None:
        super().__init__('tracker')
        self._settings = settings = ros.declare_settings(self, TrackerSettings)
        self._make = partial(
            CameraTracker,
            colours=ros.declare_settings(self, ColourSettings),
            refinement=ros.declare_settings(self, RefinementSettings),
            judgement=ros.declare_settings(self, JudgementSettings),
        )
        self._images = CalibratedImages(settings.calibration)
        self._triplet, self._tracker = settings.triplet, self._follow(settings.triplet)
        self._sets = settings.image_sets()
        self._silent = True
        self._objects = self.create_publisher(TrackedObjects, 'objects', ros.SENSOR_PUBLISHER_QOS)
        # In real time only the newest image is of use.
        newest = QoSProfile(depth=1, reliability=ReliabilityPolicy.BEST_EFFORT)
        for camera in settings.cameras:
            self.create_subscription(
                Image,
                f'camera/{camera}/device/image_raw',
                partial(self._on_image, camera),
                ros.sensor_qos(lockstep=True) if settings.lockstep else newest,
            )
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        if not settings.lockstep:
            ros.every(self, settings.missing_after, self._watch)

    def _follow(self, triplet: str) -> CameraTracker:
        """Return a tracker of these objects; raises UnknownObjectError."""
        ids = objects.resolve_triplet(triplet)
        shapes = dict(zip(COLOURS, map(objects.shape, ids), strict=True))
        for shape in shapes.values():
            shape.prepare()  # now, not with the first image
        return self._make(shapes)

    def _on_episode(self, episode: EpisodeState) -> None:
        if episode.triplet in ('', self._triplet):
            return
        try:
            self._tracker = self._follow(episode.triplet)
        except objects.UnknownObjectError as error:
            self.get_logger().error(f'refused: {error}', throttle_duration_sec=1.0)
        self._triplet = episode.triplet

    def _on_image(self, camera: str, message: Image) -> None:
        complete = self._sets.put(camera, ros.nanoseconds(message.header.stamp), message)
        if complete is None:
            return
        stamp_ns, found = complete
        pixels = self._images.take(found)
        searches = len(COLOURS) if self._settings.lockstep else 1
        self._publish(
            self._tracker.update(stamp_ns * 1e-9, pixels, self._images.calibrations, searches),
            stamp_ns,
        )
        self._silent = False

    def _watch(self) -> None:
        """Say that nothing is known when no images come."""
        if self._silent:
            now_ns = self.get_clock().now().nanoseconds
            self._publish(self._tracker.lose(now_ns * 1e-9, 'no images'), now_ns)
        self._silent = True

    def _publish(self, reading: ObjectReading, stamp_ns: int) -> None:
        self._objects.publish(messages.objects_to_message(reading, ros.to_stamp(stamp_ns)))

    def diagnose(self) -> dict[str, Health]:
        """Return why poses are not valid, and which cameras are of no use."""
        reading = self._tracker.read()
        lost = dict.fromkeys(self._sets.missing, 'no images') | self._images.refused
        return {
            **{
                colour: Health(problem, {'age (s)': reading.stamp - reading.stamps[colour]})
                for colour, problem in self._tracker.problems.items()
            },
            **{camera: Health(lost.get(camera, '')) for camera in self._settings.cameras},
        }


def main() -> int:
    """Run the node."""
    return ros.run(TrackerNode)


if __name__ == '__main__':
    sys.exit(main())
