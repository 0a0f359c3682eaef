import pytest

from chef_cell.cli.paths import config_folder
from chef_cell.doctor import limits
from chef_cell.doctor.finding import Level
from chef_cell.graph import CellSettings, nodes


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


def test_what_only_a_simulated_sensor_may_do_is_no_looser_limit():
    found = limits_of({})['wrist', 'force_range']
    assert (found.origin, found.value) == ('sim.yaml', 1e6)
    assert limits.judge(found).level is Level.OK


@pytest.mark.parametrize(('force', 'level'), [(10.0, Level.OK), (25.0, Level.WARN)])
def test_a_looser_limit_is_pointed_out(force, level):
    limit = limits_of({'safety': {'force_limit': force}})['safety', 'force_limit']
    assert limits.judge(limit).level is level


def test_a_running_node_is_compared_with_the_files():
    configured = list(limits_of({}).values())
    running = {limit.name: limit.value for limit in configured if limit.node == 'safety'}
    assert limits.judge_running('safety', configured, running).level is Level.OK
    found = limits.judge_running('safety', configured, {**running, 'force_limit': 40.0})
    assert found.level is Level.WARN
    assert 'force_limit 40 (configured 20)' in found.value
    assert limits.judge_running('safety', configured, {}).level is Level.FAIL
