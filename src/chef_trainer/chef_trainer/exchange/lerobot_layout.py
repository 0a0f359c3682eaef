"""The LeRobotDataset format, version 3.0: paths, features and statistics.

Many episodes share a parquet file and, per camera, an mp4 file; `meta/episodes` says where each of
them lies. Every stored quantity is a feature in `meta/info.json`.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from chef_trainer.spec import ACTION_NAMES
from chef_trainer.task.rewards import REWARD_NAMES

VERSION = 'v3.0'
CHUNKS_SIZE = 1000  # files per chunk folder
DATA_FILE_MB, VIDEO_FILE_MB = 100, 200
DATA_PATH = 'data/chunk-{chunk_index:03d}/file-{file_index:03d}.parquet'
VIDEO_PATH = 'videos/{video_key}/chunk-{chunk_index:03d}/file-{file_index:03d}.mp4'
EPISODES_PATH = 'meta/episodes/chunk-000/file-000.parquet'
TASKS_PATH, INFO_PATH, STATS_PATH = 'meta/tasks.parquet', 'meta/info.json', 'meta/stats.json'
#: Ours: what the format has no place for, a JSON object per episode.
METADATA_PATH = 'meta/chef_episodes.jsonl'

STATE, ENVIRONMENT = 'observation.state', 'observation.environment_state'
IMAGES = 'observation.images.'
SUCCESS, REWARD, DONE = 'next.success', 'next.reward', 'next.done'
#: Ours: all six rewards, the largest force, the time of measurement, the index of the task.
OWN = {
    'chef.rewards': ('float32', REWARD_NAMES),
    'chef.force': ('float32', None),
    'chef.stamp': ('int64', None),
    'chef.intention': ('int64', None),
}
#: Features that every data set has.
BOOKKEEPING = {
    'timestamp': 'float32', 'frame_index': 'int64', 'episode_index': 'int64', 'index': 'int64',
    'task_index': 'int64',
}  # fmt: skip
QUANTILES = {'q01': 0.01, 'q10': 0.1, 'q50': 0.5, 'q90': 0.9, 'q99': 0.99}

Statistics = dict[str, np.ndarray]


def place(number: int) -> dict[str, int]:
    """Return chunk and file of the file with this number."""
    chunk, file = divmod(number, CHUNKS_SIZE)
    return {'chunk_index': chunk, 'file_index': file}


def feature(dtype: str, names: Iterable[str] | None = None, size: int = 1) -> dict[str, Any]:
    """Return the entry of one numeric feature in info.json."""
    listed = None if names is None else list(names)
    return {'dtype': dtype, 'shape': [len(listed) if listed else size], 'names': listed}


def numeric_features(vectors: Mapping[str, Iterable[tuple[str, int]]]) -> dict[str, Any]:
    """Return all features but the images.

    Args:
        vectors: name of a vector feature -> the observations it joins, and how long each is.
    """
    features = {
        name: feature('float32', _component_names(parts)) for name, parts in vectors.items()
    }
    features['action'] = feature('float32', ACTION_NAMES)
    features |= {REWARD: feature('float32'), DONE: feature('bool'), SUCCESS: feature('bool')}
    features |= {name: feature(dtype, names) for name, (dtype, names) in OWN.items()}
    return features | {name: feature(dtype) for name, dtype in BOOKKEEPING.items()}


def _component_names(parts: Iterable[tuple[str, int]]) -> list[str]:
    return [
        name if size == 1 else f'{name}.{index}' for name, size in parts for index in range(size)
    ]


def component_columns(names: Iterable[str]) -> dict[str, list[int]]:
    """Return observation -> its columns in a vector whose components have these names."""
    columns: dict[str, list[int]] = {}
    for column, name in enumerate(names):
        columns.setdefault(name.rpartition('.')[0] or name, []).append(column)
    return columns


def image_feature(shape: tuple[int, int, int], video: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return the entry of a camera; `video` tells how it is encoded, None: single images."""
    entry: dict[str, Any] = {
        'dtype': 'image' if video is None else 'video',
        'shape': list(shape),
        'names': ['height', 'width', 'channels'],
    }
    if video is not None:
        size = {'height': shape[0], 'width': shape[1], 'channels': 3, 'is_depth_map': False}
        about = {f'video.{key}': value for key, value in {**size, **video}.items()}
        entry['info'] = {**about, 'has_audio': False}
    return entry


def statistics(values: np.ndarray, count: int | None = None) -> Statistics:
    """Return what the format keeps of values (n, k); `count` if they are only a sample."""
    wide = values.astype(np.float64)
    result = {'min': wide.min(0), 'max': wide.max(0), 'mean': wide.mean(0), 'std': wide.std(0)}
    result['count'] = np.array([len(values) if count is None else count])
    quantiles = np.quantile(wide, list(QUANTILES.values()), axis=0)
    return result | dict(zip(QUANTILES, quantiles, strict=True))


def image_statistics(sample: np.ndarray, count: int) -> Statistics:
    """Return those of images (n, h, w, 3) per channel, (3, 1, 1), pixels from 0 to 1."""
    values = statistics(sample.reshape(-1, 3) / 255.0, count)
    return {
        name: value if name == 'count' else value.reshape(3, 1, 1)
        for name, value in values.items()
    }


def merged(parts: list[Statistics]) -> Statistics:
    """Return the statistics of several episodes together.

    Mean and deviation are exact; quantiles are means of the episodes', as in the format's own
    writer.
    """
    counts = np.array([part['count'][0] for part in parts], np.float64)
    weights = counts / counts.sum()

    def mean(name: str) -> np.ndarray:
        return np.tensordot(weights, np.stack([part[name] for part in parts]), 1)

    centre = mean('mean')
    spread = [part['std'] ** 2 + (part['mean'] - centre) ** 2 for part in parts]
    return {
        'min': np.min([part['min'] for part in parts], axis=0),
        'max': np.max([part['max'] for part in parts], axis=0),
        'mean': centre,
        'std': np.sqrt(np.tensordot(weights, np.stack(spread), 1)),
        'count': np.array([int(counts.sum())]),
        **{name: mean(name) for name in QUANTILES},
    }


def huggingface_schema(features: Mapping[str, Any]) -> str:
    """Return what the `datasets` library reads from a parquet file's schema."""

    def kind(entry: Mapping[str, Any]) -> dict[str, Any]:
        if entry['dtype'] == 'image':
            return {'_type': 'Image'}
        value = {'dtype': entry['dtype'], '_type': 'Value'}
        size = entry['shape'][0]
        return value if size == 1 else {'feature': value, 'length': size, '_type': 'List'}

    stored = {name: kind(entry) for name, entry in features.items() if entry['dtype'] != 'video'}
    return json.dumps({'info': {'features': stored}})
