import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from chef_cell.core.readings import WrenchReading
from chef_cell.core.wrench import (
    GRAVITY,
    WrenchCompensation,
    WrenchSettings,
    ZeroingError,
    quaternion,
    rotation,
)

UPRIGHT = np.array([1.0, 0.0, 0.0, 0.0])
HALF = np.sqrt(0.5)
#: Wrist turned by 90 degrees about x: the sensor's y axis points up.
ON_ITS_SIDE = np.array([HALF, HALF, 0.0, 0.0])


def wrench(force=(0, 0, 0), torque=(0, 0, 0)):
    return WrenchReading(1.0, np.array(force, float), np.array(torque, float))


finite = st.floats(-200, 200)


@given(st.tuples(finite, finite, finite), st.tuples(*[st.floats(-20, 20)] * 3))
def test_defaults_change_no_bit(force, torque):
    result = WrenchCompensation(WrenchSettings()).apply(wrench(force, torque))
    assert result.force.tolist() == list(force)
    assert result.torque.tolist() == list(torque)
    assert result.stamp == 1.0


def test_bias_is_taken_off():
    settings = WrenchSettings(bias_force=(1.0, 2.0, 3.0), bias_torque=(0.1, 0.2, 0.3))
    result = WrenchCompensation(settings).apply(wrench((1, 2, 13), (0.1, 0.2, 0.4)))
    np.testing.assert_allclose(result.force, (0, 0, 10), atol=1e-12)
    np.testing.assert_allclose(result.torque, (0, 0, 0.1), atol=1e-12)


@pytest.mark.parametrize('wrist', [UPRIGHT, ON_ITS_SIDE], ids=['upright', 'on its side'])
def test_a_free_tool_weighs_nothing_in_any_posture(wrist):
    settings = WrenchSettings(tool_mass=1.12, tool_centre=(0.0, 0.01, 0.06))
    weight = rotation(wrist).T @ np.array([0, 0, -1.12 * GRAVITY])
    raw = wrench(weight, np.cross((0.0, 0.01, 0.06), weight))
    result = WrenchCompensation(settings).apply(raw, wrist)
    np.testing.assert_allclose(result.force, 0, atol=1e-12)
    np.testing.assert_allclose(result.torque, 0, atol=1e-12)


def test_weight_on_its_side_by_hand():
    compensation = WrenchCompensation(WrenchSettings(tool_mass=2.0))
    result = compensation.apply(wrench(), ON_ITS_SIDE)
    # Down in base is -y of the sensor, so a sensor that reads nothing feels a push along +y.
    np.testing.assert_allclose(result.force, (0, 2 * GRAVITY, 0), atol=1e-12)


def test_torque_is_about_the_tool():
    settings = WrenchSettings(tool_position=(0.0, 0.0, 0.2))
    result = WrenchCompensation(settings).apply(wrench((10, 0, 0), (0, 2, 0)))
    # A force of 10 N along x at the tool gives the sensor 0.2 m x 10 N about y.
    np.testing.assert_allclose(result.torque, 0, atol=1e-12)


def test_output_axes_are_those_of_the_tool():
    settings = WrenchSettings(tool_orientation=(HALF, 0.0, 0.0, HALF))  # 90 degrees about z
    result = WrenchCompensation(settings).apply(wrench((0, 5, 1), (0, 1, 0)))
    np.testing.assert_allclose(result.force, (5, 0, 1), atol=1e-12)
    np.testing.assert_allclose(result.torque, (1, 0, 0), atol=1e-12)


@pytest.mark.parametrize(
    ('raw', 'word'),
    [
        (wrench((np.nan, 0, 0)), 'not finite'),
        (wrench(torque=(0, np.inf, 0)), 'not finite'),
        (wrench((0, 0, -300)), 'saturated, range 300.0 N'),
        (wrench(torque=(0, 30, 0)), 'saturated, range 30.0 N m'),
    ],
)
def test_what_is_no_measurement_becomes_nan(raw, word):
    compensation = WrenchCompensation(WrenchSettings(bias_force=(0.0, 0.0, -5.0)))
    assert word in compensation.problem(raw)
    result = compensation.apply(raw)
    assert np.isnan(result.force).all()
    assert np.isnan(result.torque).all()


def test_zeroing_removes_the_mean_but_not_the_weight():
    compensation = WrenchCompensation(WrenchSettings(tool_mass=1.0))
    samples = [wrench((0.5, 0, z - GRAVITY), (0.1, 0, 0)) for z in (0.9, 1.1)]
    compensation.zero(samples, UPRIGHT, noise_limit=0.5)
    result = compensation.apply(wrench((0.5, 0, 1 - GRAVITY), (0.1, 0, 0)), UPRIGHT)
    np.testing.assert_allclose(result.force, 0, atol=1e-12)
    np.testing.assert_allclose(result.torque, 0, atol=1e-12)
    turned = compensation.apply(wrench((0.5, -GRAVITY, 1), (0.1, 0, 0)), ON_ITS_SIDE)
    np.testing.assert_allclose(turned.force, 0, atol=1e-12)


@pytest.mark.parametrize(
    ('samples', 'message'),
    [
        ([], '0 samples'),
        ([wrench(), wrench((np.nan, 0, 0))], 'not finite'),
        ([wrench((0, 0, 0)), wrench((0, 0, 10))], r'varies by 5\.000 N .* limit 1\.0 N'),
    ],
)
def test_zeroing_is_refused(samples, message):
    compensation = WrenchCompensation(WrenchSettings())
    with pytest.raises(ZeroingError, match=message):
        compensation.zero(samples, UPRIGHT, noise_limit=1.0)
    assert compensation.apply(wrench((0, 0, 3))).force[2] == 3.0


def test_weight_needs_the_wrist():
    with pytest.raises(ValueError, match='orientation of the wrist'):
        WrenchCompensation(WrenchSettings(tool_mass=1.0)).apply(wrench())


@pytest.mark.parametrize(
    'wrong',
    [
        {'bias_force': (0.0, 0.0)},
        {'tool_centre': (0.0, 0.0, np.nan)},
        {'tool_orientation': (1.0, 1.0, 0.0, 0.0)},
        {'tool_mass': -1.0},
        {'force_range': 0.0},
    ],
)
def test_settings_are_checked(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong)).split('_')[0]):
        WrenchSettings(**wrong)


@given(st.lists(st.floats(-1.0, 1.0), min_size=4, max_size=4).map(np.array))
def test_a_quaternion_survives_being_a_matrix(values):
    assume(np.linalg.norm(values) > 0.1)
    found = quaternion(rotation(values))
    wanted = values / np.linalg.norm(values)
    assert min(np.abs(found - wanted).max(), np.abs(found + wanted).max()) < 1e-9
    assert found[np.abs(found) > 1e-9][0] > 0.0
