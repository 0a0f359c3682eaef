"""Message definitions, type hashes and QoS of the graph, in the words that bags use."""

import functools
import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from rclpy.duration import Duration
from rclpy.qos import QoSProfile

from chef_trainer.episodes.definitions import PRIMITIVES, parse_fields, short_name

_SEPARATOR = '=' * 80


class UnknownTypeError(LookupError):
    """A message type that is not installed here."""


def message_class(type_name: str) -> type:
    """Return the Python class of 'pkg/msg/Name'; raises UnknownTypeError."""
    package, _, name = short_name(type_name).partition('/')
    try:
        return getattr(importlib.import_module(f'{package}.msg'), name)
    except (ImportError, AttributeError) as error:
        raise UnknownTypeError(f'{type_name}: {error}') from error


@functools.cache
def definition(type_name: str) -> str:
    """Return the definition of 'pkg/msg/Name' followed by all it contains (schema ros2msg).

    Raises UnknownTypeError naming the type that is missing.
    """
    root = short_name(type_name)
    texts = {root: _text(root)}
    waiting = [root]
    while waiting:
        name = waiting.pop(0)
        for field in parse_fields(name, texts[name]):
            if field.type_name not in (*PRIMITIVES, 'string', *texts):
                texts[field.type_name] = _text(field.type_name)
                waiting.append(field.type_name)
    return f'\n{_SEPARATOR}\n'.join(
        text if name == root else f'MSG: {name}\n{text}' for name, text in texts.items()
    )


@functools.cache
def type_hash(type_name: str) -> str:
    """Return the RIHS01 hash of 'pkg/msg/Name'; empty for interfaces built without hashes."""
    path = _share(type_name).with_suffix('.json')
    if not path.is_file():
        return ''
    hashes = json.loads(path.read_text(encoding='utf-8'))['type_hashes']
    return next((item['hash_string'] for item in hashes if item['type_name'] == type_name), '')


def bag_qos(profile: QoSProfile) -> dict[str, Any]:
    """Return a QoS profile as rosbag2 writes it down."""
    return {
        'history': profile.history.short_key,
        'depth': profile.depth,
        'reliability': profile.reliability.short_key,
        'durability': profile.durability.short_key,
        'deadline': _time(profile.deadline),
        'lifespan': _time(profile.lifespan),
        'liveliness': profile.liveliness.short_key,
        'liveliness_lease_duration': _time(profile.liveliness_lease_duration),
        'avoid_ros_namespace_conventions': profile.avoid_ros_namespace_conventions,
    }


def _time(duration: Duration) -> dict[str, int]:
    # rosbag2's numbers for "none"; a default-made profile says none with 0.
    nanoseconds = duration.nanoseconds or 2**63 - 1
    return {'sec': nanoseconds // 10**9, 'nsec': nanoseconds % 10**9}


def _text(name: str) -> str:
    return _share(name).with_suffix('.msg').read_text(encoding='utf-8')


def _share(name: str) -> Path:
    """Path of a message's files in the installed packages, without suffix."""
    package, _, message = short_name(name).partition('/')
    # Under the wheels packages lie in the virtual environment, with or without the variable.
    prefixes = [*os.environ.get('AMENT_PREFIX_PATH', '').split(os.pathsep), sys.prefix]
    for prefix in filter(None, prefixes):
        path = Path(prefix) / 'share' / package / 'msg' / message
        if path.with_suffix('.msg').is_file():
            return path
    raise UnknownTypeError(f'{name} is not installed in {prefixes}')
