"""Pages show what is in the files, and need nothing but themselves."""

import base64
import io
import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from recorded_cell import START_NS, STEP_NS, Script, pixels, record

from chef_trainer.data.cli import main
from chef_trainer.episodes import EpisodeFileError, EpisodeReader, Label, add_label
from chef_trainer.episodes.step_index import load_steps
from chef_trainer.exchange.trajectory import EpisodeImages
from chef_trainer.view.moments import moments
from chef_trainer.view.pages import drop_rates, episode_page, overview_page

CAMERAS = ('back', 'front')
STEPS = 8


@pytest.fixture(scope='module')
def episode(tmp_path_factory: pytest.TempPathFactory) -> Path:
    metadata = {'policy': '</script><b>evil', 'limits': {'safety': {'force_limit': 17.0}}}
    return record(tmp_path_factory.mktemp('one'), Script(0, STEPS, CAMERAS, metadata))


@pytest.fixture(scope='module')
def page(episode: Path) -> str:
    return episode_page(episode)


class Outline(HTMLParser):
    """Tags of a page, and whatever it would load from elsewhere."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.loaded: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for name, value in attributes:
            if name in ('src', 'href') and tag not in ('a', 'use'):
                self.loaded.append(value or '')


def data_of(page: str) -> dict:
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', page, re.DOTALL)
    assert found
    return json.loads(found[1])


def test_every_step_of_every_camera_is_there_in_time(page: str) -> None:
    data = data_of(page)
    assert data['time'] == pytest.approx([0.05 * step for step in range(STEPS + 1)])
    assert list(data['cameras']) == list(CAMERAS)
    script = Script(0, STEPS, CAMERAS)
    for number, camera in enumerate(CAMERAS):
        for step, film in enumerate(data['cameras'][camera]):
            shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(film)))).astype(int)
            assert np.abs(shown - pixels(script, step, number)).mean() < 4


def test_a_page_loads_nothing_and_believes_no_metadata(page: str) -> None:
    outline = Outline(page)
    assert not [url for url in outline.loaded if not url.startswith('#')]
    assert 'b' not in outline.tags
    assert outline.tags.count('script') == 2
    assert 'limit' in page


def test_a_missing_image_leaves_a_gap(tmp_path: Path) -> None:
    def unseen(topic: str, fields: dict, stamp: int) -> dict | None:
        return None if topic.endswith('image_raw') and stamp < START_NS + STEP_NS else fields

    data = data_of(episode_page(record(tmp_path, Script(0, 4, ('front',), change=unseen))))
    assert [film is None for film in data['cameras']['front']] == [True, *[False] * 4]


@pytest.mark.parametrize('encoding', ['bgr8', 'mono8', 'jpeg'])
def test_images_of_every_kind_are_shown_as_colours(tmp_path: Path, encoding: str) -> None:
    def compress(image: np.ndarray) -> bytes:
        stream = io.BytesIO()
        Image.fromarray(image).save(stream, format='jpeg', quality=95)
        return stream.getvalue()

    def other(topic: str, fields: dict, stamp: int) -> dict:
        if 'camera' in topic and encoding != 'jpeg':
            image = fields['data'].reshape(128, 128, 3)
            image = image[..., ::-1] if encoding == 'bgr8' else image[..., :1]
            data = np.ascontiguousarray(image).reshape(-1)
            fields |= {'encoding': encoding, 'data': data, 'step': data.size // 128}
        return fields

    jpeg = compress if encoding == 'jpeg' else None
    script = Script(0, 2, ('front',), change=other, compressed=jpeg)
    path = record(tmp_path, script)
    images = EpisodeImages(path, load_steps(path))
    assert images.shape('front') == (128, 128, 3)
    truth = pixels(script, 2, 0)
    truth = np.repeat(truth[..., :1], 3, axis=2) if encoding == 'mono8' else truth
    shown = images.read('front', np.array([2]))[0]
    assert np.abs(shown.astype(int) - truth).mean() < (3 if encoding == 'jpeg' else 1e-9)


def test_moments_are_stops_and_the_end(tmp_path: Path) -> None:
    stop = START_NS + 3 * STEP_NS
    metadata = {'outcome': 'force', 'reason': 'safety: force'}
    episode = record(tmp_path, Script(0, STEPS, metadata=metadata))
    reader = EpisodeReader(episode)
    (end,) = moments(reader, START_NS)
    assert (end.kind, end.text) == ('end', 'force: safety: force')
    assert end.time == pytest.approx(STEPS * 0.05)

    levels = np.array([0, 0, 1, 1, 2])
    verdicts = {
        'level': levels,
        'reason': np.array(['', '', 'force', 'force', 'wrench_stale']),
        'value': np.array([0, 0, 21.25, 21.25, 0.3]),
        'limit': np.array([0, 0, 20.0, 20.0, 0.05]),
        'since': np.full(5, stop),
    }
    reader.find = lambda topic: (topic,) if topic == 'safety' else ()  # type: ignore[method-assign]
    reader.arrays = lambda topic: verdicts  # type: ignore[method-assign]
    kinds = [(item.kind, item.text) for item in moments(reader, START_NS)]
    assert kinds == [
        ('episode stop', 'force 21.25, limit 20'),
        ('fault', 'wrench_stale 0.3, limit 0.05'),
        ('end', 'force: safety: force'),
    ]


def test_an_overview_shows_what_can_be_shown(tmp_path: Path) -> None:
    later = record(tmp_path, Script(0, 5, ('front',), {'recorded': '2026-02', 'success': True}))
    first = record(tmp_path, Script(1, 5, ('front',), {'recorded': '2026-01'}))
    add_label(first, Label(marks=('camera moved',)))
    broken = tmp_path / 'broken.mcap'
    broken.write_bytes(b'nothing')
    refused: list[EpisodeFileError] = []
    page = overview_page([later, first, broken], {later: 'episode0.html'}, refused.append)

    assert [error.path for error in refused] == [broken]
    assert '2 episodes' in page
    assert '1 successes' in page
    assert page.index('episode1') < page.index('href="episode0.html"')
    assert 'camera moved' in page
    assert page.count('src="data:image/jpeg') == 8
    assert all(url.startswith(('data:', '#')) for url in Outline(page).loaded)
    with pytest.raises(ValueError, match='no episode to show'):
        overview_page([broken], {}, refused.append)


def test_drop_rates_are_those_of_all_episodes() -> None:
    accounts = [
        {'topics': {'/a': {'expected': 90, 'received': 85, 'missed': 4, 'refused': 1}}},
        {'topics': {'/a': {'expected': 10, 'received': 10}, '/b': {'expected': 0}}},
        {},
    ]
    assert drop_rates(accounts) == {'/a': 0.05}


def test_the_verb_writes_one_page_or_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for index in range(2):
        record(tmp_path / 'set', Script(index, 4))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr('sys.argv', ['chef-data', 'view', 'set/0000_episode0'])
    assert main() == 0
    assert capsys.readouterr().out.strip() == '0000_episode0.html'
    monkeypatch.setattr(
        'sys.argv', ['chef-data', 'view', 'set', '--each', '--into', 'out/all.html']
    )
    assert main() == 0
    names = sorted(path.name for path in (tmp_path / 'out').iterdir())
    assert names == ['0000_episode0.html', '0001_episode1.html', 'all.html']
    monkeypatch.setattr('sys.argv', ['chef-data', 'view', 'set', '--rerun'])
    assert main() == 1
    assert '--rerun shows one' in capsys.readouterr().err


def test_rerun_opens_what_is_written_for_it(episode: Path, tmp_path: Path) -> None:
    pytest.importorskip('rerun', reason='rerun-sdk is not installed')
    from chef_trainer.view.to_rerun import show

    target = tmp_path / 'episode.rrd'
    show(episode, target)
    printed = subprocess.run(
        [sys.executable, '-m', 'rerun', 'rrd', 'print', str(target)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    for entity in ('action', 'rewards', 'wrench/force', 'camera/front', 'robot/tool_pose'):
        assert f'/{entity}' in printed


def test_without_rerun_it_is_named(
    episode: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, 'rerun', None)
    monkeypatch.setattr('sys.argv', ['chef-data', 'view', str(episode), '--rerun'])
    assert main() == 1
    assert 'pip install rerun-sdk' in capsys.readouterr().err
