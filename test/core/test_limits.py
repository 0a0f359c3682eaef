import dataclasses

import pytest

from chef_cell.core.limits import SAWYER


def test_the_arm_has_seven_joints():
    assert {len(getattr(SAWYER, field.name)) for field in dataclasses.fields(SAWYER)} == {7}


@pytest.mark.parametrize(
    ('change', 'named'),
    [
        ({'lower': SAWYER.upper}, 'below upper'),
        ({'velocity': (0.0,) * 7}, r'velocity \(0\.0'),
        ({'acceleration': (-1.0,) * 7}, r'acceleration \(-1\.0'),
    ],
)
def test_impossible_limits_are_refused(change, named):
    with pytest.raises(ValueError, match=named):
        dataclasses.replace(SAWYER, **change)
