"""Turn plain dictionaries (YAML, ROS parameters) into frozen, checked settings."""

import dataclasses
import types
import typing
from typing import Any, TypeVar

Settings = TypeVar('Settings')


class SettingsError(ValueError):
    """A setting is unknown, missing or out of range."""


def from_dict(kind: type[Settings], values: dict[str, Any]) -> Settings:
    """Build the frozen dataclass `kind` from `values`.

    Raises:
        SettingsError: an unknown key (naming the allowed ones), a missing key, a wrong type, or
            whatever the dataclass refuses in `__post_init__` by raising ValueError.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise SettingsError(f'{kind.__name__}: unknown {unknown}, allowed: {sorted(fields)}')
    hints = typing.get_type_hints(kind)
    converted = {
        name: _convert(f'{kind.__name__}.{name}', hints[name], value)
        for name, value in values.items()
    }
    try:
        return kind(**converted)
    except (TypeError, ValueError) as error:
        raise SettingsError(f'{kind.__name__}: {error}') from error


def _convert(name: str, hint: Any, value: Any) -> Any:
    origin = typing.get_origin(hint)
    if origin is tuple:
        if isinstance(value, str) or not hasattr(value, '__iter__'):
            raise SettingsError(f'{name} = {value!r}: expected a list')
        inner = typing.get_args(hint)[0]
        return tuple(_convert(name, inner, item) for item in value)
    if origin in (typing.Union, types.UnionType):
        raise SettingsError(f'{name}: settings have one plain type each')
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, hint) or (hint is not bool and isinstance(value, bool)):
        raise SettingsError(f'{name} = {value!r}: expected {hint.__name__}')
    return value
