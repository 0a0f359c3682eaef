"""Where the image of every control step lies in an episode file."""

import dataclasses
from typing import Any

import numpy as np

from chef_trainer.episodes.errors import EpisodeFileError
from chef_trainer.episodes.images import ENCODINGS
from chef_trainer.episodes.reader import EpisodeReader

RAW = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
#: Name of a camera <- topic patterns, the raw one first.
PATTERNS = ('camera/*/image_raw', 'camera/*/image_raw/compressed')


@dataclasses.dataclass(frozen=True)
class Camera:
    """How the images of one camera are stored; the same for all of an episode."""

    name: str
    encoding: str  # 'rgb8', 'bgr8', 'mono8', or 'jpeg'
    shape: tuple[int, int, int]  # height, width, channels; (0, 0, 0) for jpeg: it says itself

    @classmethod
    def from_dict(cls, fields: dict[str, Any]) -> 'Camera':
        """Return what `dataclasses.asdict` and JSON made of it."""
        return cls(fields['name'], fields['encoding'], tuple(fields['shape']))


@dataclasses.dataclass(frozen=True)
class Images:
    """All images of one camera in an episode file, in order of their stamps."""

    camera: Camera
    stamps: np.ndarray  # ns, (n,)
    places: np.ndarray  # offset of the pixels in the file and their number of bytes, (n, 2) int64


def read_cameras(reader: EpisodeReader) -> tuple[Images, ...]:
    """Return the cameras that were recorded, by name; one without images is left out.

    Raises:
        EpisodeFileError: a topic is not an image, changes its format, or cannot be decoded.
    """
    found: dict[str, Images] = {}
    for pattern in PATTERNS:
        for topic in reader.find(pattern):
            name = topic.split('/camera/')[-1].split('/')[0]
            if name not in found and reader.topics[topic].count:
                found[name] = _read(reader, topic, name)
    return tuple(found[name] for name in sorted(found))


def _read(reader: EpisodeReader, topic: str, name: str) -> Images:
    type_name = reader.topics[topic].type_name
    if type_name not in (RAW, COMPRESSED):
        problem = f'is of type {type_name}, expected {RAW} or {COMPRESSED}'
        raise EpisodeFileError(reader.path, topic, problem, 'record the images themselves')
    frames = reader.places(topic, 'data', ('header.stamp', *_FORMAT[type_name]))
    formats = set(zip(*(frames[field] for field in _FORMAT[type_name]), strict=True))
    if len(formats) > 1:
        problem = f'changes its format within the episode: {sorted(formats)}'
        raise EpisodeFileError(reader.path, topic, problem, 'record with one camera setting')
    camera = _camera(reader, topic, name, formats.pop())
    size = int(np.prod(camera.shape))
    if size and (frames['data'][:, 1] != size).any():
        problem = f'has {frames["data"][0, 1]} bytes for {camera.shape} {camera.encoding}'
        raise EpisodeFileError(reader.path, topic, problem, 'record images without padding')
    order = np.argsort(frames['header.stamp'], kind='stable')
    return Images(camera, frames['header.stamp'][order], frames['data'][order])


_FORMAT = {RAW: ('encoding', 'height', 'width'), COMPRESSED: ('format',)}


def _camera(reader: EpisodeReader, topic: str, name: str, form: tuple[Any, ...]) -> Camera:
    if len(form) == 1:
        if 'jpeg' not in form[0] and 'jpg' not in form[0]:
            problem = f'format {form[0]!r}, allowed: jpeg'
            raise EpisodeFileError(reader.path, topic, problem, 'record raw images or JPEG')
        return Camera(name, 'jpeg', (0, 0, 0))
    encoding, height, width = form
    if encoding not in ENCODINGS:
        problem = f'encoding {encoding!r}, allowed: {list(ENCODINGS)}'
        raise EpisodeFileError(reader.path, topic, problem, 'set the camera to rgb8')
    return Camera(name, str(encoding), (int(height), int(width), ENCODINGS[encoding][0]))
