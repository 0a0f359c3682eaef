"""What people say about an episode after it was recorded.

A finished episode file is never changed: its labels lie beside it in `labels.json`, oldest first,
and every reader puts them over the metadata in the file. So nothing that was said is lost, and a
checksum of the file stays good.
"""

import dataclasses
import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from chef_trainer.episodes.durable import write_durably
from chef_trainer.episodes.errors import EpisodeFileError

#: Name of the file beside an episode file.
LABELS_FILE = 'labels.json'
#: Metadata keys that labels add to, and the one that says how often.
MARKS, NOTES, LABELS = 'marks', 'notes', 'labels'

_REMEDY = 'correct it, or delete it: the episode file itself is whole'


@dataclasses.dataclass(frozen=True)
class Label:
    """One judgement of one person (or program) about one episode."""

    author: str = ''
    time: str = ''  # ISO 8601, UTC; set when the label is written
    success: bool | None = None  # None: as it was
    marks: tuple[str, ...] = ()  # reasons not to use the episode without a look
    clear_marks: bool = False  # first take away all marks it has
    note: str = ''

    @property
    def empty(self) -> bool:
        """Whether it says nothing."""
        return self.success is None and not (self.marks or self.clear_marks or self.note)


def now() -> str:
    """Return the time of a label made now."""
    return datetime.now(UTC).isoformat(timespec='milliseconds')


def labelled(metadata: Mapping[str, Any], labels: Iterable[Label]) -> dict[str, Any]:
    """Return an episode's metadata with `labels` over it, oldest first.

    `success` becomes what the last judgement says (the outcome stays: it tells why the episode
    ended); `marks` and `notes` grow; `labels` keeps the history.
    """
    result = dict(metadata)
    marks, notes = list(result.get(MARKS, ())), list(result.get(NOTES, ()))
    history = list(result.get(LABELS, ()))
    for label in labels:
        if label.success is not None:
            result['success'] = label.success
        marks = [] if label.clear_marks else marks
        marks += [mark for mark in label.marks if mark not in marks]
        notes += [label.note] if label.note else []
        history.append(dataclasses.asdict(label))
    return {**result, MARKS: marks, NOTES: notes, LABELS: history}


def read_labels(episode: Path) -> tuple[Label, ...]:
    """Return the labels beside an episode file, oldest first.

    Raises EpisodeFileError naming what is wrong in `labels.json`.
    """
    path = episode.with_name(LABELS_FILE)
    if not path.exists():
        return ()
    try:
        rows = json.loads(path.read_text(encoding='utf-8'))
        return tuple(Label(**{**row, 'marks': tuple(row['marks'])}) for row in rows)
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise EpisodeFileError(path, 'labels', f'cannot be read: {error!r}', _REMEDY) from error


def add_label(episode: Path, label: Label) -> Path:
    """Add a label to a finished episode file, durably and atomically; return its labels' path.

    Raises EpisodeFileError: the labels that are there cannot be read. ValueError: it says nothing.
    """
    if label.empty:
        raise ValueError('the label says nothing: give a judgement, marks or a note')
    dated = label if label.time else dataclasses.replace(label, time=now())
    rows = [dataclasses.asdict(known) for known in (*read_labels(episode), dated)]
    path = episode.with_name(LABELS_FILE)
    write_durably(path, json.dumps(rows, indent=1) + '\n')
    return path
