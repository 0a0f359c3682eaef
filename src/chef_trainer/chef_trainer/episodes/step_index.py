"""The step index: aligned episodes, kept beside their files so that they are aligned only once.

`<episode>.steps.npz` holds the table of `Steps` and, as JSON, whose it is: version, size and
modification time of the episode file. It is made again whenever one of them differs, and may be
deleted at any time. Format: `docs/data.md`.
"""

import contextlib
import dataclasses
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes.cameras import Camera
from chef_trainer.episodes.container import episode_file
from chef_trainer.episodes.labels import LABELS_FILE
from chef_trainer.episodes.reader import EpisodeReader
from chef_trainer.episodes.steps import Steps, align, table_dtype

SUFFIX = '.steps.npz'
#: Of the index: to be counted up whenever `align` gives other numbers for the same file.
VERSION = 2


def load_steps(path: Path | str, keep: bool = True) -> Steps:
    """Return the aligned episode, from its index when that is up to date.

    With `keep` an index that had to be made is left beside the file, if that place is writable.

    Raises:
        EpisodeFileError: the file is not a whole episode, or cannot be aligned.
    """
    file = episode_file(Path(path))
    known = _load(file)
    if known is not None:
        return known
    of = fingerprint(file)
    steps = align(EpisodeReader(file))
    if keep:
        with contextlib.suppress(OSError):
            _save(index_file(file), of, steps)
    return steps


def keep_steps(file: Path, steps: Steps) -> None:
    """Leave `steps` as the index of the episode file `file`; raises OSError."""
    _save(index_file(file), fingerprint(file), steps)


def index_file(path: Path) -> Path:
    """Return where the index of the episode file `path` lies."""
    return path.with_name(path.name.removesuffix('.mcap') + SUFFIX)


def fingerprint(file: Path) -> dict[str, Any]:
    """Return size and time of an episode file and its labels: they tell when they changed."""
    labels = file.with_name(LABELS_FILE)
    return {'version': VERSION, 'file': _state(file), 'labels': _state(labels)}


def _state(file: Path) -> list[int]:
    try:
        status = file.stat()
    except FileNotFoundError:
        return []
    return [status.st_size, status.st_mtime_ns]


def _load(file: Path) -> Steps | None:
    """Return the kept index; None when there is none, or it is broken or of another file."""
    try:
        with index_file(file).open('rb') as stream, np.load(stream) as archive:
            about = json.loads(bytes(archive['about']))
            if about['of'] != fingerprint(file):
                return None
            cameras = tuple(map(Camera.from_dict, about['cameras']))
            steps = Steps(about['metadata'], archive['table'], cameras)
    # Whatever a broken index leads NumPy and zipfile to: it is made again.
    except Exception:
        return None
    return steps if steps.table.dtype == table_dtype(cameras) and steps.table.ndim == 1 else None


def _save(path: Path, of: dict[str, Any], steps: Steps) -> None:
    """Write the index; readers and other writers see the old one or the new one, never half."""
    about = {
        'of': of,
        'cameras': [dataclasses.asdict(camera) for camera in steps.cameras],
        'metadata': dict(steps.metadata),
    }
    text = np.frombuffer(json.dumps(about).encode(), np.uint8)
    handle, name = tempfile.mkstemp(prefix='.', suffix=SUFFIX, dir=path.parent)
    try:
        os.fchmod(handle, 0o644)  # other users' trainers read it, too
        with os.fdopen(handle, 'wb') as stream:
            np.savez(stream, about=text, table=steps.table)
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
