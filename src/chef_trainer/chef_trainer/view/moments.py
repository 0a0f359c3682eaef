"""What happened in an episode, and when: stops, notes, the end."""

import dataclasses
from collections.abc import Iterator

from chef_trainer.episodes import EpisodeReader

LEVELS = {1: 'episode stop', 2: 'fault'}


@dataclasses.dataclass(frozen=True)
class Moment:
    """Something that happened `time` seconds after the episode's start."""

    time: float
    kind: str  # 'episode stop', 'fault', 'note' or 'end'
    text: str


def moments(episode: EpisodeReader, start_ns: int) -> tuple[Moment, ...]:
    """Return all moments in order; raises EpisodeFileError for a topic that cannot be read."""
    found = [*_verdicts(episode, start_ns), *_notes(episode, start_ns)]
    metadata = episode.metadata
    if metadata.get('end_ns'):
        time = (int(metadata['end_ns']) - start_ns) * 1e-9
        found.append(Moment(time, 'end', f'{metadata.get("outcome")}: {metadata.get("reason")}'))
    return tuple(sorted(found, key=lambda moment: moment.time))


def _verdicts(episode: EpisodeReader, start_ns: int) -> Iterator[Moment]:
    """Changes of the safety latch."""
    if not episode.find('safety'):
        return
    verdicts = episode.arrays('safety')
    level = 0
    for row, new in enumerate(verdicts.get('level', ())):
        if new and new != level:
            value, limit = float(verdicts['value'][row]), float(verdicts['limit'][row])
            text = f'{verdicts["reason"][row]} {value:.4g}, limit {limit:.4g}'
            time = (int(verdicts['since'][row]) - start_ns) * 1e-9
            yield Moment(max(time, 0.0), LEVELS[int(new)], text)
        level = new


def _notes(episode: EpisodeReader, start_ns: int) -> Iterator[Moment]:
    if not episode.find('notes'):
        return
    notes = episode.arrays('notes')
    for stamp, text in zip(notes['log_time'], notes.get('data', ()), strict=False):
        yield Moment(max(0.0, (int(stamp) - start_ns) * 1e-9), 'note', str(text))
