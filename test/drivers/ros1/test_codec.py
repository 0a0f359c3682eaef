"""Bytes that are not the message they are said to be are refused, never misread."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.drivers.ros1.codec import Codec, DecodeError
from chef_cell.drivers.ros1.definitions import DefinitionError, Definitions, snake_case

DEFINITIONS = Definitions(
    {
        'std_msgs/Header': 'uint32 seq\ntime stamp\nstring frame_id',
        'a/Inner': 'int16 x  # a comment\nint16 LIMIT = 7',
        'a/Outer': 'Header header\nstring[] names\nfloat64[] values\nInner[] inner\n'
        'bool[2] flags\nuint8[3] raw\nduration wait\nint64 isBig',
    },
    {},
)
CODEC = Codec(DEFINITIONS)


def outer():
    message = CODEC.classes('a/Outer')()
    message.names, message.values = ['x', 'yy'], [1.0, 2.0, 3.0]
    message.inner = [CODEC.classes('a/Inner')(5), CODEC.classes('a/Inner')(-5)]
    message.flags, message.raw, message.is_big = [True, False], [1, 2, 3], -(2**40)
    message.header.frame_id = 'base'
    message.wait.sec = 3
    return message


def test_a_message_survives_the_way_there_and_back():
    again = CODEC.decode('a/Outer', CODEC.encode('a/Outer', outer()))
    assert again.names == ['x', 'yy']
    assert list(again.values) == [1.0, 2.0, 3.0]
    assert [inner.x for inner in again.inner] == [5, -5]
    assert (again.flags, list(again.raw), again.is_big) == ([True, False], [1, 2, 3], -(2**40))
    assert (again.header.frame_id, again.wait.sec) == ('base', 3)
    assert type(again.inner[0]).LIMIT == 7


def test_every_truncation_is_refused():
    data = bytes(CODEC.encode('a/Outer', outer()))
    for length in range(len(data)):
        with pytest.raises(DecodeError):
            CODEC.decode('a/Outer', data[:length])


def test_bytes_left_over_are_refused():
    data = CODEC.encode('a/Outer', outer())
    with pytest.raises(DecodeError, match='the message has'):
        CODEC.decode('a/Outer', data + b'\0')


def test_a_length_beyond_the_message_allocates_nothing():
    with pytest.raises(DecodeError, match='length 4294967295'):
        CODEC.decode('a/Outer', b'\0' * 16 + b'\xff' * 4 + b'\0' * 64)


def test_a_time_beyond_2038_is_refused():
    with pytest.raises(DecodeError, match='time of 4294967295 s'):
        CODEC.decode('std_msgs/Header', b'\0' * 4 + b'\xff' * 8 + b'\0' * 4)


def test_a_string_that_is_not_utf8_does_not_cost_the_message():
    data = b'\0' * 12 + b'\1\0\0\0\xff'
    assert CODEC.decode('std_msgs/Header', data).frame_id == '\ufffd'


@given(st.binary(max_size=200))
def test_noise_is_decoded_or_refused(data):
    with contextlib.suppress(DecodeError):
        CODEC.decode('a/Outer', data)


def test_an_array_of_fixed_length_must_have_it():
    message = outer()
    message.raw = [1]
    with pytest.raises(ValueError, match='raw has 1 values, expected 3'):
        CODEC.encode('a/Outer', message)


@pytest.mark.parametrize(
    ('name', 'snake'),
    [
        ('isValid', 'is_valid'),
        ('inCollision', 'in_collision'),
        ('lowVoltage', 'low_voltage'),
        ('joint_names', 'joint_names'),
    ],
)
def test_names_lose_their_capitals(name, snake):
    assert snake_case(name) == snake


def test_a_definition_that_makes_no_sense_is_refused():
    with pytest.raises(DefinitionError, match='neither a field nor a constant'):
        Definitions({'a/B': 'float64 x y'}, {})
    with pytest.raises(DefinitionError, match="'a/C' is not defined"):
        Definitions({'a/B': 'C c'}, {}).md5('a/B')


def test_the_text_a_publisher_sends_holds_all_messages_once():
    text = DEFINITIONS.text('a/Outer')
    assert text.startswith('Header header')
    assert text.count('MSG: a/Inner') == text.count('MSG: std_msgs/Header') == 1
