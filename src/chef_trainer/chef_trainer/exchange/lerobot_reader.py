"""Read a LeRobotDataset, version 3.0, as demonstrations."""

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes import EpisodeFileError
from chef_trainer.exchange import lerobot_layout as layout
from chef_trainer.exchange.episode_file import Recording, write_episode
from chef_trainer.exchange.lerobot_tables import pyarrow
from chef_trainer.exchange.video import read_frames
from chef_trainer.spec import ACTION_NAMES
from chef_trainer.task.observe import KINDS

_EXPORTED = 'chef-data export writes such data sets'


class LeRobotDataset:
    """A data set on disk.

    Raises:
        EpisodeFileError: it is not one of this version, or does not say what we must know: the
            five numbers of the action by name, and the arm's joints in observation.state.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pa = pyarrow()
        try:
            self.info = json.loads((folder / layout.INFO_PATH).read_text())
        except (OSError, ValueError) as error:
            problem = f'cannot be read: {error}'
            raise EpisodeFileError(folder, layout.INFO_PATH, problem, _EXPORTED) from error
        version = self.info.get('codebase_version')
        if version != layout.VERSION:
            remedy = "convert it with lerobot's own converter"
            problem = f'is {version!r}, this software reads {layout.VERSION}'
            raise EpisodeFileError(folder, 'codebase_version', problem, remedy)
        self.features: dict[str, Any] = self.info['features']
        self._columns = self._state_columns()
        self.cameras = tuple(
            name.removeprefix(layout.IMAGES)
            for name, entry in self.features.items()
            if name.startswith(layout.IMAGES) and entry['dtype'] in ('image', 'video')
        )
        rows: list[dict[str, Any]] = []
        for path in sorted((folder / 'meta' / 'episodes').glob('chunk-*/file-*.parquet')):
            names = [
                name
                for name in self._pa.parquet.read_schema(path).names
                if not name.startswith('stats/')
            ]
            rows += self._pa.parquet.read_table(path, columns=names).to_pylist()
        self._episodes = sorted(rows, key=lambda row: row['episode_index'])

    def __len__(self) -> int:
        """Return the number of episodes."""
        return len(self._episodes)

    def recording(self, index: int, metadata: Mapping[str, Any]) -> Recording:
        """Return an episode; `metadata` win over those that came with the data set."""
        row = self._episodes[index]
        path = self._folder / self.info['data_path'].format(**_place(row, 'data'))
        filters = [('episode_index', '=', row['episode_index'])]
        table = self._pa.parquet.read_table(path, filters=filters).sort_by('frame_index')
        if len(table) != row['length']:
            problem = f'{len(table)} of {row["length"]} frames of episode {index}'
            raise EpisodeFileError(path, 'frames', problem, 'restore it from a copy')
        columns = {
            name: np.array(table[name].to_pylist()).reshape(len(table), -1)
            for name, entry in self.features.items()
            if entry['dtype'] not in ('video', 'image')
        }
        stamps = columns.get('chef.stamp')
        if stamps is None:
            stamps = np.round(columns['timestamp'] * 1e9).astype(np.int64)
        states = {
            name: columns[vector][:, indices] for name, (vector, indices) in self._columns.items()
        }
        images = {camera: self._images(camera, row, table) for camera in self.cameras}
        known = {**self._metadata(row, columns), **metadata}
        return Recording(known, stamps.ravel(), states, columns['action'], images)

    def _state_columns(self) -> dict[str, tuple[str, list[int]]]:
        """Return observation -> the vector that holds it, and its columns there."""
        action = self.features.get('action', {}).get('names')
        if tuple(action or ()) != ACTION_NAMES:
            problem = f'names {action}, expected {list(ACTION_NAMES)}'
            raise EpisodeFileError(self._folder, 'action', problem, _EXPORTED)
        found = {}
        for vector in (layout.STATE, layout.ENVIRONMENT):
            names = self.features.get(vector, {}).get('names') or ()
            for name, indices in layout.component_columns(names).items():
                if name in KINDS and len(indices) == KINDS[name].shape[0]:
                    found[name] = vector, indices
        if 'joint_position' not in found:
            problem = 'does not name joint_position.0 .. joint_position.6'
            raise EpisodeFileError(self._folder, layout.STATE, problem, _EXPORTED)
        return found

    def _metadata(self, row: Mapping[str, Any], columns: Mapping[str, np.ndarray]) -> Any:
        index = row['episode_index']
        path = self._folder / layout.METADATA_PATH
        if path.exists():
            return json.loads(path.read_text().splitlines()[index])
        success = bool(columns[layout.SUCCESS][-1, 0]) if layout.SUCCESS in columns else False
        return {
            'episode_id': f'{self._folder.name}-{index:06d}',
            'index': index,
            'outcome': 'success' if success else 'timeout',
            'success': success,
            'source': 'human',
            'policy': 'human',
            'notes': list(row['tasks']),
        }

    def _images(self, camera: str, row: Mapping[str, Any], table: Any) -> Iterator[np.ndarray]:
        key = layout.IMAGES + camera
        if self.features[key]['dtype'] == 'image':
            return (_decoded(item['bytes']) for item in table[key].to_pylist())
        place = _place(row, f'videos/{key}')
        path = self._folder / self.info['video_path'].format(video_key=key, **place)
        return read_frames(path, row[f'videos/{key}/from_timestamp'], row['length'])


def import_episodes(
    dataset: LeRobotDataset, folder: Path, metadata: Mapping[str, Any]
) -> Iterator[Path]:
    """Write every episode of a data set as an episode file below `folder`; yield each file."""
    for index in range(len(dataset)):
        recording = dataset.recording(index, metadata)
        yield write_episode(folder, f'{index:04d}_{recording.metadata["episode_id"]}', recording)


def _place(row: Mapping[str, Any], prefix: str) -> dict[str, int]:
    return {name: row[f'{prefix}/{name}'] for name in ('chunk_index', 'file_index')}


def _decoded(data: bytes) -> np.ndarray:
    from PIL import Image

    with Image.open(io.BytesIO(data)) as image:
        return np.asarray(image.convert('RGB'))
