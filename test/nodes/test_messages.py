"""Translations must be exact: parity between in-process and ROS runs rests on them."""

import math
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from rclpy.serialization import deserialize_message, serialize_message
from sensor_msgs.msg import Image, JointState

from chef_cell.core.readings import (
    COLOURS,
    ArmReading,
    Grasp,
    GripperReading,
    ImageReading,
    ObjectReading,
    TaskCommand,
    WrenchReading,
)
from chef_cell.nodes import messages, ros
from chef_interfaces.msg import GripperState
from intera_core_msgs.msg import JointCommand

STAMP = ros.to_stamp(1_234_567_890)
doubles = st.floats(allow_nan=False, width=64)


def wire(message):
    """What arrives at the other end of a topic."""
    return deserialize_message(serialize_message(message), type(message))


def vectors(size):
    return arrays.arrays(np.float64, size, elements=doubles)


def assert_same_bits(actual, expected):
    assert np.asarray(actual, np.float64).tobytes() == np.asarray(expected, np.float64).tobytes()


@given(vectors(7), vectors(7), vectors(7))
def test_arm_survives_bit_for_bit(position, velocity, torque):
    sent = ArmReading(0.0, position, velocity, torque)
    got = messages.arm_from_message(wire(messages.arm_to_message(sent, STAMP)))
    assert_same_bits(got.position, position)
    assert_same_bits(got.velocity, velocity)
    assert_same_bits(got.torque, torque)
    assert got.stamp == ros.seconds(STAMP)


def test_arm_message_lists_the_joints_of_a_sawyer():
    message = messages.arm_to_message(ArmReading(0.0, np.ones(7), np.ones(7), np.ones(7)), STAMP)
    assert message.name == ['head_pan', *[f'right_j{i}' for i in range(7)], 'torso_t0']
    assert list(message.position) == [0.0, 1, 1, 1, 1, 1, 1, 1, 0]


def test_arm_joints_are_selected_by_name_not_by_place():
    names = [*reversed(messages.ARM_JOINTS), 'finger']
    values = [float(index) for index in range(8)]
    message = JointState(name=names, position=values, velocity=values, effort=values)
    reading = messages.arm_from_message(message)
    assert reading.position.tolist() == [6, 5, 4, 3, 2, 1, 0]


@pytest.mark.parametrize(
    ('message', 'said'),
    [
        (JointState(name=['right_j0'], position=[0.0]), "lack \\['right_j1'"),
        (JointState(name=messages.ARM_JOINTS, position=[0.0] * 6), '6 position values for 7'),
        (JointState(name=messages.ARM_JOINTS, position=[0.0] * 7), '0 velocity values for 7'),
    ],
)
def test_malformed_joint_states_are_refused(message, said):
    with pytest.raises(ValueError, match=said):
        messages.arm_from_message(message)


@given(vectors(7))
def test_velocity_command_uses_only_the_velocity_array(velocity):
    message = wire(messages.velocity_to_message(velocity, STAMP))
    assert message.mode == JointCommand.VELOCITY_MODE
    assert tuple(message.names) == messages.ARM_JOINTS
    assert_same_bits(message.velocity, velocity)
    for unused in (message.position, message.effort, message.acceleration):
        assert not unused


@given(vectors(3), vectors(3))
def test_wrench_survives_bit_for_bit(force, torque):
    sent = WrenchReading(0.0, force, torque)
    message = wire(messages.wrench_to_message(sent, STAMP, 'ft300_sensor'))
    got = messages.wrench_from_message(message)
    assert message.header.frame_id == 'ft300_sensor'
    assert_same_bits(got.force, force)
    assert_same_bits(got.torque, torque)


@given(doubles, doubles, st.sampled_from(Grasp))
def test_gripper_survives_bit_for_bit(position, velocity, grasp):
    sent = GripperReading(0.0, position, velocity, grasp)
    got = messages.gripper_from_message(wire(messages.gripper_to_message(sent, STAMP)))
    assert_same_bits([got.position, got.velocity], [position, velocity])
    assert got.grasp is grasp


def test_unknown_grasp_code_is_refused():
    with pytest.raises(ValueError, match='9'):
        messages.gripper_from_message(GripperState(grasp=9))


@given(st.lists(vectors(7), min_size=3, max_size=3), st.lists(st.booleans(), min_size=3))
def test_objects_survive_with_the_sign_of_their_quaternions(poses, valid):
    sent = ObjectReading(
        0.0, dict(zip(COLOURS, poses, strict=True)), dict(zip(COLOURS, valid, strict=False))
    )
    got = messages.objects_from_message(wire(messages.objects_to_message(sent, STAMP)))
    for colour in COLOURS:
        assert_same_bits(got.poses[colour], sent.poses[colour])
    assert got.valid == sent.valid


