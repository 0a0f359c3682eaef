"""Run directories belong to one run: what decides its result is written there, and compared."""

import importlib.metadata
import json
import types
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from chef_trainer.errors import RunError
from chef_trainer.policy_file import replacing

NOTHING: Mapping[str, Any] = types.MappingProxyType({})


def claim(
    file: Path,
    ours: dict[str, Any],
    ignored: Collection[str] = (),
    newer: Mapping[str, Any] = NOTHING,
) -> None:
    """Write what decides the result to `file`, or check that it says the same.

    Args:
        file: JSON, in the run directory.
        ours: what decides the result.
        ignored: keys that may differ.
        newer: what holds for a run of before these keys existed.

    Raises:
        RunError: it holds a run that differs; the message says in which keys.
    """
    ours = json.loads(json.dumps(ours, default=str))
    if file.exists():
        here = _flat(ours)
        there = _flat(json.loads(json.dumps(dict(newer)))) | _flat(read_claim(file))
        differing = [
            key
            for key in sorted(here.keys() | there.keys())
            if here.get(key) != there.get(key) and key[-1] not in ignored
        ]
        if differing:
            values = '; '.join(
                f'{key[-1]}: there {there.get(key)}, here {here.get(key)}' for key in differing
            )
            raise RunError(
                f'{file.parent} holds a run that differs in {[key[-1] for key in differing]} '
                f'({values:.300}); name another run directory, or restore what differs to go on'
            )
    with replacing(file) as temporary:
        temporary.write_text(json.dumps(ours, indent=1))


def read_claim(file: Path) -> dict[str, Any]:
    """Return what `claim` wrote; raises RunError if there is no run."""
    try:
        return dict(json.loads(file.read_text()))
    except (OSError, json.JSONDecodeError) as error:
        raise RunError(f'{file.parent}: not a run directory: {error}') from error


def _flat(values: dict[str, Any]) -> dict[tuple[str, ...], Any]:
    """Return the values with those of sections one by one."""
    flat: dict[tuple[str, ...], Any] = {}
    for key, value in values.items():
        section = value if isinstance(value, dict) else None
        flat |= {(key, one): section[one] for one in section} if section else {(key,): value}
    return flat


def software() -> dict[str, str]:
    """Versions of what decides the numbers; a package that is not installed is left out."""
    versions: dict[str, Any] = {}
    for package in ('torch', 'numpy', 'mujoco', 'onnxruntime'):
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions
