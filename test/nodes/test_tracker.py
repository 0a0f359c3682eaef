"""The tracker node over real DDS: rendered images in, poses and complaints out."""

import pytest
from diagnostic_msgs.msg import DiagnosticArray
from sensor_msgs.msg import Image

from chef_cell.calibration import file
from chef_cell.core.readings import COLOURS, ImageReading
from chef_cell.nodes import messages, ros
from chef_cell.sim.basket import CAMERAS
from chef_cell.sim.calibration import calibrations
from chef_cell.sim.cell import SimCell
from chef_cell.testing.bridge_probe import BridgeProbe
from chef_interfaces.msg import EpisodeState, TrackedObjects

SIZE = 128
TOLERANCE = 0.003  # m; a pixel is 3 mm
REAL_TIME = {'cameras': f'[{", ".join(CAMERAS)}]', 'missing_after': 0.3}


@pytest.fixture(scope='module')
def cell():
    made = SimCell('3')
    yield made
    made.close()


class Eyes:
    """A tracker node and the cameras it looks through."""

    def __init__(self, graph, cell, **parameters):
        self.graph, self.cell = graph, cell
        self.cameras = {
            name: graph.publisher(
                Image, f'camera/{name}/device/image_raw', ros.SENSOR_PUBLISHER_QOS
            )
            for name in CAMERAS
        }
        self.episodes = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
        self.objects = graph.collect(TrackedObjects, 'objects')
        self.diagnostics = graph.collect(DiagnosticArray, '/diagnostics')
        self.node = graph.start('tracker', {'triplet': "'3'", **REAL_TIME, **parameters})
        graph.wait_for(graph.connected, 'the tracker')

        self.open = ()  # cameras that see
        graph.every(0.05, self.show)

    def show(self):
        """Publish what the cameras see."""
        stamp = self.graph.probe.get_clock().now().to_msg()
        for name in self.open:
            reading = ImageReading(0.0, self.cell.render(name, SIZE, SIZE))
            self.cameras[name].publish(messages.image_to_message(reading, stamp, name))

    def show_until(self, condition, what, cameras=CAMERAS):
        """Publish images at 20 Hz until the condition holds of the newest message."""
        self.objects.forget()
        self.open = cameras
        self.graph.wait_for(lambda: self.objects and condition(self.objects[-1]), what)
        self.open = ()

    def complaint(self, part):
        """What /diagnostics said last of a part; empty if it never spoke."""
        said = [
            status.message
            for array in self.diagnostics
            for status in array.status
            if status.name == f'tracker: {part}'
        ]
        return said[-1] if said else ''

    def hear(self, part, text):
        """Wait until /diagnostics says this of a part."""
        self.graph.wait_for(lambda: self.complaint(part) == text, f'{text} of {part}')


def valid(message):
    return all(item.valid for item in message.objects)


def assert_right(cell, message):
    truth = cell.tracker.read()
    reading = messages.objects_from_message(message)
    for colour in COLOURS:
        error = abs(reading.poses[colour][:3] - truth.poses[colour][:3]).max()
        assert error < TOLERANCE, (colour, error)


def test_objects_are_seen_and_what_is_lost_is_told(graph, cell, tmp_path):
    """Through the calibration file of a real cell."""
    cell.reset(3)
    path = tmp_path / 'cameras.yaml'
    file.save(path, calibrations(SIZE, SIZE))
    eyes = Eyes(graph, cell, calibration=str(path))
    eyes.show_until(valid, 'valid poses')
    assert_right(cell, eyes.objects[-1])
    assert eyes.objects[-1].header.frame_id == 'base'
    for item in eyes.objects[-1].objects:
        assert item.stamp == eyes.objects[-1].header.stamp
        assert item.pose.covariance[0] > 0.0

    eyes.show_until(
        lambda message: not valid(message) and eyes.complaint(CAMERAS[1]) == 'no images',
        'a complaint',
        cameras=CAMERAS[:1],
    )
    last = eyes.objects[-1]
    assert_right(cell, last)  # the last poses known
    assert all(
        ros.nanoseconds(item.stamp) < ros.nanoseconds(last.header.stamp) for item in last.objects
    )

    eyes.show_until(valid, 'valid poses again')
    eyes.objects.forget()
    graph.wait_for(lambda: eyes.objects and not valid(eyes.objects[-1]), 'word without images')
    eyes.hear('green', 'no images')


def test_images_that_fit_no_calibration_are_named(graph, cell):
    cell.reset(3)
    eyes = Eyes(graph, cell)
    eyes.show_until(lambda message: not valid(message), 'poses that are not valid')
    eyes.hear(CAMERAS[0], 'not calibrated: chef calibrate cameras')
    assert eyes.node.alive


def test_an_episode_names_the_objects(graph, cell):
    cell.reset(3)
    eyes = Eyes(graph, cell, calibration='simulated', triplet="'1'")
    eyes.episodes.publish(EpisodeState(triplet='3'))
    eyes.show_until(valid, 'valid poses')
    assert_right(cell, eyes.objects[-1])
    eyes.episodes.publish(EpisodeState(triplet='no such'))
    graph.wait_for(lambda: 'no such' in eyes.node.output(), 'its refusal')
    eyes.show_until(valid, 'valid poses')


def test_in_lockstep_the_bridge_is_tracked_instant_by_instant(graph):
    graph.start(
        'tracker', {'lockstep': True, 'calibration': 'simulated', 'cameras': REAL_TIME['cameras']}
    )
    truth = graph.collect(TrackedObjects, 'sim/objects')
    bridge = BridgeProbe(
        graph, lockstep=True, cameras=REAL_TIME['cameras'], objects_topic='sim/objects'
    )
    stamp = bridge.reset(5, 'a').stamp
    bridge.episode.publish(
        EpisodeState(phase=EpisodeState.RUNNING, episode_id='a', max_steps=400, triplet='1')
    )
    graph.wait_for(lambda: bridge.objects, 'tracked poses')
    graph.wait_for(lambda: truth, 'true poses')
    tracked, true = bridge.objects[-1], truth[-1]
    assert tracked.header.stamp == true.header.stamp == stamp
    assert valid(tracked)
    seen, exact = map(messages.objects_from_message, (tracked, true))
    for colour in COLOURS:
        assert abs(seen.poses[colour][:3] - exact.poses[colour][:3]).max() < TOLERANCE
