"""Which limits are in force, and where does each come from?"""

import dataclasses
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from chef_cell.doctor.finding import Finding, Level
from chef_cell.graph import LIMITS, NodeSpec

#: Gains and postures shape a motion, names and frames say where; they do not bound it.
_NO_LIMITS = {
    'upright_rate', 'damping', 'posture_rate', 'posture', 'limit_rate', 'limit_margin',
    'cameras', 'tool_mass', 'tool_centre', 'tool_position', 'tool_orientation',
    'sensor_orientation', 'bias_force', 'bias_torque',
}  # fmt: skip
#: A larger number of these allows less; of the latter two, 0 is not judged at all.
_STRICTER = {'missed_window', 'frozen_values', 'frozen_images'}
#: What this file allows beyond the default is what a simulated device is like.
_SIMULATED = 'sim.yaml'


@dataclasses.dataclass(frozen=True)
class Limit:
    """One limit in force."""

    node: str
    name: str
    value: Any
    default: Any
    origin: str  # override, a file, or default


def effective(
    nodes: Iterable[NodeSpec], files: Iterable[Path], overrides: Mapping[str, Mapping[str, Any]]
) -> list[Limit]:
    """Return the limits of a cell and their origin.

    Args:
        nodes: of the cell, with their parameters.
        files: parameter files, of which later ones win.
        overrides: node -> parameter -> value, which win over the files.
    """
    origins: dict[tuple[str, str], str] = {}
    for path in files:
        for node, section in (yaml.safe_load(path.read_text()) or {}).items():
            for name in section['ros__parameters']:
                origins[node, name] = path.name
    origins |= {(node, name): 'override' for node in overrides for name in overrides[node]}
    parameters = {node.name: node.parameters for node in nodes}
    return [
        Limit(
            node,
            field.name,
            parameters[node].get(field.name, field.default),
            field.default,
            origins.get((node, field.name), 'default'),
        )
        for node, kinds in LIMITS.items()
        for kind in kinds
        for field in dataclasses.fields(kind)
        if field.name not in _NO_LIMITS
    ]


def judge(limit: Limit) -> Finding:
    """Judge one limit: one that allows more than its default deserves a second look."""
    name = f'{limit.node}.{limit.name}'
    value = f'{_text(limit.value)} ({limit.origin})'
    expected = f'default {_text(limit.default)}'
    try:
        looser = limit.value > limit.default and limit.name not in _STRICTER
    except TypeError:  # lists and tuples: the workspace has no looser side
        looser = False
    if looser and limit.origin != _SIMULATED:
        remedy = f'allows more than the default: make sure, or take it out of {limit.origin}'
        return Finding(name, Level.WARN, value, expected, remedy)
    return Finding(name, Level.OK, value, expected)


def judge_running(node: str, limits: Iterable[Limit], running: Mapping[str, Any]) -> Finding:
    """Judge whether a running node has the limits that the files and overrides ask for."""
    name = f'{node} in force'
    expected = 'as configured'
    if not running:
        remedy = f'the node {node} does not answer: look at its log'
        return Finding(name, Level.FAIL, 'unknown', expected, remedy)
    wanted = {limit.name: limit.value for limit in limits if limit.node == node}
    different = [
        f'{key} {_text(running.get(key))} (configured {_text(value)})'
        for key, value in wanted.items()
        if _plain(running.get(key)) != _plain(value)
    ]
    if different:
        remedy = 'the cell was started with other files or overrides: start it again'
        return Finding(name, Level.WARN, ', '.join(different), expected, remedy)
    return Finding(name, Level.OK, f'{len(wanted)} limits as configured', expected)


def limit_names(node: str) -> list[str]:
    """Return the names of the limits of a node."""
    return [
        field.name
        for kind in LIMITS[node]
        for field in dataclasses.fields(kind)
        if field.name not in _NO_LIMITS
    ]


def _plain(value: Any) -> Any:
    """Compare lists, tuples and arrays as lists."""
    return [float(item) for item in value] if hasattr(value, '__len__') else value


def _text(value: Any) -> str:
    if hasattr(value, '__len__'):
        return f'[{", ".join(f"{item:.4g}" for item in value)}]'
    return f'{value:.4g}' if isinstance(value, float) else str(value)
