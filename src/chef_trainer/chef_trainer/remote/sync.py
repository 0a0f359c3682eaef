"""Bring two folders of episodes to the same content: what is missing is copied, nothing deleted.

A finished episode file never changes. So one of the same size, whose checksum the other side has
written down, is taken for the same without reading it; everything else is compared by checksum.
"""

import dataclasses
import os
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path, PurePosixPath

from chef_trainer.episodes import ACTIVE_SUFFIX, EpisodeFileError
from chef_trainer.episodes.durable import publish, write_durably
from chef_trainer.episodes.step_index import SUFFIX as INDEX_SUFFIX
from chef_trainer.remote.store import PART, Store
from chef_trainer.remote.sums import SUMS_FILE, checksum, parse, to_text

EPISODE = '.mcap'
#: Not copied: what is made again, what is being written.
_PASSING = (INDEX_SUFFIX, ACTIVE_SUFFIX, PART, '.draft', SUMS_FILE)

#: Told of the file at hand, and of bytes done.
Progress = Callable[[str, int], None]


@dataclasses.dataclass
class Report:
    """What was done."""

    copied: int = 0
    same: int = 0
    bytes: int = 0  # copied
    unverified: list[str] = dataclasses.field(default_factory=list)  # came without a checksum


def upload(folder: Path, store: Store, progress: Progress) -> Report:
    """Copy what `store` lacks.

    In each folder the episode file comes last but for the checksums, so that a reader who finds it
    finds its labels, too.

    Raises:
        EpisodeFileError: another episode file of that name is there.
        OSError: a file cannot be read, or the store not be written.
    """
    report, there = Report(), store.files()
    names = [str(path.relative_to(folder)) for path in sorted(folder.rglob('*')) if path.is_file()]
    folders = _by_folder(names)
    _refuse_changes(folders, there, lambda name: (folder / name).stat().st_size, store.url)
    for place, files in folders.items():
        sums = store.sums(place)
        before = dict(sums)
        for name in files:
            key, local = PurePosixPath(name).name, folder / name
            size = local.stat().st_size
            if name.endswith(EPISODE) and there.get(name) == size and key in sums:
                report.same += 1
                continue
            found = checksum(local)
            if there.get(name) == size and sums.get(key) == found:
                report.same += 1
                continue
            if name.endswith(EPISODE) and sums.get(key, found) != found:
                raise _different(store.url, name)
            store.put(local, name, partial(progress, name))
            sums[key] = found
            report.copied += 1
            report.bytes += size
        if sums != before:
            store.put_text(to_text(sums), f'{place}/{SUMS_FILE}')
    return report


def download(store: Store, folder: Path, progress: Progress) -> Report:
    """Copy what `folder` lacks; a file appears when its checksum is right.

    Raises:
        EpisodeFileError: what arrived is not what was sent, or another episode file of that name
            is there.
        OSError: the store cannot be read, or a file not be written.
    """
    report, there = Report(), store.files()
    folders = _by_folder(there)
    here = {
        name: (folder / name).stat().st_size
        for files in folders.values()
        for name in files
        if (folder / name).is_file()
    }
    _refuse_changes(folders, here, there.__getitem__, str(folder))
    for place, files in folders.items():
        sums, local = store.sums(place), _local_sums(folder / place)
        before = dict(local)
        for name in files:
            key, target = PurePosixPath(name).name, folder / name
            expected = sums.get(key, '')
            if _is_same(target, there[name], expected, local.get(key, '')):
                report.same += 1
                continue
            if target.exists() and name.endswith(EPISODE):
                raise _different(str(folder), name)
            local[key] = _receive(store, name, target, expected, progress)
            report.copied += 1
            report.bytes += there[name]
            if not expected:
                report.unverified.append(name)
        if local != before:
            write_durably(folder / place / SUMS_FILE, to_text(local))
    return report


def verify(store: Store, progress: Progress) -> list[str]:
    """Read everything in `store`; return the files that are not what was sent."""
    wrong = []
    for place, files in _by_folder(store.files()).items():
        sums = store.sums(place)
        for name in files:
            expected = sums.get(PurePosixPath(name).name)
            found = store.checksum(name, partial(progress, name))
            if expected is not None and found != expected:
                wrong.append(name)
    return wrong


def _by_folder(names: Iterable[str]) -> dict[str, list[str]]:
    """Sort files by their folder; in each the episode files come last."""
    folders: dict[str, list[str]] = defaultdict(list)
    for name in names:
        path = PurePosixPath(name)
        hidden = any(part.startswith('.') for part in path.parts)
        if not hidden and not name.endswith(_PASSING):
            folders[str(path.parent)].append(name)
    return {
        place: sorted(files, key=lambda name: (name.endswith(EPISODE), name))
        for place, files in sorted(folders.items())
    }


def _refuse_changes(
    folders: Mapping[str, Iterable[str]],
    there: Mapping[str, int],
    size_of: Callable[[str], int],
    where: str,
) -> None:
    """Before anything is copied: raise if an episode file there is another one by its size."""
    for files in folders.values():
        for name in files:
            if name.endswith(EPISODE) and there.get(name, size_of(name)) != size_of(name):
                raise _different(where, name)


def _is_same(target: Path, size: int, expected: str, known: str) -> bool:
    if not target.is_file() or target.stat().st_size != size:
        return False
    if target.suffix == EPISODE and expected and expected == known:
        return True
    return bool(expected) and checksum(target) == expected


def _receive(store: Store, name: str, target: Path, expected: str, progress: Progress) -> str:
    """Fetch one file; return its checksum."""
    target.parent.mkdir(parents=True, exist_ok=True)
    # The checksum is in the name: what is left of another version is never continued.
    part = target.with_name(f'.{target.name}.{expected[:16]}{PART}')
    store.fetch(name, part, partial(progress, name))
    found = checksum(part)
    if expected and found != expected:
        part.unlink()
        problem = f'has checksum {found[:16]}…, {expected[:16]}… was sent'
        raise EpisodeFileError(target, name, problem, 'try again, then look at the source')
    with part.open('rb+') as stream:
        os.fsync(stream.fileno())
    publish(part, target)
    return found


def _local_sums(folder: Path) -> dict[str, str]:
    path = folder / SUMS_FILE
    return parse(path.read_text()) if path.is_file() else {}


def _different(where: str, name: str) -> EpisodeFileError:
    problem = 'is another episode of the same name; episode files never change'
    return EpisodeFileError(f'{where}/{name}', 'content', problem, 'choose another place')
