import dataclasses

import numpy as np
import pytest

from chef_cell.core.act import INITIAL_ACTION
from chef_cell.core.observe import KINDS, ObservationError, Observer, needed_readings
from chef_cell.core.readings import (
    COLOURS,
    ArmReading,
    Grasp,
    GripperReading,
    ImageReading,
    ObjectReading,
    WrenchReading,
)
from chef_trainer.spec import ObservationSpec

ALL = tuple(ObservationSpec(name, kind.shape, kind.unit) for name, kind in KINDS.items())
IMAGE = ObservationSpec('image/front', (128, 128, 3), '1', 'uint8')


class PlanarKinematics:
    """A one-line arm whose answers can be computed by hand."""

    def tool_pose(self, position):
        return np.array([position[0], 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])

    def wrist_pose(self, position):
        return np.array([position[1], 0.0, 0.0, 1.0, 0.0, 0.0, 0.0])

    def wrist_jacobian(self, position):
        return np.eye(6, 7) * 2.0


def arm(base=0.0):
    return ArmReading(0.0, np.arange(7.0) + base, np.full(7, 0.5), np.full(7, 3.0))


GRIPPER = GripperReading(0.0, 127.4, 0.0, Grasp.INWARD)
WRENCH = WrenchReading(0.0, np.array([1.0, 2.0, 3.0]), np.array([4.0, 5.0, 6.0]))
POSES = {colour: np.array([i, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0]) for i, colour in enumerate(COLOURS)}
OBJECTS = ObjectReading(0.0, POSES, dict.fromkeys(COLOURS, True))
FRONT = ImageReading(0.0, np.full((128, 128, 3), 7, np.uint8))


def observer(*specs, triplet='3'):
    return Observer(specs, PlanarKinematics(), triplet)


def observe(subject, **changes):
    readings = {
        'arm': arm(),
        'gripper': GRIPPER,
        'wrench': WRENCH,
        'objects': OBJECTS,
        'images': {'front': FRONT},
        'previous_action': INITIAL_ACTION,
    }
    return subject.observe(**{**readings, **changes})


