"""The cameras in a browser: over HTTP, from real image messages."""

import io
import re
import urllib.error
import urllib.request

import numpy as np
import pytest
from PIL import Image as Picture
from sensor_msgs.msg import Image

from chef_cell.core.readings import ImageReading
from chef_cell.nodes import messages, ros
from chef_cell.nodes.live_view import LiveView
from chef_cell.testing.ros_harness import Graph

DEADLINE = 20.0


def open_url(url):
    return urllib.request.build_opener(urllib.request.ProxyHandler({})).open(url, timeout=DEADLINE)


def next_image(stream):
    """Read one part of a motion JPEG stream."""
    size = 0
    while not size:
        found = re.match(rb'Content-Length: (\d+)', stream.readline())
        size = int(found[1]) if found else 0
    stream.readline()
    return np.asarray(Picture.open(io.BytesIO(stream.read(size)))).astype(int)


@pytest.fixture
def view():
    view = LiveView(0, ('left', 'right'))
    yield view
    view.close()


def test_the_page_shows_every_camera(view):
    with open_url(f'http://127.0.0.1:{view.port}/') as answer:
        page = answer.read().decode()

    assert 'src="/left.mjpg"' in page
    assert 'src="/right.mjpg"' in page
    with pytest.raises(urllib.error.HTTPError, match='404') as error:
        open_url(f'http://127.0.0.1:{view.port}/ceiling.mjpg')
    error.value.close()


def test_a_stream_goes_on_with_the_newest_image(view):
    view.show('left', np.full((8, 8, 3), 10, np.uint8))
    with open_url(f'http://127.0.0.1:{view.port}/left.mjpg') as stream:
        assert abs(next_image(stream).mean() - 10) < 2
        view.show('right', np.full((8, 8, 3), 90, np.uint8))
        view.show('left', np.full((8, 8, 3), 200, np.uint8))
        assert abs(next_image(stream).mean() - 200) < 2


def test_closing_ends_a_stream_that_waits(view):
    view.show('left', np.zeros((8, 8, 3), np.uint8))
    with open_url(f'http://127.0.0.1:{view.port}/left.mjpg') as stream:
        next_image(stream)
        view.close()
        assert stream.read() == b'\r\n'


def test_images_of_the_cell_reach_the_browser():
    with Graph.open() as graph:
        node = graph.start('viewer', {'cameras': '[front]', 'port': 0})
        images = graph.publisher(Image, 'camera/front/image_raw', ros.SENSOR_PUBLISHER_QOS)
        graph.wait_for(lambda: 'http://' in node.output(), 'the address')
        graph.wait_for(graph.connected, 'discovery')
        address = re.search(r'http://127.0.0.1:\d+/', node.output())[0]
        reading = ImageReading(0.0, np.full((16, 16, 3), (200, 30, 90), np.uint8))
        message = messages.image_to_message(reading, ros.to_stamp(1), 'front')
        for _ in range(10):  # nobody sends again what a best-effort subscriber has missed
            images.publish(message)
            graph.spin_for(0.05)
        with open_url(f'{address}front.mjpg') as stream:
            shown = next_image(stream)

        assert shown.shape == (16, 16, 3)
        assert np.abs(shown.mean((0, 1)) - (200, 30, 90)).max() < 6


def test_a_port_in_use_is_said(view):
    with Graph.open() as graph:
        node = graph.start('viewer', {'port': view.port})
        graph.wait_for(lambda: not node.alive, 'the end of the node')

        assert node.process.returncode == 1
        assert 'Address already in use' in node.output()
