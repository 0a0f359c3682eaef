"""Bias, mass and centre of gravity from readings of a sensor that is turned about."""

import numpy as np
import pytest

from chef_cell.core.readings import WrenchReading
from chef_cell.core.tool_weight import (
    IdentificationError,
    RestingWrench,
    find_mounting,
    identify,
)
from chef_cell.core.wrench import WrenchCompensation, WrenchSettings, quaternion, rotation

MASS, CENTRE = 1.1, np.array([0.004, -0.003, 0.065])
BIAS_FORCE, BIAS_TORQUE = np.array([3.0, -7.0, 12.0]), np.array([0.1, 0.02, -0.3])
QUARTER_TURN = np.array([np.sqrt(0.5), 0.0, 0.0, np.sqrt(0.5)])  # about z


def about(axis, angle):
    return np.concatenate([[np.cos(angle / 2)], np.sin(angle / 2) * np.eye(3)[axis]])


#: Downwards, and tilted about both axes.
WRISTS = [
    quaternion(rotation(about(0, np.pi + x)) @ rotation(about(1, y)))
    for x, y in ((0.0, 0.0), (0.8, 0.0), (-0.8, 0.0), (0.0, 0.9), (0.0, -0.9), (0.5, 0.9))
]


def feel(wrist, sensor=QUARTER_TURN, mass=MASS, noise=0.0, seed=0):
    """What a sensor with a bias and a tool reads at rest."""
    random = np.random.default_rng(seed)
    weight = (rotation(wrist) @ rotation(sensor)).T @ [0.0, 0.0, -9.80665 * mass]
    return RestingWrench(
        wrist,
        BIAS_FORCE + weight + noise * random.normal(size=3),
        BIAS_TORQUE + np.cross(CENTRE, weight) + 0.05 * noise * random.normal(size=3),
    )


def samples(**how):
    return [feel(wrist, seed=index, **how) for index, wrist in enumerate(WRISTS)]


def test_a_perfect_sensor_tells_all():
    found = identify(samples(), QUARTER_TURN)

    assert found.mass == pytest.approx(MASS)
    np.testing.assert_allclose(found.centre, CENTRE, atol=1e-9)
    np.testing.assert_allclose(found.bias_force, BIAS_FORCE)
    np.testing.assert_allclose(found.bias_torque, BIAS_TORQUE)
    assert found.force_residual < 1e-9
    assert found.mass_error < 1e-9


def test_what_was_found_makes_the_wrist_node_read_zero():
    """The same model, the other way round."""
    found = identify(samples(), QUARTER_TURN)
    compensation = WrenchCompensation(
        WrenchSettings(
            bias_force=tuple(found.bias_force),
            bias_torque=tuple(found.bias_torque),
            tool_mass=found.mass,
            tool_centre=tuple(found.centre),
            sensor_orientation=tuple(QUARTER_TURN),
        )
    )
    for sample in samples():
        reading = WrenchReading(0.0, sample.force, sample.torque)
        left = compensation.apply(reading, sample.wrist)
        np.testing.assert_allclose([*left.force, *left.torque], 0.0, atol=1e-9)


def test_errors_are_as_large_as_they_are_said_to_be():
    """Over many noisy calibrations the deviations have the standard deviation that is told."""
    off, told = [], []
    for trial in range(100):
        noisy = [feel(wrist, noise=0.12, seed=(trial, i)) for i, wrist in enumerate(WRISTS)]
        found = identify(noisy, QUARTER_TURN)
        off.append([found.mass - MASS, *(found.centre - CENTRE)])
        told.append([found.mass_error, *found.centre_error])
    ratio = np.std(off, axis=0) / np.sqrt(np.mean(np.square(told), axis=0))
    assert (ratio > 0.75).all(), ratio
    assert (ratio < 1.25).all(), ratio


def test_too_few_orientations_are_refused():
    with pytest.raises(IdentificationError, match='3 orientations, at least 4 needed'):
        identify(samples()[:3], QUARTER_TURN)


@pytest.mark.parametrize('axis', [0, 1])
def test_a_tool_tilted_about_one_axis_only_is_refused(axis):
    tilts = [feel(about(axis, angle)) for angle in np.linspace(-1.0, 1.0, 6)]
    with pytest.raises(IdentificationError, match='tilt it further'):
        identify(tilts, QUARTER_TURN)


def test_a_tool_turned_about_its_own_axis_is_not_tilted():
    turns = [feel(about(2, angle)) for angle in np.linspace(-1.0, 1.0, 6)]
    with pytest.raises(IdentificationError, match='tilt it further'):
        identify(turns, QUARTER_TURN)


def test_a_wrong_mounting_is_refused_and_the_right_one_named():
    with pytest.raises(IdentificationError) as caught:
        identify(samples(noise=0.05), np.array([1.0, 0.0, 0.0, 0.0]))
    assert 'sensor_orientation [0.7' in str(caught.value)
    assert 'turned by 90 degrees' in str(caught.value)
    assert 'inverted' not in str(caught.value)


def test_reversed_signs_are_noticed():
    reverse = [RestingWrench(s.wrist, -s.force, -s.torque) for s in samples(noise=0.05)]
    with pytest.raises(IdentificationError, match='with inverted: true'):
        identify(reverse, QUARTER_TURN)


@pytest.mark.parametrize('sign', [1, -1])
def test_the_mounting_is_found(sign):
    turned = quaternion(rotation(about(2, 0.3)) @ rotation(about(0, 0.1)))
    said = [
        RestingWrench(s.wrist, sign * s.force, sign * s.torque) for s in samples(sensor=turned)
    ]
    found = find_mounting(said)
    np.testing.assert_allclose(found.orientation, turned, atol=1e-6)
    assert (found.inverted, found.residual < 1e-6) == (sign < 0, True)


def test_a_sensor_that_feels_no_weight_is_said_to():
    """As in a simulation that carries the tool's weight for the sensor."""
    with pytest.raises(IdentificationError, match='the sensor feels no weight'):
        identify(samples(mass=0.0), QUARTER_TURN)


def test_a_touch_is_noticed():
    touched = samples()
    touched[2] = RestingWrench(touched[2].wrist, touched[2].force + 5.0, touched[2].torque)
    with pytest.raises(IdentificationError, match='was the arm at rest and free'):
        identify(touched, QUARTER_TURN)


def test_a_twist_is_noticed():
    twisted = samples()
    twisted[2] = RestingWrench(twisted[2].wrist, twisted[2].force, twisted[2].torque + 0.5)
    with pytest.raises(IdentificationError, match='torque residual'):
        identify(twisted, QUARTER_TURN)


def test_a_reading_that_is_none_is_refused():
    broken = samples()
    broken[1] = RestingWrench(broken[1].wrist, np.full(3, np.nan), broken[1].torque)
    with pytest.raises(IdentificationError, match='not finite'):
        identify(broken, QUARTER_TURN)
