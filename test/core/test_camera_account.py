"""What is counted of a camera's images."""

import pytest

from chef_cell.core.camera_account import BackOff, CameraAccount


def test_waiting_doubles_up_to_the_longest_and_begins_again():
    back_off = BackOff(0.5, 3.0)
    assert [back_off.next() for _ in range(5)] == [0.5, 1.0, 2.0, 3.0, 3.0]
    back_off.reset()
    assert back_off.next() == 0.5


def account(numbers):
    made = CameraAccount()
    made.open('emulated')
    for index, number in enumerate(numbers):
        made.receive(0.05 * index, 0.05 * index + 0.01, number)
    return made


@pytest.mark.parametrize(
    ('numbers', 'dropped'),
    [
        ([1, 2, 3], 0),
        ([1, 2, 5, 6, 8], 3),
        ([65533, 65534, 65535, 1, 2], 0),  # 16 bits, without 0
        ([65534, 2], 2),
        ([500, 1, 2], 0),  # started anew
        ([None, None], 0),
    ],
)
def test_gaps_of_the_numbers_are_images_dropped(numbers, dropped):
    assert account(numbers).take(1.0)['dropped'] == dropped


def test_a_damaged_image_is_none_that_was_dropped():
    made = account([1, 2])
    made.damage(3)
    made.receive(0.2, 0.2, 4)
    values = made.take(1.0)
    assert (values['damaged'], values['dropped'], values['images']) == (1, 0, 3)


def test_after_it_was_opened_again_numbers_begin_anew():
    made = account([1, 2])
    made.lose('unplugged')
    assert made.problem == 'unplugged'
    made.open('emulated')
    assert made.problem == 'no image yet'
    made.receive(1.0, 1.0, 90)
    assert made.problem == ''
    values = made.take(1.0)
    assert (values['dropped'], values['opened']) == (0, 2)


def test_rate_and_age_are_those_since_the_last_call():
    made = account(range(20))
    values = made.take(1.0)
    assert values['rate (Hz)'] == 20.0
    assert values['age p50 (ms)'] == pytest.approx(10.0)
    assert made.take(1.0)['rate (Hz)'] == 0.0
