"""Arguments that several commands read."""

import argparse
from collections.abc import Iterable

import yaml

from chef_cell.graph import CAMERAS


def read_cameras(text: str) -> tuple[str, ...]:
    """Read names of cameras: all, none, or some with commas between them."""
    return {'all': CAMERAS, 'none': ()}.get(text, tuple(text.split(',')))


def read_override(text: str) -> tuple[str, str, object]:
    """Read NODE.PARAMETER=VALUE."""
    key, separator, value = text.partition('=')
    node, dot, parameter = key.partition('.')
    if not (separator and dot and node and parameter):
        raise argparse.ArgumentTypeError(f'{text!r}, expected NODE.PARAMETER=VALUE')
    return node, parameter, yaml.safe_load(value)


def by_node(overrides: Iterable[tuple[str, str, object]]) -> dict[str, dict[str, object]]:
    """Sort overrides: node -> parameter -> value."""
    sorted_: dict[str, dict[str, object]] = {}
    for node, parameter, value in overrides:
        sorted_.setdefault(node, {})[parameter] = value
    return sorted_


def add_cell_arguments(parser: argparse.ArgumentParser, set_help: str) -> None:
    """Add the options of every command that is about a whole cell: --out and --set."""
    parser.add_argument(
        '--out', default='sessions', metavar='DIR', help='where session folders are made'
    )
    add_overrides(parser, set_help)


def add_overrides(parser: argparse.ArgumentParser, set_help: str) -> None:
    """Add --set, whose values `by_node` sorts."""
    parser.add_argument(
        '--set',
        dest='overrides',
        type=read_override,
        action='append',
        default=[],
        metavar='NODE.PARAMETER=VALUE',
        help=set_help,
    )
