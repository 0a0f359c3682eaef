"""What came of every scene, in a file small enough to publish and to go on from elsewhere."""

import csv
import dataclasses
import hashlib
import itertools
import json
from collections.abc import Mapping
from pathlib import Path

from chef_trainer.bench.grid.study import StudyError
from chef_trainer.bench.results.study import Cell, Study, cells
from chef_trainer.evaluation.evaluate import FIRST_SEED
from chef_trainer.policy_file import replacing

#: Scene, the environment's seed -> whether it was solved.
Solved = Mapping[int, bool]

_COLUMNS = ('triplet', 'candidate', 'budget', 'seed', 'settings', 'solved')


def write_outcomes(path: Path, study: Study, solved: Mapping[Cell, Solved]) -> None:
    """Write a line per cell that has all its episodes: what it is, and a digit per scene."""
    with replacing(path) as temporary, open(temporary, 'w', newline='') as file:
        rows = csv.writer(file, lineterminator='\n')
        rows.writerow(_COLUMNS)
        for cell, found in solved.items():
            scenes = itertools.takewhile(found.__contains__, itertools.count(FIRST_SEED))
            digits = ''.join(str(int(found[scene])) for scene in scenes)
            if len(digits) >= study.episodes:
                rows.writerow((*_key(study, cell), digits))


def read_outcomes(path: Path, study: Study) -> dict[str, Solved]:
    """Return name of a cell -> what came of it, as far as `path` has cells of this study.

    Left out is what other settings decided, and whatever the study still needs a policy of.

    Raises:
        StudyError: the file is none of outcomes.
    """
    rows = _rows(path)
    planned = list(cells(study))
    found = {cell.name: rows.get(_key(study, cell), '') for cell in planned}
    missing = [cell for cell in planned if len(found[cell.name]) < study.episodes]
    needed = {name for cell in missing for name in cell.needs}
    return {
        name: {FIRST_SEED + index: digit == '1' for index, digit in enumerate(digits)}
        for name, digits in found.items()
        if digits and name not in needed
    }


def _rows(path: Path) -> dict[tuple[str, ...], str]:
    with open(path, newline='') as file:
        rows = list(csv.reader(file))
    if not rows or tuple(rows[0]) != _COLUMNS:
        raise StudyError(f'{path}: starts with {rows[:1]}, expected the columns {_COLUMNS}')
    for number, row in enumerate(rows[1:], 2):
        if len(row) != len(_COLUMNS) or set(row[-1]) - {'0', '1'}:
            raise StudyError(f'{path}, line {number}: {row}, expected {_COLUMNS} of 0s and 1s')
    return {tuple(row[:-1]): row[-1] for row in rows[1:]}


def _key(study: Study, cell: Cell) -> tuple[str, ...]:
    return (
        cell.triplet,
        cell.candidate,
        str(cell.budget),
        str(cell.seed),
        _fingerprint(study, cell),
    )


def _fingerprint(study: Study, cell: Cell) -> str:
    """Eight letters for all of the study that decides a cell, beside what the table says of it."""
    decides: dict[str, object] = {'teacher': dataclasses.asdict(study.teachers[cell.triplet])}
    if not cell.is_teacher:
        decides |= {
            'contender': dataclasses.asdict(study.contenders[cell.contender]),
            'observations': [dataclasses.asdict(one) for one in study.observations],
            'updates': study.updates,
            'rounds': study.rounds,
            'change': study.change,
            'networks': study.networks,
            'precision': study.precision,
        }
    text = json.dumps(decides, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:8]
