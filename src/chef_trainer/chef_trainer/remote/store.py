"""A folder anywhere that fsspec reaches."""

import contextlib
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO, Any

from chef_trainer.exchange.trajectory import MissingLibraryError
from chef_trainer.remote.sums import SUMS_FILE, digest, parse

#: Where an object appears when it is complete, and not before. Elsewhere files are renamed.
ATOMIC = ('s3', 's3a', 'gs', 'gcs', 'az', 'abfs')
#: Of these, those that take the size of the parts in which a large file is sent.
CHUNKED = ('s3', 's3a', 'gs', 'gcs')
PART = '.part'
#: Size of the parts in which a large file is sent (bytes).
CHUNK = 8 << 20

Progress = Callable[[int], None]


class Store:
    """A folder at a URL (or a path).

    Raises:
        MissingLibraryError: fsspec, or the package for this kind of URL, is not installed.
        ValueError: the URL is of no known kind.
    """

    def __init__(self, url: str) -> None:
        try:
            import fsspec
        except ImportError as error:
            raise MissingLibraryError('fsspec', 'a remote store') from error
        self.url = url
        # Listings are never kept: others write here, too.
        self._fs, root = fsspec.core.url_to_fs(url, use_listings_cache=False)
        self._root = PurePosixPath(root)
        protocol = self._fs.protocol
        names = (protocol,) if isinstance(protocol, str) else protocol
        self._atomic = any(name in ATOMIC for name in names)
        self._chunked = any(name in CHUNKED for name in names)

    def files(self) -> dict[str, int]:
        """Return path below the folder -> bytes; empty when there is no such folder."""
        try:
            found = self._fs.find(str(self._root), detail=True)
        except FileNotFoundError:
            return {}
        return {
            str(PurePosixPath(name).relative_to(self._root)): int(about['size'])
            for name, about in found.items()
            if about['type'] == 'file' and not name.endswith(PART)
        }

    def sums(self, folder: str) -> dict[str, str]:
        """Return the checksums of the files in one folder, as far as they are known."""
        try:
            return parse(self._fs.cat_file(self._at(f'{folder}/{SUMS_FILE}')).decode())
        except FileNotFoundError:
            return {}

    def put(self, source: Path, name: str, progress: Progress) -> None:
        """Send a file; it appears whole or not at all."""
        target = self._at(name)
        if self._atomic:
            options: dict[str, Any] = {'chunksize': CHUNK} if self._chunked else {}
            self._fs.put_file(str(source), target, callback=_callback(progress), **options)
            return
        self._fs.makedirs(str(PurePosixPath(target).parent), exist_ok=True)
        with source.open('rb') as stream, self._fs.open(target + PART, 'wb') as out:
            _copy(stream, out, progress)
        self._fs.mv(target + PART, target)

    def put_text(self, text: str, name: str) -> None:
        """Write a small file."""
        target = self._at(name)
        place = target if self._atomic else target + PART
        self._fs.pipe_file(place, text.encode())
        if place != target:
            self._fs.mv(place, target)

    def fetch(self, name: str, target: Path, progress: Progress) -> None:
        """Receive a file at `target`, going on after the bytes that are there already."""
        begun = target.stat().st_size if target.exists() else 0
        progress(begun)
        with self._fs.open(self._at(name), 'rb', cache_type='none') as source:
            source.seek(begun)
            with target.open('ab') as stream:
                _copy(source, stream, progress)

    def checksum(self, name: str, progress: Progress) -> str:
        """Return the SHA-256 of what is stored, by reading all of it."""
        with contextlib.closing(self._fs.open(self._at(name), 'rb', cache_type='none')) as source:
            return digest(source, CHUNK, progress)

    def _at(self, name: str) -> str:
        return str(self._root / name)


def _copy(source: IO[bytes], target: IO[bytes], progress: Progress) -> None:
    while block := source.read(CHUNK):
        target.write(block)
        progress(len(block))


def _callback(progress: Progress) -> Any:
    from fsspec.callbacks import Callback

    class Counted(Callback):
        """Tells of bytes as they go."""

        def relative_update(self, inc: int = 1) -> None:
            progress(inc)

    return Counted()
