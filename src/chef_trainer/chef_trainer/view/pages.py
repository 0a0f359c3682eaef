"""Self-contained HTML pages: one of an episode, one of a whole set."""

import base64
import dataclasses
import io
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from chef_trainer.episodes import EpisodeFileError, EpisodeReader
from chef_trainer.episodes.step_index import load_steps
from chef_trainer.episodes.steps import Steps
from chef_trainer.exchange.trajectory import EpisodeImages, MissingLibraryError
from chef_trainer.task.observe import IMAGE_PREFIX
from chef_trainer.view import plots
from chef_trainer.view.moments import moments

#: Height of images on a page (px): larger ones are scaled down.
EPISODE_HEIGHT, THUMBNAIL_HEIGHT = 240, 110
#: Moments of an episode on the contact sheet (shares of its length).
SHEET = (0.0, 0.35, 0.7, 1.0)


@dataclasses.dataclass(frozen=True)
class Card:
    """An episode on the contact sheet."""

    name: str
    metadata: Mapping[str, Any]
    steps: int
    images: tuple[str, ...]  # JPEG as base64
    link: str  # page of the episode; empty when there is none


def episode_page(path: Path) -> str:
    """Return the page of one episode.

    Raises:
        EpisodeFileError: the file is broken.
        MissingLibraryError: jinja2, matplotlib or pillow is not installed.
    """
    reader, steps = EpisodeReader(path), load_steps(path)
    start = int(steps.table['stamp'][0])
    happened = moments(reader, start)
    time = (steps.table['stamp'] - start) * 1e-9
    return _render(
        'episode.html.j2',
        title=str(steps.metadata.get('episode_id', path.stem)),
        metadata=dict(sorted(steps.metadata.items())),
        steps=len(steps),
        moments=happened,
        figure=plots.episode_figure(steps, happened, _force_limit(steps.metadata)),
        left=plots.LEFT,
        right=plots.RIGHT,
        data=json.dumps({'time': time.round(4).tolist(), 'cameras': _films(path, steps)}),
        cameras=[camera.name for camera in steps.cameras],
    )


def overview_page(
    paths: Iterable[Path],
    links: Mapping[Path, str],
    refused: Callable[[EpisodeFileError], None],
) -> str:
    """Return the page of a set: contact sheet, and the plots to look at before training.

    Args:
        paths: episode files.
        links: pages of episodes, relative to this one.
        refused: told of each file that cannot be shown.

    Raises:
        ValueError: no episode is left.
        MissingLibraryError: a library is not installed.
    """
    cards, sets = [], []
    for path in paths:
        try:
            steps = load_steps(path)
            images = tuple(_sheet(path, steps))
        except EpisodeFileError as error:
            refused(error)
            continue
        name = str(steps.metadata.get('episode_id', path.stem))
        cards.append(Card(name, steps.metadata, len(steps), images, links.get(path, '')))
        sets.append(steps)
    if not sets:
        raise ValueError('no episode to show')
    order = sorted(range(len(cards)), key=lambda index: _recorded(cards[index]))
    cards, sets = [cards[index] for index in order], [sets[index] for index in order]
    return _render(
        'overview.html.j2',
        title=f'{len(cards)} episodes',
        cards=cards,
        successes=sum(bool(card.metadata.get('success')) for card in cards),
        hours=sum(card.steps for card in cards) * 0.05 / 3600,
        figures=_figures(cards, sets),
        coverage=plots.coverage_figure(sets),
    )


def _figures(cards: Sequence[Card], sets: Sequence[Steps]) -> dict[str, str]:
    good = [bool(card.metadata.get('success')) for card in cards]
    peaks = [float(np.nanmax(steps.table['force'], initial=0.0)) for steps in sets]
    figures = {
        'Success over time': plots.success_figure(good),
        'Peak wrist force': plots.force_figure(peaks, good),
    }
    losses = drop_rates(card.metadata for card in cards)
    if losses:
        figures['Drop rates'] = plots.drops_figure(losses)
    return figures


def drop_rates(metadata: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Return topic -> share of its messages that never reached a file, over all episodes."""
    lost: dict[str, int] = defaultdict(int)
    expected: dict[str, int] = defaultdict(int)
    for item in metadata:
        for topic, account in (item.get('topics') or {}).items():
            missing = account.get('missed', 0) + account.get('refused', 0)
            lost[topic] += missing
            expected[topic] += account.get('expected', account.get('received', 0) + missing)
    return {topic: lost[topic] / count for topic, count in expected.items() if count}


def _recorded(card: Card) -> str:
    return str(card.metadata.get('recorded') or card.name)


def _force_limit(metadata: Mapping[str, Any]) -> float | None:
    limits = (metadata.get('limits') or {}).get('safety') or {}
    return limits.get('force_limit')


def _films(path: Path, steps: Steps) -> dict[str, list[str | None]]:
    """All images of an episode: camera -> JPEG as base64, None where there is none."""
    images = EpisodeImages(path, steps)
    films: dict[str, list[str | None]] = {}
    for camera in images.cameras:
        there = np.flatnonzero(steps.table[IMAGE_PREFIX + camera][:, 0] >= 0)
        film: list[str | None] = [None] * len(steps.table)
        for row in there.tolist():
            film[row] = _jpeg(images.read(camera, np.array([row]))[0], EPISODE_HEIGHT)
        films[camera] = film
    return films


def _sheet(path: Path, steps: Steps) -> Iterable[str]:
    """A few moments of one camera."""
    images = EpisodeImages(path, steps)
    for camera in images.cameras[:1]:
        there = np.flatnonzero(steps.table[IMAGE_PREFIX + camera][:, 0] >= 0)
        if len(there):
            chosen = np.rint(np.array(SHEET) * (len(there) - 1)).astype(int)
            for frame in images.read(camera, there[chosen]):
                yield _jpeg(frame, THUMBNAIL_HEIGHT)


def _jpeg(frame: np.ndarray, height: int) -> str:
    from PIL import Image

    image = Image.fromarray(frame)
    if image.height > height:
        image = image.resize((round(image.width * height / image.height), height))
    stream = io.BytesIO()
    image.save(stream, format='jpeg', quality=85, subsampling=0)
    return base64.b64encode(stream.getvalue()).decode()


def _render(template: str, **values: Any) -> str:
    try:
        import jinja2
    except ImportError as error:
        raise MissingLibraryError('jinja2', 'chef-data view') from error
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader('chef_trainer.view', '.'),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(**values)
