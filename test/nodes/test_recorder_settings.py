"""What the recorder is told, and what it refuses."""

from pathlib import Path

import pytest
import yaml

from chef_cell.nodes.recorder_settings import RecorderSettings

CONFIG = Path(__file__).parents[2] / 'config' / 'cell.yaml'


def test_the_configuration_says_what_is_recorded_by_default() -> None:
    told = yaml.safe_load(CONFIG.read_text())['recorder']['ros__parameters']
    told['topics'] = tuple(told['topics'])
    assert RecorderSettings(**told) == RecorderSettings()


@pytest.mark.parametrize(
    ('fields', 'message'),
    [
        ({'topics': ('a size=3',)}, 'allowed: rate, crop, jpeg'),
        ({'max_loss': 1.5}, r'max_loss 1.5, allowed: 0 .. 1'),
        ({'reserve_mb': 600.0}, 'reserve_mb 600 is above min_free_mb 512'),
        ({'quota_gb': -1.0}, 'must not be negative'),
        ({'keep_days': -1.0}, 'must not be negative'),
        ({'limits': '{'}, 'Expecting property name'),
        ({'calibration': '{'}, 'Expecting property name'),
    ],
)
def test_what_cannot_be_is_refused(fields: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        RecorderSettings(**fields)
