"""One finished episode, for every test that only reads."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))  # makes `recorded` importable for the tests here

from recorded import fill

from chef_trainer.episodes import EpisodeWriter


@pytest.fixture
def episode(tmp_path: Path) -> Path:
    """A finished episode of 20 control steps."""
    metadata = {'episode_id': 'e0', 'namespace': '/cell', 'limits': {'force': 20.0}}
    writer = EpisodeWriter(tmp_path, '0000_e0', metadata)
    fill(writer, 20)
    return writer.finish({'outcome': 'success', 'peak_force': float('nan')})
