"""Write a LeRobotDataset, version 3.0, an episode at a time."""

import functools
import json
import os
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.exchange import lerobot_layout as layout
from chef_trainer.exchange.lerobot_tables import DataFiles, png, write_episodes, write_tasks
from chef_trainer.exchange.video import CODECS, KEY_FRAME_DISTANCE, VideoSeries

#: Every so many images of an episode enter its statistics.
SAMPLED = 8

Cameras = Mapping[str, tuple[int, int, int]]
Columns = Mapping[str, np.ndarray]


class LeRobotWriter:
    """Leaves the finished data set at `folder`, or nothing: it grows beside it, under a dot.

    Args:
        folder: must not exist.
        features: numeric features, as in info.json.
        cameras: name -> (height, width, 3).
        rate: frames a second.
        codec: a key of CODECS, or 'png' for single images without loss.

    Raises:
        FileExistsError: something is at `folder`.
        MissingLibraryError: pyarrow, or av for videos.
    """

    def __init__(
        self,
        folder: Path,
        features: Mapping[str, Any],
        cameras: Cameras,
        rate: int,
        codec: str = 'h264',
    ) -> None:
        if folder.exists():
            raise FileExistsError(f'{folder} exists already; choose another folder')
        self._folder, self._part = folder, folder.with_name(f'.{folder.name}.part')
        shutil.rmtree(self._part, ignore_errors=True)
        (self._part / 'meta').mkdir(parents=True)
        self._rate = rate
        self._keys = [layout.IMAGES + name for name in cameras]
        self._videos = self._open_videos(cameras, codec)
        self._features = {**features, **_image_features(cameras, rate, codec)}
        self._data = DataFiles(self._part, self._features)
        self._rows: list[dict[str, Any]] = []
        self._frames = 0
        self._statistics: dict[str, list[layout.Statistics]] = {}
        self._tasks: dict[str, int] = {}
        self._metadata: list[str] = []

    def add(
        self,
        columns: Columns,
        images: Mapping[str, Iterable[np.ndarray]],
        task: str,
        metadata: Mapping[str, Any],
    ) -> None:
        """Append an episode of T frames.

        Args:
            columns: feature -> (T, k); those for bookkeeping are added.
            images: camera -> blocks (n, height, width, 3), T images in all.
            task: in words.
            metadata: of ours, for which the format has no place.
        """
        count, index = len(columns['action']), len(self._rows)
        whole = {**columns, **self._bookkeeping(count, index, task)}
        statistics = {name: layout.statistics(values) for name, values in whole.items()}
        row: dict[str, Any] = {
            'episode_index': index,
            'tasks': [task],
            'length': count,
            'dataset_from_index': self._frames,
            'dataset_to_index': self._frames + count,
            'meta/episodes/chunk_index': 0,
            'meta/episodes/file_index': 0,
        }
        pictures: dict[str, list[bytes]] = {}
        for key in self._keys:
            blocks = images[key.removeprefix(layout.IMAGES)]
            sample = self._add_images(key, blocks, row, pictures)
            statistics[key] = layout.image_statistics(sample, count)
        file = self._data.add(whole, pictures)
        row |= {f'data/{name}': number for name, number in layout.place(file).items()}
        for name, values in statistics.items():
            self._statistics.setdefault(name, []).append(values)
            row |= {f'stats/{name}/{key}': value.tolist() for key, value in values.items()}
        self._rows.append(row)
        self._frames += count
        self._metadata.append(json.dumps(dict(metadata)))

    def finish(self) -> Path:
        """Complete the data set; return its folder. Raises ValueError when it is empty."""
        self.close()
        if not self._rows:
            raise ValueError('no episode to export')
        write_episodes(self._part, self._rows)
        write_tasks(self._part, self._tasks)
        (self._part / layout.METADATA_PATH).write_text('\n'.join(self._metadata) + '\n')
        whole = {name: layout.merged(parts) for name, parts in self._statistics.items()}
        plain = {n: {k: v.tolist() for k, v in values.items()} for n, values in whole.items()}
        (self._part / layout.STATS_PATH).write_text(json.dumps(plain, indent=1))
        (self._part / layout.INFO_PATH).write_text(json.dumps(self._info(), indent=1))
        os.replace(self._part, self._folder)
        return self._folder

    def discard(self) -> None:
        """Give up: leave nothing."""
        try:
            self.close()
        finally:
            shutil.rmtree(self._part, ignore_errors=True)

    def close(self) -> None:
        """Close all files; what is not finished stays invisible."""
        for video in self._videos.values():
            video.close()
        self._data.close()

    def _open_videos(self, cameras: Cameras, codec: str) -> dict[str, VideoSeries]:
        def path_of(key: str, number: int) -> Path:
            name = layout.VIDEO_PATH.format(video_key=key, **layout.place(number))
            return self._part / name

        if codec not in CODECS:
            return {}
        limit = layout.VIDEO_FILE_MB * 1e6
        return {
            key: VideoSeries(
                functools.partial(path_of, key), self._rate, CODECS[codec], shape, limit
            )
            for key, shape in zip(self._keys, cameras.values(), strict=True)
        }

    def _bookkeeping(self, count: int, index: int, task: str) -> dict[str, np.ndarray]:
        frames = np.arange(count)
        values = {
            'timestamp': frames / self._rate,
            'frame_index': frames,
            'episode_index': np.full(count, index),
            'index': self._frames + frames,
            'task_index': np.full(count, self._tasks.setdefault(task, len(self._tasks))),
        }
        return {
            name: column.astype(layout.BOOKKEEPING[name])[:, None]
            for name, column in values.items()
        }

    def _add_images(
        self,
        key: str,
        blocks: Iterable[np.ndarray],
        row: dict[str, Any],
        pictures: dict[str, list[bytes]],
    ) -> np.ndarray:
        """Store the images of one camera; return a sample of them."""
        video = self._videos.get(key)
        start = video.begin_episode() if video else 0.0
        sample = []
        for block in blocks:
            sample.append(block[::SAMPLED])
            for frame in block:
                if video:
                    video.add(frame)
                else:
                    pictures.setdefault(key, []).append(png(frame))
        if video:
            about: dict[str, Any] = layout.place(video.number)
            about |= {'from_timestamp': start, 'to_timestamp': video.time}
            row |= {f'videos/{key}/{name}': value for name, value in about.items()}
        return np.concatenate(sample)

    def _info(self) -> dict[str, Any]:
        return {
            'codebase_version': layout.VERSION,
            'fps': self._rate,
            'features': self._features,
            'total_episodes': len(self._rows),
            'total_frames': self._frames,
            'total_tasks': len(self._tasks),
            'chunks_size': layout.CHUNKS_SIZE,
            'data_files_size_in_mb': layout.DATA_FILE_MB,
            'video_files_size_in_mb': layout.VIDEO_FILE_MB,
            'data_path': layout.DATA_PATH,
            'video_path': layout.VIDEO_PATH if self._videos else None,
            'robot_type': 'sawyer',
            'splits': {'train': f'0:{len(self._rows)}'},
        }


def _image_features(cameras: Cameras, rate: int, codec: str) -> dict[str, Any]:
    video: dict[str, Any] | None = None
    if codec in CODECS:
        video = {
            'codec': CODECS[codec].name,
            'pix_fmt': CODECS[codec].pixels,
            'fps': rate,
            'g': KEY_FRAME_DISTANCE,
        }
    return {
        layout.IMAGES + name: layout.image_feature(shape, video) for name, shape in cameras.items()
    }
