import pytest

from chef_cell.cli.paths import config_folder
from chef_cell.doctor import limits
from chef_cell.doctor.finding import Level
from chef_cell.graph import CellSettings, NodeSpec, nodes


def limits_of(overrides):
    config = config_folder()
    files = [config / 'cell.yaml', config / 'sim.yaml']
    found = limits.effective(nodes(CellSettings(), config, overrides=overrides), files, overrides)
    return {(limit.node, limit.name): limit for limit in found}


def test_every_limit_has_an_origin():
    found = limits_of({'safety': {'torque_limit': 5.0}})
    assert found['safety', 'force_limit'].origin == 'cell.yaml'
    assert found['safety', 'torque_limit'].origin == 'override'
    assert found['safety', 'torque_limit'].value == 5.0
    assert found['controller', 'safety_timeout'].origin == 'default'


@pytest.mark.parametrize(('force', 'level'), [(10.0, Level.OK), (25.0, Level.WARN)])
def test_a_looser_limit_is_pointed_out(force, level):
    limit = limits_of({'safety': {'force_limit': force}})['safety', 'force_limit']
    assert limits.judge(limit).level is level


@pytest.mark.parametrize(
    ('parameters', 'words'),
    [({'force_limt': 10.0}, 'force_limt'), ({'force_limit': -1.0}, 'must be positive')],
)
def test_a_limit_that_would_not_take_effect_fails(parameters, words):
    found = limits.judge_settings(
        NodeSpec('safety', {'lockstep': True, **parameters}), {'lockstep'}
    )
    assert found.level is Level.FAIL
    assert words in found.value


def test_the_shipped_files_are_taken():
    for node in nodes(CellSettings(), config_folder()):
        if node.name in limits.SETTINGS:
            assert limits.judge_settings(node, {'lockstep', 'peers'}).level is Level.OK


def test_a_running_node_is_compared_with_the_files():
    configured = list(limits_of({}).values())
    running = {limit.name: limit.value for limit in configured if limit.node == 'safety'}
    assert limits.judge_running('safety', configured, running).level is Level.OK
    found = limits.judge_running('safety', configured, {**running, 'force_limit': 40.0})
    assert found.level is Level.WARN
    assert 'force_limit 40 (configured 20)' in found.value
    assert limits.judge_running('safety', configured, {}).level is Level.FAIL
