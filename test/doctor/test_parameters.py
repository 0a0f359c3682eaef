"""Every node of the cell is asked which settings it declares."""

import pytest

from chef_cell.cli.paths import config_folder
from chef_cell.core.command import GateSettings
from chef_cell.core.velocity import ControllerSettings
from chef_cell.doctor import parameters
from chef_cell.doctor.finding import Level
from chef_cell.graph import CAMERAS, LIMITS, CellSettings, NodeSpec, nodes

COMMON = {'lockstep', 'peers'}


@pytest.mark.parametrize('teleop', ['', 'keyboard'])
def test_the_shipped_files_are_taken_by_every_node(teleop):
    for node in nodes(CellSettings(cameras=CAMERAS, teleop=teleop), config_folder()):
        assert parameters.settings_of(node), node.name
        assert parameters.judge(node, COMMON).level is Level.OK, node.name


def test_the_limits_in_the_episode_files_are_those_that_the_nodes_declare():
    assert set(LIMITS['controller']) == {GateSettings, ControllerSettings}
    for name, kinds in LIMITS.items():
        assert set(kinds) <= set(parameters.settings_of(NodeSpec(name, {})))


@pytest.mark.parametrize(
    ('node', 'given', 'words'),
    [
        ('safety', {'force_limt': 10.0}, 'force_limt'),
        ('safety', {'force_limit': -1.0}, 'must be positive'),
        ('policy', {'max_aeg': 1.0}, 'max_aeg'),
        ('recorder', {'queue_mb': 'much'}, 'expected float'),
        ('session', {'max_stepps': 3}, 'max_stepps'),
        ('camera', {'image_size': 0}, 'must be positive'),
    ],
)
def test_a_parameter_that_would_not_take_effect_fails(node, given, words):
    found = parameters.judge(NodeSpec(node, {'lockstep': True, **given}), COMMON)
    assert found.level is Level.FAIL
    assert words in found.value