def test_every_observation_has_its_value():
    seen = observe(observer(*ALL))

    expected = {
        'joint_position': np.arange(7.0),
        'joint_velocity': np.full(7, 0.5),
        'joint_torque': np.full(7, 3.0),
        'gripper_position': [127 / 255],
        'grasp': [0.0, 1.0, 0.0],
        'tool_pose': [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        'wrist_pose': [1.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0],
        'wrist_twist': np.ones(6),
        'wrench': np.arange(1.0, 7.0),
        **{f'{colour}_pose': POSES[colour] for colour in COLOURS},
        'previous_action': [0.0, 0.0, 0.0, 0.0, -1.0],
        'triplet': [0.0, 0.0, 1.0, 0.0, 0.0],
    }
    assert set(seen) == set(expected)
    for name, value in expected.items():
        np.testing.assert_array_equal(seen[name], np.asarray(value, np.float32), err_msg=name)
        assert seen[name].dtype == np.float32
        assert seen[name].shape == KINDS[name].shape


def test_history_is_newest_first_and_filled_with_the_first_frame():
    subject = observer(dataclasses.replace(ALL[0], history=3))

    first = observe(subject, arm=arm(0.0))['joint_position']
    observe(subject, arm=arm(10.0))
    third = observe(subject, arm=arm(20.0))['joint_position']

    assert first[:, 0].tolist() == [0.0, 0.0, 0.0]
    assert third[:, 0].tolist() == [20.0, 10.0, 0.0]
    assert third.shape == (3, 7)


def test_reset_forgets_the_history_and_takes_the_new_triplet():
    subject = observer(
        dataclasses.replace(ALL[0], history=2), ObservationSpec('triplet', (5,), '1')
    )
    observe(subject, arm=arm(0.0))
    subject.reset('5')

    seen = observe(subject, arm=arm(10.0))

    assert seen['joint_position'][:, 0].tolist() == [10.0, 10.0]
    assert seen['triplet'].tolist() == [0.0, 0.0, 0.0, 0.0, 1.0]


def test_a_triplet_outside_the_benchmark_is_zeros():
    seen = observe(observer(ObservationSpec('triplet', (5,), '1'), triplet='r1,g2,b3'))

    assert not seen['triplet'].any()


def test_images_have_history_too():
    subject = observer(dataclasses.replace(IMAGE, history=2))
    observe(subject)
    newer = ImageReading(0.1, np.full((128, 128, 3), 9, np.uint8))

    seen = observe(subject, images={'front': newer})['image/front']

    assert seen.shape == (2, 128, 128, 3)
    assert (seen[0] == 9).all()
    assert (seen[1] == 7).all()


def test_returned_arrays_are_not_changed_by_later_frames():
    subject = observer(ALL[0], IMAGE)
    first = observe(subject)
    kept = {name: value.copy() for name, value in first.items()}
    observe(subject, arm=arm(9.0), images={'front': ImageReading(0.1, FRONT.pixels + 1)})

    for name, value in first.items():
        np.testing.assert_array_equal(value, kept[name])


def test_readings_nobody_needs_may_be_missing():
    seen = observe(observer(ALL[0]), gripper=None, wrench=None, objects=None, images={})

    assert set(seen) == {'joint_position'}


def test_needed_readings_name_the_sources():
    specs = (ALL[0], ObservationSpec('red_pose', (7,), 'm, quaternion'), IMAGE)

    assert needed_readings(specs) == {'arm', 'objects', 'image/front'}


@pytest.mark.parametrize('reading', ['arm', 'gripper', 'wrench', 'objects'])
def test_a_missing_reading_is_named_with_its_users(reading):
    with pytest.raises(ObservationError, match=f'{reading}: no reading'):
        observe(observer(*ALL), **{reading: None})


def test_a_missing_image_is_named():
    with pytest.raises(ObservationError, match='no image of front'):
        observe(observer(IMAGE), images={'back': FRONT})


@pytest.mark.parametrize(
    'pixels', [np.zeros((64, 128, 3), np.uint8), np.zeros((128, 128, 3), np.float32)]
)
def test_a_wrong_image_is_refused(pixels):
    with pytest.raises(ObservationError, match='expected uint8'):
        observe(observer(IMAGE), images={'front': ImageReading(0.0, pixels)})


def test_an_unseen_object_is_an_error_only_for_those_who_need_it():
    hidden = ObjectReading(0.0, POSES, {'red': False, 'green': True, 'blue': True})
    red, green = (
        ObservationSpec(f'{colour}_pose', (7,), 'm, quaternion') for colour in COLOURS[:2]
    )

    with pytest.raises(ObservationError, match='red is not seen'):
        observe(observer(red), objects=hidden)
    observe(observer(green), objects=hidden)


@pytest.mark.parametrize('bad', [np.nan, np.inf])
def test_not_finite_is_named_and_leaves_the_history_alone(bad):
    subject = observer(dataclasses.replace(ALL[0], history=2))
    observe(subject, arm=arm(1.0))
    broken = dataclasses.replace(arm(), position=np.full(7, bad))

    with pytest.raises(ObservationError, match=r'joint_position.*not finite'):
        observe(subject, arm=broken)

    seen = observe(subject, arm=arm(2.0))['joint_position']
    assert seen[:, 0].tolist() == [2.0, 1.0]


def test_a_wrong_shape_is_named():
    with pytest.raises(ObservationError, match=r'joint_position: shape \(6,\), expected \(7,\)'):
        observe(observer(ALL[0]), arm=dataclasses.replace(arm(), position=np.zeros(6)))


@pytest.mark.parametrize(
    ('spec', 'message'),
    [
        (ObservationSpec('smell', (1,), '1'), 'smell: unknown observation'),
        (ObservationSpec('joint_position', (6,), 'rad'), 'the cell offers'),
        (ObservationSpec('joint_position', (7,), 'deg'), 'the cell offers'),
        (ObservationSpec('joint_position', (7,), 'rad', 'uint8'), 'the cell offers'),
    ],
)
def test_a_spec_the_cell_cannot_serve_is_refused(spec, message):
    with pytest.raises(ObservationError, match=message):
        observer(spec)
