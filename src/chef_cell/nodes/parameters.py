"""Settings of a node as read-only ROS parameters."""

import dataclasses
from typing import Any, TypeVar

from rcl_interfaces.msg import ParameterDescriptor
from rclpy.node import Node

from chef_cell.core import settings as core_settings

Settings = TypeVar('Settings')


def declare_settings(node: Node, kind: type[Settings]) -> Settings:
    """Declare one read-only parameter per field of the frozen dataclass `kind`, and fill it.

    The field's `metadata['doc']`, if any, becomes the parameter's description. Effective values
    are logged, because a safety limit nobody can see is a limit nobody can trust. A node that is
    configured again finds its parameters as they were.

    Raises:
        SettingsError: a value is missing, of the wrong type or out of range.
    """
    values: dict[str, Any] = {}
    for field in dataclasses.fields(kind):  # type: ignore[arg-type]
        # Dynamic typing, because YAML readers give 3 where a limit of 3.0 is meant; the type is
        # checked below.
        descriptor = ParameterDescriptor(
            description=field.metadata.get('doc', ''), read_only=True, dynamic_typing=True
        )
        default = None if field.default is dataclasses.MISSING else field.default
        value = declared(node, field.name, _parameter_default(default), descriptor)
        value = default if value is None else value
        if value is None:
            raise core_settings.SettingsError(f'parameter {field.name} is not set')
        values[field.name] = value
    settings = core_settings.from_dict(kind, values)
    node.get_logger().info(f'settings: {settings}')
    return settings


def declared(node: Node, name: str, default: Any, descriptor: ParameterDescriptor) -> Any:
    """Return the value of a parameter, which is declared now unless it was before."""
    if node.has_parameter(name):
        return node.get_parameter(name).value
    return node.declare_parameter(name, default, descriptor).value


def _parameter_default(default: Any) -> Any:
    """An empty list has no ROS type: leave such a parameter unset."""
    if isinstance(default, tuple):
        return list(default) or None
    return default
