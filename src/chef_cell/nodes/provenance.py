"""Where an episode came from: what its file says about it beside the messages."""

import functools
import importlib.metadata
import json
import os
import platform
import socket
from typing import Any

from chef_cell.nodes.ros import nanoseconds
from chef_interfaces.msg import EpisodeState

_PACKAGES = ('chef_cell', 'chef_trainer', 'mujoco', 'mujoco-core', 'onnxruntime', 'numpy', 'mcap')


def episode_metadata(state: EpisodeState) -> dict[str, Any]:
    """Return what the session says about an episode; outcome and rewards once it has ended."""
    metadata: dict[str, Any] = {
        name: getattr(state, name)
        for name in (
            'session_id', 'episode_id', 'index', 'total', 'triplet', 'policy', 'policy_sha256',
            'seed', 'max_steps',
        )
    }  # fmt: skip
    # A policy has a file with a hash; a person has none.
    metadata['source'] = 'policy' if state.policy_sha256 else state.policy
    metadata['schedule'] = json.loads(state.schedule) if state.schedule else None
    metadata['objects'] = list(state.objects)
    metadata['start_ns'] = nanoseconds(state.start)
    if state.phase == EpisodeState.ENDED:
        names = ('steps', 'outcome', 'reason', 'success', 'value', 'limit', 'peak_force')
        metadata.update({name: getattr(state, name) for name in names})
        metadata['end_ns'] = nanoseconds(state.end)
        metadata['final_rewards'] = _by_name(state.reward_names, state.final_rewards)
        metadata['return_rewards'] = _by_name(state.reward_names, state.return_rewards)
    return metadata


@functools.cache
def software() -> dict[str, str]:
    """Return versions of what ran, as far as it is installed."""
    versions = {'python': platform.python_version(), 'platform': platform.platform()}
    for package in _PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    return versions


def host() -> dict[str, str]:
    """Return the machine and ROS settings in force."""
    return {
        'host': socket.gethostname(),
        'ros_distro': os.environ.get('ROS_DISTRO', ''),
        'rmw': os.environ.get('RMW_IMPLEMENTATION', 'rmw_fastrtps_cpp'),
    }


def cell_id(namespace: str) -> str:
    """Return the name of a cell that was given none."""
    return f'{socket.gethostname()}{namespace}'


def _by_name(names: list[str], values: list[float]) -> dict[str, float]:
    return {name: float(value) for name, value in zip(names, values, strict=True)}
