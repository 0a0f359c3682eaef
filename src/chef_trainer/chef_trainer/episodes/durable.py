"""Files that survive a power cut: nothing half-written ever has its final name."""

import os
from pathlib import Path


def write_durably(path: Path, text: str) -> None:
    """Replace a small text file, and return when it is on the disk."""
    draft = path.with_name(path.name + '.draft')
    with draft.open('w', encoding='utf-8') as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    publish(draft, path)


def publish(source: Path, target: Path) -> None:
    """Rename atomically, and make the new name survive a power cut."""
    source.rename(target)
    sync_directory(target.parent)


def sync_directory(directory: Path) -> None:
    """Make the names in a directory durable."""
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
