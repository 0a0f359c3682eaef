"""The one node list."""

import importlib
import json
from pathlib import Path

import pytest
import yaml

from chef_cell.core.command import GateSettings
from chef_cell.core.teleop import DEVICES
from chef_cell.graph import (
    CAMERAS,
    DRIVERS,
    CellSettings,
    GraphError,
    nodes,
    parameter_file,
    sawyer,
)

CONFIG = Path(__file__).parents[1] / 'config'


def parameters(settings=None, **arguments):
    specs = nodes(settings or CellSettings(), CONFIG, **arguments)
    return {spec.name: spec.parameters for spec in specs}


CELLS = [
    CellSettings(cameras=CAMERAS),
    CellSettings(reset='scripted'),
    CellSettings(teleop='keyboard', cameras=CAMERAS[:1], view=0),
    CellSettings(cameras=CAMERAS, tracker=True),
    CellSettings(cell='real', lockstep=False),
    CellSettings(cell='real', lockstep=False, cameras=CAMERAS),
    CellSettings(cell='gazebo', lockstep=False, cameras=CAMERAS),
]
#: Parameters that name other nodes, or repeat what they are set to.
GRAPH = {'peers', 'required', 'limits', 'calibration'}


@pytest.mark.parametrize('cell', CELLS)
def test_every_node_is_a_module_with_a_main(cell):
    for spec in nodes(cell, CONFIG):
        assert callable(importlib.import_module(spec.module).main)


@pytest.mark.parametrize('cell', CELLS)
def test_every_configured_parameter_exists(cell):
    """A misspelt limit in a file would otherwise be a limit that nobody checks."""
    for spec in nodes(cell, CONFIG):
        source = Path(importlib.import_module(spec.module).__file__).read_text()
        known = {'peers', 'use_sim_time', *_fields(importlib.import_module(spec.module))}
        for name in spec.parameters:
            assert name in known or f"'{name}'" in source, f'{spec.name} has no parameter {name}'


def _fields(module):
    names = set()
    for value in vars(module).values():
        names |= set(getattr(value, '__dataclass_fields__', {}))
    return names


def test_every_node_runs_by_the_same_clock():
    for lockstep in (True, False):
        for values in parameters(CellSettings(lockstep=lockstep)).values():
            assert values['lockstep'] is lockstep


def test_cameras_start_a_camera_node_and_are_waited_for():
    assert 'camera' not in parameters()
    values = parameters(CellSettings(cameras=CAMERAS[:1]))

    assert values['camera']['cameras'] == values['mujoco_bridge']['cameras'] == [CAMERAS[0]]
    assert 'camera' in values['session']['required']


@pytest.mark.parametrize('device', DEVICES)
def test_a_person_takes_the_place_of_the_policy(device):
    """Two commanders would be a fault."""
    specs = {spec.name: spec for spec in nodes(CellSettings(teleop=device), CONFIG)}

    assert 'policy' not in specs
    assert specs['teleop'].parameters['device'] == device
    assert 'teleop' in specs['session'].parameters['required']
    assert [spec.name for spec in specs.values() if spec.reads_keys] == (
        ['teleop'] if device == 'keyboard' else []
    )


def test_a_real_cell_differs_only_in_its_drivers():
    simulated = parameters(CellSettings(lockstep=False, reset='scripted'))
    real = parameters(CellSettings(cell='real', lockstep=False))

    drivers = {cell: set(names) for cell, names in DRIVERS.items()}
    assert set(simulated) - drivers['sim'] == set(real) - drivers['real']
    own = {
        node for cell in DRIVERS for node in yaml.safe_load((CONFIG / f'{cell}.yaml').read_text())
    }
    for name in set(real) - own:
        kept = {key: value for key, value in real[name].items() if key not in GRAPH}
        assert kept == {k: v for k, v in simulated[name].items() if k not in GRAPH}, name


def test_a_sawyer_for_other_programs_has_nobody_of_ours_to_command_it():
    specs = {spec.name: spec.parameters for spec in sawyer(CONFIG, '10.0.0.7', 11312)}

    assert set(specs) == {'mujoco_bridge', 'position_kinematics', 'intera_server'}
    assert specs['intera_server'] == {'lockstep': False, 'host': '10.0.0.7', 'port': 11312}
    assert specs['mujoco_bridge']['lockstep'] is False


