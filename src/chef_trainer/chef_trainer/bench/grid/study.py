"""A study in a YAML file, as far as all of them are alike."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml


class StudyError(ValueError):
    """A study is malformed, or what it needs is not there; the message says what is allowed."""


def read_study(path: Path) -> dict[str, Any]:
    """Return the mapping in a YAML file; raises StudyError."""
    try:
        values = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise StudyError(f'{path}: {error}') from error
    if not isinstance(values, dict):
        raise StudyError(f'{path}: expected a mapping, got {type(values).__name__}')
    return values


def tuples(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with YAML's lists as tuples."""
    return {key: tuple(v) if isinstance(v, list) else v for key, v in values.items()}
