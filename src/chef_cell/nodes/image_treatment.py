"""What becomes of camera messages on their way into an episode file."""

import array
import dataclasses
import io

import numpy as np
import PIL.Image
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import CameraInfo, CompressedImage, Image

from chef_cell.core.readings import ImageReading
from chef_cell.core.topic_rules import TopicRule
from chef_cell.nodes import camera_info, messages
from chef_cell.nodes.cropping import central_square
from chef_cell.nodes.definitions import definition, type_hash
from chef_trainer.episodes import Channel, Encode

IMAGE = 'sensor_msgs/msg/Image'
COMPRESSED = 'sensor_msgs/msg/CompressedImage'
INFO = 'sensor_msgs/msg/CameraInfo'
#: image_transport's name for the JPEG images of a topic.
COMPRESSED_SUFFIX = '/compressed'


def treatment(channel: Channel, rule: TopicRule) -> tuple[Channel, Encode | None]:
    """Return the topic as it enters the file, and what is done to each message.

    Raises ValueError when the rule treats images, but the topic carries something else.
    """
    if not (rule.crop or rule.jpeg):
        return channel, None
    if channel.type_name == INFO and not rule.jpeg:
        return channel, lambda data: _crop_info(data, rule.crop)
    if channel.type_name != IMAGE:
        raise ValueError(f'{channel.topic} is of type {channel.type_name}, no {IMAGE}')
    if not rule.jpeg:
        return channel, lambda data: _crop_image(data, rule.crop)
    compressed = dataclasses.replace(
        channel,
        topic=channel.topic + COMPRESSED_SUFFIX,
        type_name=COMPRESSED,
        schema=definition(COMPRESSED),
        type_hash=type_hash(COMPRESSED),
    )
    return compressed, lambda data: _compress(data, rule.crop, rule.jpeg)


def _crop_image(data: bytes, size: int) -> bytes:
    message: Image = deserialize_message(data, Image)
    reading = messages.image_from_message(message)
    small = ImageReading(reading.stamp, central_square(reading.pixels, size))
    header = message.header
    return serialize_message(messages.image_to_message(small, header.stamp, header.frame_id))


def _compress(data: bytes, crop: int, quality: int) -> bytes:
    message: Image = deserialize_message(data, Image)
    pixels = messages.image_from_message(message).pixels
    if crop:
        pixels = central_square(pixels, crop)
    stream = io.BytesIO()
    # Colours at full resolution: small blocks of pure colour are what these images are about.
    image = PIL.Image.fromarray(np.ascontiguousarray(pixels))
    image.save(stream, 'JPEG', quality=quality, subsampling=0)
    compressed = CompressedImage(header=message.header, format='rgb8; jpeg compressed rgb8')
    compressed.data = array.array('B', stream.getvalue())
    return serialize_message(compressed)


def _crop_info(data: bytes, size: int) -> bytes:
    message: CameraInfo = deserialize_message(data, CameraInfo)
    cropped = camera_info.to_message(camera_info.from_message(message).cropped(size))
    cropped.header = message.header
    return serialize_message(cropped)
