"""The curves of a run: rows of JSON that survive a kill and never repeat."""

import json
from pathlib import Path
from typing import Any

from chef_trainer.policy_file import replacing


class Log:
    """Rows keyed by kind and step; a row written again replaces the old one."""

    def __init__(self, path: Path, step: int) -> None:
        """Go on with the rows at `path` up to `step`; later ones will come again."""
        self._path = path
        self._rows: dict[tuple[str, int], dict[str, Any]] = {}
        if path.exists():
            for line in path.read_text().splitlines():
                row = json.loads(line)
                if row['step'] <= step:
                    self.add(**row)

    def add(self, kind: str, step: int, **values: Any) -> None:
        """Remember a row; `save` writes it."""
        self._rows[kind, step] = {'kind': kind, 'step': step, **values}

    def rows(self, kind: str) -> list[dict[str, Any]]:
        """Return the rows of one kind in the order they were added."""
        return [row for (found, _), row in self._rows.items() if found == kind]

    def save(self) -> None:
        """Write all rows, atomically."""
        with replacing(self._path) as temporary:
            temporary.write_text(''.join(f'{json.dumps(row)}\n' for row in self._rows.values()))
