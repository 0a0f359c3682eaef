"""Joint messages are read, changed and written as the codec would do it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from chef_cell.core.intera import ARM_JOINTS, JointCommand, Mode
from chef_cell.drivers.intera.definitions import INTERA
from chef_cell.drivers.intera.interface import JOINT_COMMAND, JOINT_STATES
from chef_cell.drivers.intera.joint_bytes import JointReader, command_bytes
from chef_cell.drivers.ros1.codec import Codec, DecodeError

CODEC = Codec(INTERA)
FINITE = st.floats(allow_nan=False, width=64)


def joint_state(names, frame='base', sec=7, nanosec=250_000_000, velocity=None):
    message = CODEC.classes(JOINT_STATES.kind)()
    message.header.stamp.sec, message.header.stamp.nanosec = sec, nanosec
    message.header.frame_id = frame
    message.name = list(names)
    message.position = np.arange(len(names), dtype=float)
    message.velocity = message.position + 0.5 if velocity is None else velocity
    message.effort = -message.position
    return message


@given(st.lists(st.text(max_size=9), max_size=9), st.text(max_size=9), st.booleans())
def test_reads_what_the_codec_writes(names, frame, again):
    message = joint_state(names, frame)
    data = CODEC.encode(JOINT_STATES.kind, message)
    reader = JointReader(arrays=3)
    if again:  # the second message of a topic takes a shorter way
        reader.read(bytes(data))
    read = reader.read(bytes(data))
    assert (read.names, read.mode, read.stamp) == (tuple(names), 0, 7.25)
    fields = (message.position, message.velocity, message.effort)
    assert list(read.arrays) == [tuple(values) for values in fields]


def test_follows_names_that_change():
    reader = JointReader(arrays=3)
    for names in (ARM_JOINTS, ('head_pan',), ARM_JOINTS, ARM_JOINTS[::-1], ()):
        data = CODEC.encode(JOINT_STATES.kind, joint_state(names))
        assert reader.read(data).names == tuple(names)


def test_what_is_changed_is_changed_in_the_bytes():
    original = CODEC.encode(JOINT_STATES.kind, joint_state(ARM_JOINTS))
    read = JointReader(arrays=3).read(bytes(original))
    read.change(1, 2, 9.0)
    read.stamp_with(12.000000001)
    changed = CODEC.decode(JOINT_STATES.kind, read.data)
    assert list(changed.velocity) == [0.5, 1.5, 9.0, 3.5, 4.5, 5.5, 6.5]
    assert (changed.header.stamp.sec, changed.header.stamp.nanosec) == (12, 1)
    assert changed.header.frame_id == 'base'


@given(
    st.sampled_from(Mode),
    st.lists(st.sampled_from(ARM_JOINTS), max_size=7),
    *[st.lists(FINITE, max_size=7)] * 3,
)
def test_commands_are_those_of_the_codec(mode, names, position, velocity, acceleration):
    command = JointCommand(mode, names, position, velocity, acceleration)
    data = command_bytes(command, 3.5)
    message = CODEC.decode(JOINT_COMMAND.kind, data)
    assert CODEC.encode(JOINT_COMMAND.kind, message) == data
    stamp = message.header.stamp
    assert (stamp.sec, stamp.nanosec, message.mode) == (3, 500_000_000, mode)
    read = JointReader(arrays=4, has_mode=True).read(data)
    assert (read.names, read.mode) == (tuple(names), mode)
    assert [list(values) for values in read.arrays] == [position, velocity, acceleration, []]


def test_every_cut_is_refused():
    data = bytes(CODEC.encode(JOINT_STATES.kind, joint_state(ARM_JOINTS)))
    for end in range(len(data)):
        with pytest.raises(DecodeError, match='bytes'):
            JointReader(arrays=3).read(data[:end])
    with pytest.raises(DecodeError, match=f'{len(data) + 1} bytes, the message has {len(data)}'):
        JointReader(arrays=3).read(data + b'\0')


def test_a_wild_length_is_refused():
    data = CODEC.encode(JOINT_STATES.kind, joint_state(ARM_JOINTS))
    data[16 + 4 : 16 + 8] = b'\xff' * 4  # behind seq, stamp and `base`: the number of names
    with pytest.raises(DecodeError, match='length 4294967295'):
        JointReader(arrays=3).read(data)


def test_a_time_beyond_2038_is_refused():
    data = CODEC.encode(JOINT_STATES.kind, joint_state(ARM_JOINTS, sec=2**31))
    with pytest.raises(DecodeError, match='allowed: below'):
        JointReader(arrays=3).read(data)


def test_the_stamp_of_a_command_is_nobodys_concern():
    data = command_bytes(JointCommand(Mode.VELOCITY, ARM_JOINTS, velocity=[0.1] * 7), 1.0)
    data[4:8] = b'\xff' * 4  # -1 s in ROS 2
    assert JointReader(arrays=4, has_mode=True).read(data).arrays[1] == (0.1,) * 7