@given(vectors(36), st.integers(0, 2**31 - 1))
def test_objects_carry_their_covariance_and_when_they_were_seen(covariance, second):
    identity = np.array([0.0, 0, 0, 1, 0, 0, 0])
    sent = ObjectReading(
        ros.seconds(STAMP),
        dict.fromkeys(COLOURS, identity),
        dict.fromkeys(COLOURS, True),
        dict.fromkeys(COLOURS, covariance.reshape(6, 6)),
        dict.fromkeys(COLOURS, float(second)),
    )
    got = messages.objects_from_message(wire(messages.objects_to_message(sent, STAMP)))
    for colour in COLOURS:
        assert_same_bits(got.covariances[colour], sent.covariances[colour])
        # What travels is the age, so one rounding of each of two times in seconds.
        assert got.stamps[colour] == pytest.approx(second, abs=1e-6)


def test_exact_poses_are_of_their_messages_stamp():
    identity = np.array([0.0, 0, 0, 1, 0, 0, 0])
    reading = ObjectReading(0.0, dict.fromkeys(COLOURS, identity), dict.fromkeys(COLOURS, True))
    message = messages.objects_to_message(reading, STAMP)
    assert all(item.stamp == message.header.stamp == STAMP for item in message.objects)


def test_quaternion_order_changes_between_reading_and_message():
    message = messages.pose_message(np.array([1.0, 2, 3, 0.4, 0.5, 0.6, 0.7]))
    orientation = message.orientation
    assert (orientation.w, orientation.x, orientation.y, orientation.z) == (0.4, 0.5, 0.6, 0.7)


def test_objects_with_a_missing_or_repeated_colour_are_refused():
    identity = np.array([0.0, 0, 0, 1, 0, 0, 0])
    reading = ObjectReading(0.0, dict.fromkeys(COLOURS, identity), dict.fromkeys(COLOURS, True))
    message = messages.objects_to_message(reading, STAMP)
    message.objects[2].name = 'red'
    with pytest.raises(ValueError, match='each of'):
        messages.objects_from_message(message)


@given(vectors(3), doubles, doubles)
def test_task_command_survives_bit_for_bit(linear, yaw_rate, gripper):
    sent = TaskCommand(0.0, linear, yaw_rate, gripper)
    got = messages.task_command_from_message(wire(messages.task_command_to_message(sent, STAMP)))
    assert_same_bits(got.linear, linear)
    assert_same_bits([got.yaw_rate, got.gripper], [yaw_rate, gripper])


def test_values_that_are_not_finite_pass_for_the_node_to_judge():
    sent = TaskCommand(0.0, np.array([math.nan, math.inf, 0.0]), 0.0, 0.0)
    got = messages.task_command_from_message(wire(messages.task_command_to_message(sent, STAMP)))
    assert math.isnan(got.linear[0])
    assert math.isinf(got.linear[1])


def test_image_survives_byte_for_byte():
    pixels = np.random.default_rng(0).integers(0, 256, (6, 4, 3), np.uint8)
    message = wire(messages.image_to_message(ImageReading(0.0, pixels), STAMP, 'eye'))
    assert (message.height, message.width, message.step) == (6, 4, 12)
    assert (messages.image_from_message(message).pixels == pixels).all()


def test_padded_rows_are_cut():
    data = np.arange(2 * 8, dtype=np.uint8)
    message = Image(height=2, width=2, step=8, encoding='rgb8', data=data.tobytes())
    pixels = messages.image_from_message(message).pixels
    assert pixels.tolist() == [[[0, 1, 2], [3, 4, 5]], [[8, 9, 10], [11, 12, 13]]]


@pytest.mark.parametrize(
    ('image', 'said'),
    [
        (Image(height=1, width=1, step=3, encoding='bgr8', data=bytes(3)), "'bgr8'"),
        (Image(height=2, width=1, step=3, encoding='rgb8', data=bytes(3)), '3 bytes'),
        (Image(height=1, width=2, step=3, encoding='rgb8', data=bytes(3)), 'rows of 3'),
    ],
)
def test_malformed_images_are_refused(image, said):
    with pytest.raises(ValueError, match=said):
        messages.image_from_message(image)


def test_pixels_of_a_wrong_kind_are_refused():
    with pytest.raises(ValueError, match='float64'):
        messages.image_to_message(ImageReading(0.0, np.zeros((2, 2, 3))), STAMP, 'eye')


def test_an_image_is_translated_without_looking_at_each_byte():
    reading = ImageReading(0.0, np.zeros((480, 640, 3), np.uint8))

    def cost() -> float:
        start = time.process_time()
        messages.image_to_message(reading, STAMP, 'eye')
        return time.process_time() - start

    # The checked path of the setter takes 140 ms here, ours about 0.1 ms.
    assert min(cost() for _ in range(5)) < 0.02
