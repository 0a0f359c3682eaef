"""The law of the rooms: who may import whom, and how long a file may be.

A room is a folder or a file. Its syntax trees are walked, so imports inside functions
count too. What a room does not list is the standard library or forbidden.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .rooms import MAY_IMPORT, NODES, OUTSIDE_WORLD

ROOT = Path(__file__).parents[1]
SOURCES = (ROOT / 'src', ROOT / 'src' / 'chef_trainer')

MAX_FILE_LINES = 300
MAX_NODE_LINES = 150
MAX_FUNCTION_LINES = 40


def modules() -> Iterator[tuple[str, Path]]:
    """Yield the dotted name and the path of every module."""
    for source, package in zip(SOURCES, ('chef_cell', 'chef_trainer'), strict=True):
        for path in sorted((source / package).rglob('*.py')):
            parts = path.relative_to(source).with_suffix('').parts
            yield '.'.join(part for part in parts if part != '__init__'), path


MODULES = dict(modules())


def imports(path: Path) -> Iterator[tuple[int, str]]:
    """Yield the line and the dotted name of everything a file imports when it runs."""
    nodes = [ast.parse(path.read_text())]
    while nodes:
        node = nodes.pop()
        if isinstance(node, ast.If) and ast.unparse(node.test) == 'TYPE_CHECKING':
            nodes.extend(node.orelse)
            continue
        nodes.extend(ast.iter_child_nodes(node))
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f'{path}:{node.lineno}: relative import'
            for alias in node.names:
                name = f'{node.module}.{alias.name}'
                yield node.lineno, name if name in MODULES else str(node.module)


def is_inside(name: str, room: str) -> bool:
    return name == room or name.startswith(f'{room}.')


def room_of(module: str) -> str:
    return max((room for room in MAY_IMPORT if is_inside(module, room)), key=len)


def is_allowed(module: str, name: str) -> bool:
    top = name.partition('.')[0]
    room = room_of(module)
    if top in sys.stdlib_module_names:
        return not (is_inside(module, 'chef_cell.core') and top in OUTSIDE_WORLD)
    if name.split('.')[1:2] == ['testing']:
        return room == 'chef_cell.testing'
    if is_inside(name, 'chef_cell.nodes') and name.rpartition('.')[2] in NODES:
        return False
    return is_inside(name, room) or any(is_inside(name, other) for other in MAY_IMPORT[room])


@pytest.mark.parametrize('module', MODULES)
def test_a_room_imports_only_what_it_may(module: str):
    path = MODULES[module]
    bad = [
        f'{path.relative_to(ROOT)}:{line}: {room_of(module)} may not import {name}'
        for line, name in imports(path)
        if not is_allowed(module, name)
    ]
    assert not bad, '\n'.join(bad)


def test_core_prints_nothing_and_opens_nothing():
    bad = [
        f'{path.relative_to(ROOT)}:{node.lineno}: {node.func.id}()'
        for module, path in MODULES.items()
        if is_inside(module, 'chef_cell.core')
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {'print', 'open', 'input'}
    ]
    assert not bad, '\n'.join(bad)


def python_files() -> Iterator[Path]:
    for folder in ('src', 'test', 'launch', 'config'):
        yield from (ROOT / folder).rglob('*.py')


def test_files_are_short():
    bad = []
    for path in python_files():
        lines = len(path.read_text().splitlines())
        is_node = path.parent == ROOT / 'src/chef_cell/nodes' and path.stem in NODES
        limit = MAX_NODE_LINES if is_node else MAX_FILE_LINES
        if lines > limit:
            bad.append(f'{path.relative_to(ROOT)}: {lines} lines, at most {limit}')
    assert not bad, '\n'.join(bad)


def test_functions_are_short():
    bad = []
    for path in MODULES.values():
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.FunctionDef):
                continue
            # A docstring may be as long as it needs.
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            if lines > MAX_FUNCTION_LINES:
                name = f'{path.relative_to(ROOT)}:{node.lineno} {node.name}'
                bad.append(f'{name}: {lines} lines, at most {MAX_FUNCTION_LINES}')
    assert not bad, '\n'.join(bad)
