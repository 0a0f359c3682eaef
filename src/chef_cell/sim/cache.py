"""Compiled models on disk, under a name that is a hash of everything they are made from."""

import hashlib
import logging
import os
import pathlib
import tempfile
from collections.abc import Callable

import mujoco

from chef_cell.sim import wheels

KEPT = 24  # files; older ones are removed, so that trying out many triplets does not fill the disk
_SOURCES = ('basket.py', 'decimate.py', 'objects.py', 'robot.py', 'scene.py', 'wheels.py')

log = logging.getLogger(__name__)


def folder() -> pathlib.Path:
    """Return the cache folder, `$XDG_CACHE_HOME/chef_cell` or `~/.cache/chef_cell`."""
    root = os.environ.get('XDG_CACHE_HOME')
    return (pathlib.Path(root) if root else pathlib.Path.home() / '.cache') / 'chef_cell'


def model(key: str, build: Callable[[], mujoco.MjModel]) -> mujoco.MjModel:
    """Return the model stored for `key`, or build and store it.

    A file that cannot be read is built anew; a cache that cannot be written is done without.
    """
    path = folder() / f'scene-{_hash(key)}.mjb'
    if path.is_file():
        try:
            return mujoco.MjModel.from_binary_path(str(path))
        except (ValueError, mujoco.FatalError) as error:
            log.warning('cached model %s is unreadable (%s), building it anew', path, error)
    built = build()
    try:
        _write(path, built)
        _prune(path.parent)
    except OSError as error:
        log.warning('cannot cache the model in %s: %s', path.parent, error)
    return built


def _hash(key: str) -> str:
    digest = hashlib.sha256(f'{key} {mujoco.__version__} {wheels.fingerprint()}'.encode())
    for name in _SOURCES:
        digest.update((pathlib.Path(__file__).parent / name).read_bytes())
    return digest.hexdigest()[:32]


def _write(path: pathlib.Path, built: mujoco.MjModel) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, suffix='.tmp')
    os.close(handle)
    try:
        mujoco.mj_saveModel(built, name)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise


def _prune(where: pathlib.Path) -> None:
    files = sorted(where.glob('scene-*.mjb'), key=lambda file: file.stat().st_mtime)
    for file in files[:-KEPT]:
        file.unlink(missing_ok=True)
