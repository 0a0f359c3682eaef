import dataclasses

import numpy as np
import pytest

from chef_cell.core.policy_slot import Offer, PolicyRefusedError, PolicySlot, check_fits
from chef_trainer.spec import ActionSpec, ObservationSpec, PolicySpec

ARM = ObservationSpec('joint_position', (7,), 'rad')
FRONT = ObservationSpec('image/front', (128, 128, 3), '1', 'uint8')
SPEC = PolicySpec('good', (ARM,))
OFFER = Offer(rate_hz=20.0)


class Runner:
    def __init__(self, spec, answer=0.0):
        self.spec, self.answer = spec, answer
        self.path, self.sha256 = f'{spec.name}.onnx', spec.name
        self.warm = 0

    def act(self, observation):
        assert {name: value.shape for name, value in observation.items()} == {
            item.name: item.stacked_shape for item in self.spec.observations
        }
        if not np.isfinite(self.answer):
            raise ValueError(f'action {self.answer} is not finite')
        self.warm += 1
        return np.full(5, self.answer)


def open_runner(path):
    if path == 'corrupt':
        raise ValueError('corrupt: not ONNX')
    if path == 'nan':
        return Runner(SPEC, np.nan)
    return Runner(dataclasses.replace(SPEC, name=path))


@pytest.fixture
def slot():
    slot = PolicySlot(OFFER, open_runner)
    assert slot.accept(slot.prepare('old'))
    slot.boundary()
    return slot


def test_a_new_policy_waits_for_the_boundary(slot):
    assert slot.accept(slot.prepare('new'))
    assert slot.current.spec.name == 'old'

    assert slot.boundary()
    assert slot.current.spec.name == 'new'
    assert slot.pending is None
    assert not slot.boundary()


def test_the_newest_request_wins(slot):
    slot.accept(slot.prepare('first'))
    slot.accept(slot.prepare('second'))
    slot.boundary()

    assert slot.current.spec.name == 'second'


def test_a_policy_is_warm_before_it_is_accepted(slot):
    assert slot.prepare('new').runner.warm == 1


@pytest.mark.parametrize('path', ['corrupt', 'nan'])
def test_after_a_failed_request_everything_stays(slot, path):
    slot.accept(slot.prepare('new'))

    assert not slot.accept(slot.prepare(path))

    assert slot.last_error
    assert slot.pending.spec.name == 'new'
    assert slot.current.spec.name == 'old'


def test_a_good_request_clears_the_error(slot):
    slot.accept(slot.prepare('corrupt'))
    slot.accept(slot.prepare('new'))

    assert slot.last_error == ''


HAND = ActionSpec(
    (0.01, 0.01, 0.01, 1.0), ('m', 'm', 'm', '1'), 'world', ('x', 'y', 'z', 'gripper')
)


@pytest.mark.parametrize(
    ('spec', 'message'),
    [
        (dataclasses.replace(SPEC, rate_hz=10.0), 'made for 10.0 Hz, this cell runs at 20.0 Hz'),
        (PolicySpec('p', (FRONT,)), r"needs camera \['front'\], this cell runs with \['back'\]"),
        (PolicySpec('p', (ObservationSpec('smell', (1,), '1'),)), 'smell: unknown observation'),
        (PolicySpec('p', (dataclasses.replace(ARM, shape=(6,)),)), 'the cell offers'),
        (
            dataclasses.replace(SPEC, action=ActionSpec(scale=(0.07, 0.07, 0.5, 1.0, 1.0))),
            'action z is scaled by 0.5, allowed up to 0.07',
        ),
        (
            dataclasses.replace(SPEC, action=ActionSpec(scale=(np.nan, 0.07, 0.07, 1.0, 1.0))),
            'action x is scaled by nan',
        ),
        (dataclasses.replace(SPEC, action=ActionSpec(frame='tool')), "frame 'tool'"),
        (dataclasses.replace(SPEC, action=HAND), r"acts by \('x', 'y', 'z', 'gripper'\)"),
        (dataclasses.replace(SPEC, action=ActionSpec(discrete=False)), 'discrete: False; this'),
    ],
)
def test_a_policy_that_does_not_fit_the_cell_is_refused_with_the_reason(spec, message):
    with pytest.raises(PolicyRefusedError, match=message):
        check_fits(spec, Offer(rate_hz=20.0, cameras=('back',)))


def test_a_slower_policy_fits():
    check_fits(dataclasses.replace(SPEC, action=ActionSpec(scale=(0.01,) * 5)), OFFER)
