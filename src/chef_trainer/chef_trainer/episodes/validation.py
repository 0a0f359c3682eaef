"""What is wrong with an episode, or with a set of them, and what to do about it."""

import dataclasses
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np

from chef_trainer.episodes.container import RECOVER
from chef_trainer.episodes.errors import EpisodeFileError
from chef_trainer.episodes.reader import EpisodeReader
from chef_trainer.episodes.recovery import find_unfinished
from chef_trainer.episodes.steps import MAX_GAP_NS, STATES, Steps, align
from chef_trainer.task.observe import IMAGE_PREFIX
from chef_trainer.task.rewards import REWARD_NAMES

#: Without these an episode cannot be told from others, or what happened in it is not known.
REQUIRED = ('episode_id', 'triplet', 'start_ns', 'end_ns', 'outcome', 'success')
#: A device whose clock is off by more than this is not synchronised (ns).
CLOCK_TOLERANCE_NS = 1_000_000_000
#: Relative difference between a recorded and a recomputed return that rounding can't explain.
RETURN_TOLERANCE = 1e-3


@dataclasses.dataclass(frozen=True)
class Finding:
    """One line of a report."""

    path: Path
    field: str
    problem: str
    remedy: str
    error: bool = False  # the episode cannot be used; otherwise: parts of it, or with care

    def __str__(self) -> str:
        """Return the line."""
        return f'{self.path}: {self.field}: {self.problem}; {self.remedy}'


def check_episode(path: Path | str) -> tuple[list[Finding], Steps | None]:
    """Return all that is wrong with one episode, and its steps if there are any.

    Every chunk is checked against its checksum, every topic is decoded. Nothing is modified.
    """
    try:
        reader = EpisodeReader(path)
        reader.verify()
        for name in reader.topics:
            if not reader.topics[name].type_name.startswith('sensor_msgs/msg/'):
                reader.arrays(name)
        steps = align(reader)
    except EpisodeFileError as error:
        return [_finding(error)], None
    findings: list[Finding] = []

    def note(field: str, problem: str, remedy: str, error: bool = False) -> None:
        findings.append(Finding(reader.path, field, problem, remedy, error))

    for look in (_metadata, _name, _losses, _clocks):
        look(reader, note)
    for judge in (_numbers, _images, _grid, _returns):
        judge(steps, note)
    return findings, steps


def check_set(
    paths: Sequence[Path], progress: Callable[[int, int], None] = lambda done, total: None
) -> Iterator[Finding]:
    """Check every episode file of `paths`, then what they are together."""
    ids: dict[str, Path] = {}
    kinds: dict[str, dict[object, list[Path]]] = defaultdict(lambda: defaultdict(list))
    for number, path in enumerate(paths):
        findings, steps = check_episode(path)
        yield from findings
        if steps is not None:
            name = str(steps.metadata.get('episode_id', path))
            first = ids.setdefault(name, path)
            if first != path:
                problem = f'{name} is that of {first}, too'
                yield Finding(path, 'episode_id', problem, 'chef-data delete the copy', True)
            for camera in steps.cameras:
                kinds[f'camera/{camera.name}'][(camera.encoding, camera.shape)].append(path)
            kinds['cameras'][tuple(camera.name for camera in steps.cameras)].append(path)
            hashes = steps.metadata.get('software', {}).get('chef_cell', 'unknown')
            kinds['software.chef_cell'][hashes].append(path)
        progress(number + 1, len(paths))
    yield from _differences(kinds)


def check_unfinished(folder: Path) -> Iterator[Finding]:
    """Report what a crash left below `folder`, or is being written."""
    for path in find_unfinished(folder):
        problem = 'is being written, or was left behind by a crash'
        yield Finding(path, 'file', problem, f'wait, or {RECOVER}')


Note = Callable[..., None]


def _finding(error: EpisodeFileError) -> Finding:
    return Finding(error.path, error.field, error.problem, error.remedy, error=True)


def _metadata(reader: EpisodeReader, note: Note) -> None:
    missing = [key for key in REQUIRED if reader.metadata.get(key) is None]
    if missing:
        note('metadata', f'lacks {missing}', 'record it with a session that ends its episodes')
    marks = reader.metadata.get('marks')
    if marks:
        note('marks', f'{list(marks)}', 'look at it, then: chef-data relabel --clear-marks')


def _name(reader: EpisodeReader, note: Note) -> None:
    name = str(reader.metadata.get('episode_id', ''))
    if name not in reader.path.name:
        note('file name', f'is not that of episode {name!r}: renamed?', 'rename it back')
    bag = reader.path.with_name('metadata.yaml')
    if not bag.is_file():
        note('metadata.yaml', 'is missing: ros2 bag will not open it', 'ros2 bag reindex')
    elif reader.path.name not in bag.read_text(encoding='utf-8', errors='replace'):
        note('metadata.yaml', f'does not name {reader.path.name}', 'ros2 bag reindex')


