"""Launch files: every argument is described; real launch starts exactly the one node list."""

import ast
import importlib.util
import os
from pathlib import Path

import pytest

from chef_cell.graph import CellSettings, nodes

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / 'launch').glob('*.launch.py'))


def arguments(path):
    """The ARGUMENTS table of a launch file: name, default, description."""
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == 'ARGUMENTS':
            return [tuple(map(ast.unparse, row.elts)) for row in node.value.elts]
    raise AssertionError(f'{path} has no ARGUMENTS')


def test_there_are_launch_files():
    assert [path.name for path in FILES] == [
        'cell.launch.py',
        'sawyer.launch.py',
        'session.launch.py',
    ]


@pytest.mark.parametrize('path', FILES, ids=lambda path: path.name)
def test_every_launch_argument_has_a_default_and_a_description(path):
    for row in arguments(path):
        name, _, description = row
        assert len(description) > 10, f'{path.name}: {name} is not described'
    tree = ast.parse(path.read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    declared = [call for call in calls if ast.unparse(call.func) == 'DeclareLaunchArgument']
    assert len(declared) == 1
    assert {keyword.arg for keyword in declared[0].keywords} == {'default_value', 'description'}


@pytest.fixture
def cell_launch(tmp_path, monkeypatch):
    """launch/cell.launch.py as a module, its package found in this tree."""
    pytest.importorskip('launch_ros', reason='launch is not installed: no wheel has it')
    index = tmp_path / 'share' / 'ament_index' / 'resource_index' / 'packages'
    index.mkdir(parents=True)
    (index / 'chef_cell').touch()
    (tmp_path / 'share' / 'chef_cell').symlink_to(ROOT)
    prefixes = [str(tmp_path), *filter(None, [os.environ.get('AMENT_PREFIX_PATH')])]
    monkeypatch.setenv('AMENT_PREFIX_PATH', os.pathsep.join(prefixes))
    spec = importlib.util.spec_from_file_location('cell_launch', ROOT / 'launch/cell.launch.py')
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_launch_starts_exactly_the_node_list(cell_launch, tmp_path):
    from launch import LaunchContext

    context = LaunchContext()
    context.launch_configurations.update({n: d for n, d, _ in cell_launch.ARGUMENTS})
    context.launch_configurations['directory'] = str(tmp_path)
    started = cell_launch.start(context)

    settings = CellSettings(directory=str(tmp_path))
    expected = nodes(settings, ROOT / 'config')
    assert [node.node_executable for node in started] == [spec.executable for spec in expected]
    assert [type(node).__name__ for node in started] == [
        'LifecycleNode' if spec.lifecycle else 'Node' for spec in expected
    ]
