"""Bytes become those that both worlds make of the same message; noise is refused."""

import contextlib
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rclpy.serialization import deserialize_message, serialize_message

from chef_cell.drivers.intera.definitions import INTERA
from chef_cell.drivers.ros1.codec import NUMBERS, DecodeError
from chef_cell.drivers.ros1.transcode import LITTLE_ENDIAN, Transcoder
from chef_cell.nodes.ros1_relay import ros2_class, ros2_codec

CODEC = ros2_codec()
TRANSCODER = Transcoder(INTERA)
KINDS = sorted(INTERA)
STATE = 'sensor_msgs/JointState'


def filled(kind, chance):
    """A ROS 2 message with something in every field; arrays have 0 to 3 elements."""
    message = ros2_class(kind)()
    for field in INTERA[kind].fields:
        if field.name == 'seq':
            continue
        count = field.size if field.size is not None else chance.randrange(4)
        values = [value(field.base, chance) for _ in range(count if field.array else 1)]
        setattr(message, field.attribute, values if field.array else values[0])
    return message


def value(base, chance):
    if base == 'string':
        return ''.join(chance.choices('abcä€', k=chance.randrange(6)))
    if base == 'bool':
        return chance.random() < 0.5
    if base in ('time', 'duration'):
        kind = f'builtin_interfaces/{base.capitalize()}'
        return ros2_class(kind)(sec=chance.randrange(2**31), nanosec=chance.randrange(10**9))
    if base in ('float32', 'float64'):
        return chance.randrange(-1000, 1000) / 8  # the same in 32 bits
    if base in NUMBERS:
        return chance.randrange(100)
    return filled(base, chance)


@pytest.mark.parametrize('kind', KINDS)
def test_both_worlds_mean_the_same_bytes(kind):
    for seed in range(5):
        message = filled(kind, random.Random(seed))
        old, new = CODEC.encode(kind, message), serialize_message(message)
        assert TRANSCODER.from_cdr(kind, new) == old
        carried = TRANSCODER.to_cdr(kind, bytes(old))
        assert deserialize_message(carried, ros2_class(kind)) == message
        # Gaps, and what follows the last field, hold anything: the bytes themselves may differ.
        assert len(carried) <= len(new)


def joint_state():
    return bytes(CODEC.encode(STATE, filled(STATE, random.Random(1))))


def test_every_truncation_is_refused():
    data = joint_state()
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            TRANSCODER.to_cdr(STATE, data[:length])


def test_bytes_left_over_are_refused():
    with pytest.raises(DecodeError, match='the message has'):
        TRANSCODER.to_cdr(STATE, joint_state() + b'\0')


def test_padding_after_cdr_is_nothing():
    data = TRANSCODER.to_cdr(STATE, joint_state())
    assert TRANSCODER.from_cdr(STATE, data + b'\0\0\0') == joint_state()


def test_a_time_beyond_2038_is_refused():
    with pytest.raises(DecodeError, match='time of 4294967295 s'):
        TRANSCODER.to_cdr('std_msgs/Header', b'\0' * 4 + b'\xff' * 8 + b'\0' * 4)


def test_another_encoding_is_refused():
    with pytest.raises(DecodeError, match='allowed: '):
        TRANSCODER.from_cdr('std_msgs/Float64', b'\0\0\0\0' + b'\0' * 8)


@given(st.binary(max_size=200), st.sampled_from(KINDS))
def test_noise_is_carried_or_refused(data, kind):
    with contextlib.suppress(DecodeError):
        TRANSCODER.to_cdr(kind, data)
    with contextlib.suppress(DecodeError):
        TRANSCODER.from_cdr(kind, LITTLE_ENDIAN + data)
