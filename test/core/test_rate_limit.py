"""Joint states as often as a client wants them."""

import numpy as np
import pytest

from chef_cell.core.rate_limit import RateLimit


@pytest.mark.parametrize(('asked', 'sent'), [(100, 200), (500, 200), (50, 100), (1, 2), (0, 2)])
def test_joint_states_go_out_as_often_as_asked_and_as_there_are(asked, sent):
    limit = RateLimit()
    limit.set(asked)
    jitter = np.random.default_rng(0).uniform(-0.001, 0.001, 200)
    assert sum(limit.due(0.01 * index + jitter[index]) for index in range(200)) == sent


def test_after_a_pause_there_is_nothing_to_catch_up():
    limit = RateLimit(10)
    assert limit.due(0.0)
    assert limit.due(5.0)
    assert not limit.due(5.05)
    assert limit.due(5.1)