def test_tracked_poses_take_the_place_of_the_true_ones():
    assert 'tracker' not in parameters(CellSettings(cameras=CAMERAS))
    values = parameters(CellSettings(cameras=CAMERAS, tracker=True))

    assert values['mujoco_bridge']['objects_topic'] == 'sim/objects'
    assert values['tracker']['calibration'] == 'simulated'
    assert values['tracker']['cameras'] == list(CAMERAS)
    assert 'tracker' in values['session']['required']
    with pytest.raises(GraphError, match='sees nothing'):
        CellSettings(tracker=True)


def test_a_real_cell_sees_its_objects_through_the_calibration_of_its_cameras():
    cell = CellSettings(cell='real', lockstep=False, cameras=CAMERAS)
    values = parameters(cell, overrides={'camera_driver': {'calibration': 'cameras.yaml'}})

    assert values['tracker']['calibration'] == 'cameras.yaml'
    assert 'tracker' not in parameters(CellSettings(cell='real', lockstep=False))


def test_overrides_win_over_the_files():
    assert parameters()['safety']['force_limit'] == 20.0
    values = parameters(overrides={'safety': {'force_limit': 12.5}})

    assert values['safety']['force_limit'] == 12.5
    assert json.loads(values['recorder']['limits'])['safety']['force_limit'] == 12.5


def test_the_recorder_is_told_all_limits_in_force_not_only_those_that_were_set():
    told = json.loads(parameters()['recorder']['limits'])

    assert told['safety']['torque_limit'] == 30.0
    assert told['controller']['retreat_distance'] == 0.01
    assert told['controller']['safety_timeout'] == GateSettings.safety_timeout
    assert told['wrist']['force_range'] == 1e6


def test_a_limit_that_cannot_be_is_refused_before_anything_starts():
    with pytest.raises(GraphError, match=r'safety: .*force_limit = -1\.0, must be positive'):
        parameters(overrides={'safety': {'force_limit': -1.0}})


def test_the_latch_misses_the_cameras_of_the_cell():
    values = parameters(CellSettings(cameras=CAMERAS[:2]))

    assert values['safety']['cameras'] == list(CAMERAS[:2])


def test_parameters_are_written_for_exactly_one_node():
    safety = next(
        s for s in nodes(CellSettings(namespace='/cell_07'), CONFIG) if s.name == 'safety'
    )
    content = yaml.safe_load(parameter_file(safety))

    assert content == {'/cell_07/safety': {'ros__parameters': safety.parameters}}


@pytest.mark.parametrize(
    ('settings', 'words'),
    [
        ({'cell': 'real'}, 'cell:=real runs on the clock on the wall'),
        ({'cell': 'moon'}, "unknown cell 'moon', allowed: sim, real, gazebo"),
        ({'reset': 'person'}, "unknown reset 'person', allowed: scene, scripted"),
        (
            {'cell': 'real', 'lockstep': False, 'reset': 'scene'},
            'cell:=real has nobody to make a scene',
        ),
        ({'teleop': 'wheel'}, "unknown device 'wheel', allowed: keyboard, gamepad, spacemouse"),
        ({'cameras': ('ceiling',)}, r"unknown cameras \['ceiling'\]"),
    ],
)
def test_a_cell_that_does_not_exist_is_refused(settings, words):
    with pytest.raises(GraphError, match=words):
        CellSettings(**settings)


def test_a_section_for_an_unknown_node_is_refused(tmp_path):
    (tmp_path / 'cell.yaml').write_text('safty:\n  ros__parameters: {force_limit: 10.0}\n')
    (tmp_path / 'sim.yaml').write_text('')

    with pytest.raises(GraphError, match="section 'safty'"):
        nodes(CellSettings(), tmp_path)


@pytest.mark.parametrize(
    ('settings', 'reset'),
    [
        (CellSettings(), 'scene'),
        (CellSettings(reset='scripted'), 'scripted'),
        (CellSettings(cell='real', lockstep=False), 'scripted'),
    ],
)
def test_who_resets_the_cell(settings, reset):
    found = parameters(settings)
    assert found['session']['reset'] == reset
    assert ('reset' in found) == (reset == 'scripted')
    assert ('reset' in found['session']['required']) == (reset == 'scripted')
