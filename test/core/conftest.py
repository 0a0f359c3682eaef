"""What several tests of the safety core begin with."""

import pytest

from chef_cell.core.safety import SafetyLatch


@pytest.fixture
def latch():
    """A latch in a running episode."""
    latch = SafetyLatch()
    latch.start_episode('e1', 0.0)
    return latch