def _losses(reader: EpisodeReader, note: Note) -> None:
    if reader.metadata.get('recovered'):
        note('recovered', 'the recorder did not finish this file', 'use it with care')
    dropped, incomplete = reader.metadata.get('dropped'), reader.metadata.get('incomplete')
    if dropped:
        note('dropped', f'{dropped} messages are missing', 'see metadata topics for which')
    if incomplete:
        note('incomplete', f'{incomplete} did not reach the end', 'see if those devices were on')


def _clocks(reader: EpisodeReader, note: Note) -> None:
    if reader.metadata.get('clock') == 'lockstep':
        return
    for name in reader.topics:
        index = reader.index(name)
        ages = index.log_time - index.publish_time
        if len(ages) and abs(int(np.median(ages))) > CLOCK_TOLERANCE_NS:
            problem = f'stamps are {np.median(ages) * 1e-9:.1f} s behind the clock of the recorder'
            note(name, problem, 'synchronise the clocks of all machines (chrony)', True)


def _numbers(steps: Steps, note: Note) -> None:
    count = len(steps.table)
    # What is made of the same readings is missing together: one line for all of it.
    missing: dict[bytes, list[str]] = defaultdict(list)
    for spec in STATES:
        bad = ~np.isfinite(steps.table[spec.name]).reshape(count, -1).all(axis=1)
        if bad.any():
            missing[bad.tobytes()].append(spec.name)
    for mask, names in missing.items():
        bad = np.frombuffer(mask, np.bool_)
        if bad.all():
            note(', '.join(names), 'not recorded', 'train without, or record what it is made of')
            continue
        where = f'first in step {int(np.argmax(bad))}'
        problem = f'nan, old or invalid in {bad.sum()} of {count} steps, {where}'
        note(', '.join(names), problem, _SKIP)
    bad = ~np.isfinite(steps.table['action'][:-1]).all(axis=1)
    if bad.any():
        note('action', f'nan in {bad.sum()} of {count - 1} steps', _SKIP)


_SKIP = 'these steps are left out of replay'


def _images(steps: Steps, note: Note) -> None:
    if not steps.cameras:
        note('camera/*/image_raw', 'no camera was recorded', 'train without images')
    for camera in steps.cameras:
        missing = int((steps.table[IMAGE_PREFIX + camera.name][:, 0] < 0).sum())
        if missing:
            problem = f'no image in {missing} of {len(steps.table)} steps'
            note(f'camera/{camera.name}', problem, _SKIP)


def _grid(steps: Steps, note: Note) -> None:
    gaps = np.diff(steps.table['stamp'])
    if (gaps > MAX_GAP_NS).any():
        problem = f'{(gaps > MAX_GAP_NS).sum()} gaps, the longest {gaps.max() * 1e-6:.0f} ms'
        note('command', problem, 'windows do not cross them')
    said = steps.metadata.get('steps')
    # The last step may have been cut short by what ended the episode.
    if isinstance(said, int) and abs(said - len(steps)) > 1:
        note('steps', f'{len(steps)} commands, the session counted {said}', 'see what was dropped')


def _returns(steps: Steps, note: Note) -> None:
    recorded = steps.metadata.get('return_rewards')
    comparable = steps.metadata.get('clock') == 'lockstep' and steps.metadata.get('steps')
    if not isinstance(recorded, dict) or comparable != len(steps):
        return
    sums = steps.table['rewards'][1:].sum(axis=0)
    for name, ours in zip(REWARD_NAMES, sums.tolist(), strict=True):
        theirs = recorded.get(name)
        if theirs is not None and abs(theirs - ours) > RETURN_TOLERANCE * max(1.0, abs(theirs)):
            problem = f'{theirs:.6g} when recorded, {ours:.6g} in hindsight'
            note(f'return_rewards.{name}', problem, 'replay uses the latter')


def _differences(kinds: dict[str, dict[object, list[Path]]]) -> Iterator[Finding]:
    """Name the files in which something is not as in most of the set."""
    for field, groups in kinds.items():
        if len(groups) < 2:
            continue
        usual = max(groups, key=lambda kind: len(groups[kind]))
        for kind, paths in groups.items():
            for path in paths if kind != usual else ():
                problem = f'{kind}, while {len(groups[usual])} others have {usual}'
                yield Finding(path, field, problem, 'keep the two in sets of their own')
