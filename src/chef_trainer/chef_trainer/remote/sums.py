"""Checksums of the files in one folder, in the form of sha256sum(1).

`SHA256SUMS` is written after the files it names, so whoever finds it finds them whole, and
`sha256sum --check SHA256SUMS` says so without this software.
"""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

SUMS_FILE = 'SHA256SUMS'
BLOCK = 1 << 20


def parse(text: str) -> dict[str, str]:
    """Return file name -> checksum; lines that are none are left out."""
    pairs = (line.split(maxsplit=1) for line in text.splitlines())
    return {pair[1].lstrip('*'): pair[0] for pair in pairs if len(pair) == 2}


def to_text(sums: Mapping[str, str]) -> str:
    """Return the content of the file."""
    return ''.join(f'{checksum}  {name}\n' for name, checksum in sorted(sums.items()))


def checksum(path: Path, progress: Callable[[int], None] = lambda count: None) -> str:
    """Return the SHA-256 of a file in hex; `progress` is told of bytes read."""
    with path.open('rb') as stream:
        return digest(stream, BLOCK, progress)


def digest(stream: IO[bytes], block_size: int, progress: Callable[[int], None]) -> str:
    """Return the SHA-256 of the rest of a stream in hex, read `block_size` bytes at a time."""
    value = hashlib.sha256()
    while block := stream.read(block_size):
        value.update(block)
        progress(len(block))
    return value.hexdigest()
