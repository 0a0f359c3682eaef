"""Lines that describe cameras: what they say, and what is refused."""

import pytest

from chef_cell.core.camera_settings import CameraDevice, CameraSettingsError, parse_device


def test_a_line_says_where_the_camera_is_and_how_it_is_set():
    assert parse_device('front v4l2:/dev/video0') == CameraDevice('front', 'v4l2', '/dev/video0')
    line = (
        'front basler:21876543 rate=40 exposure=0.008 gain=3 white_balance=1.4,1,1.9 '
        'format=BayerRG8 binning=2 size=960x600 offset=0x8 packet_size=8192 packet_delay=300'
    )
    assert parse_device(line) == CameraDevice(
        'front', 'basler', '21876543', 40.0, 0.008, 3.0, (1.4, 1.0, 1.9), 'BayerRG8', 2,
        (960, 600), (0, 8), 8192, 300,
    )  # fmt: skip


def test_an_address_may_hold_colons():
    assert parse_device('a file:rtsp://host:554/x').address == 'rtsp://host:554/x'


@pytest.mark.parametrize(
    ('line', 'words'),
    [
        ('', 'expected NAME KIND:ADDRESS'),
        ('front', 'kind of basler, v4l2, file, topic'),
        ('front basler:', 'expected NAME KIND:ADDRESS'),
        ('front kinect:1', 'kinect:1, expected'),
        ('front basler:1 zoom=2', "option 'zoom', allowed: rate, exposure"),
        ('front v4l2:0 binning=2', "v4l2 has no option 'binning', allowed: rate"),
        ('front topic:/a rate=5', "topic has no option 'rate', allowed: none"),
        ('front basler:1 rate=fast', "rate='fast' is malformed"),
        ('front basler:1 rate=0', r'rate 0.0, allowed: 0.01 to 1000 Hz'),
        ('front basler:1 exposure=nan', 'malformed'),
        ('front basler:1 exposure=11', 'exposure 11.0, allowed: 0 to 10 s'),
        ('front basler:1 white_balance=1,2', 'allowed: three positive ratios'),
        ('front v4l2:0 white_balance=1,2,3', 'allowed: one temperature in K'),
        ('front basler:1 size=0x600', 'allowed: WIDTHxHEIGHT'),
        ('front basler:1 size=960', 'malformed'),
        ('front basler:1 offset=-1x0', 'malformed'),
        ('front basler:1 binning=5', 'binning 5, allowed: 1 to 4'),
        ('front basler:1 packet_size=100', 'packet_size 100, allowed: 220'),
    ],
)
def test_lines_that_make_no_sense_are_refused(line, words):
    with pytest.raises(CameraSettingsError, match=words):
        parse_device(line)
