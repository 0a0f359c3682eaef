"""Does each node take its parameters? A misspelt limit is one that nobody reads."""

import ast
import dataclasses
import importlib
import inspect

from chef_cell.core.settings import SettingsError, from_dict
from chef_cell.doctor.finding import Finding, Level
from chef_cell.graph import NodeSpec


def settings_of(node: NodeSpec) -> tuple[type, ...]:
    """Return the settings that a node declares.

    They are looked up where the node does so, because a list of them would be one more place in
    which one can be forgotten.
    """
    module = importlib.import_module(node.module)
    return tuple(
        getattr(module, call.args[1].id)
        for call in ast.walk(ast.parse(inspect.getsource(module)))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == 'ros.declare_settings'
        and isinstance(call.args[1], ast.Name)
    )


def judge(node: NodeSpec, common: set[str]) -> Finding:
    """Judge whether a node takes its parameters; `common` are the names that every node has."""
    kinds = settings_of(node)
    known = {kind: {field.name for field in dataclasses.fields(kind)} for kind in kinds}
    unknown = sorted(set(node.parameters) - common - set().union(*known.values()))
    name, remedy = f'{node.name} parameters', 'correct config/*.yaml or --set'
    expected = 'all known and in range'
    if unknown:
        return Finding(name, Level.FAIL, f'nobody reads {unknown}', expected, remedy)
    try:
        for kind, names in known.items():
            from_dict(kind, {key: node.parameters[key] for key in names & set(node.parameters)})
    except SettingsError as error:
        return Finding(name, Level.FAIL, str(error), expected, remedy)
    return Finding(name, Level.OK, f'{len(node.parameters)} set', expected)
