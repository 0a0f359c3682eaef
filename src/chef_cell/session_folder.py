"""The folder of a session."""

import itertools
from datetime import datetime
from pathlib import Path


def new_session_folder(directory: Path) -> Path:
    """Make a folder for a session in `directory`; it is named after now, and nobody else has it.

    Raises:
        OSError: it cannot be made.
    """
    name = datetime.now().strftime('%Y-%m-%d_%H-%M-%S')
    directory.mkdir(parents=True, exist_ok=True)
    for number in itertools.count(1):
        folder = directory / (name if number == 1 else f'{name}_{number}')
        try:
            folder.mkdir()
        except FileExistsError:
            continue
        return folder
    raise AssertionError('unreachable')
