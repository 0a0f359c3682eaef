"""A report is made of whatever a session left, and says what it could not show."""

import dataclasses
import io
from html.parser import HTMLParser
from pathlib import Path

import av
import numpy as np
import pytest
from PIL import Image
from rich.console import Console

from chef_cell.core.results import ResultsError, SessionResult
from chef_cell.report import build, contents, load, session_table
from chef_cell.testing.recorded_episode import CAMERAS, Script, record_episode, record_session

SCRIPTS = (
    Script(index=0, triplet='1', cameras=CAMERAS[:2], steps=8),
    Script(index=1, triplet='2', outcome='force', reason='<20 N>', peak_force=21.5, cameras=()),
    Script(index=2, triplet='2', outcome='abort', steps=0, cameras=()),
    Script(index=3, triplet='2', outcome='timeout', policy='other', cameras=()),
)


class Page(HTMLParser):
    """Text and references of a page."""

    def __init__(self, path: Path):
        super().__init__()
        self.references: list[str] = []
        self.words: list[str] = []
        self.feed(path.read_text())

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.references += [value for name, value in attributes if name in ('src', 'href')]

    def handle_data(self, data: str) -> None:
        self.words += data.split()

    @property
    def text(self) -> str:
        return ' '.join(self.words)


@pytest.fixture(scope='module')
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A session of four episodes, the last of which has a damaged file."""
    folder = tmp_path_factory.mktemp('session')
    session = record_session(folder, SCRIPTS)
    damaged = folder / session.episodes[3].file
    damaged.write_bytes(damaged.read_bytes()[:2000])
    lost = dataclasses.replace(session.episodes[3], index=4, episode_id='lost', file='')
    session = dataclasses.replace(
        session, episodes=(*session.episodes, lost), stopped_by='interrupted'
    )
    (folder / 'session.json').write_text(session.to_json())
    build(folder)
    return folder


def test_the_page_says_what_happened(folder: Path):
    text = Page(folder / 'report' / 'index.html').text
    assert 'Stopped before its end: interrupted' in text
    assert '5 episodes' in text
    assert 'success 1' in text
    assert '21.5 N largest wrist force' in text
    assert 'control period p50; p99' in text
    assert '<20 N>' in text  # escaped, not swallowed


def test_an_unreadable_file_is_named(folder: Path):
    text = Page(folder / 'report' / 'index.html').text
    assert '0003_episode3.mcap: end of file: is missing: the file was cut short' in text
    assert 'Nothing to show: not recorded' in text


def test_everything_the_page_shows_is_in_the_folder(folder: Path):
    page = folder / 'report' / 'index.html'
    references = Page(page).references
    assert {'0000.mp4', '0000.jpg', '0000.svg', '0001.svg', 'success.svg', 'force.svg'} <= set(
        references
    )
    for reference in references:
        assert not reference.startswith(('http', '/'))
        assert (page.parent / reference).is_file()


def test_the_video_shows_every_step(folder: Path):
    with av.open(str(folder / 'report' / '0000.mp4')) as container:
        stream = container.streams.video[0]
        frames = list(container.decode(stream))
    assert len(frames) == 9
    assert (frames[0].width, frames[0].height) == (2 * 256, 256 + 24)
    assert float(stream.average_rate) == 20.0
    # The red block of the first camera, brightened by compression at most a little.
    pixels = frames[0].to_ndarray(format='rgb24')
    red, green, blue = pixels[24 + 140, 60].astype(int)
    assert red > 150 > max(green, blue)


def test_the_contact_sheet_has_a_row_per_camera(folder: Path):
    with Image.open(folder / 'report' / '0000.jpg') as sheet:
        assert sheet.size == (8 * 130 - 2, 2 * 130 - 2)


def test_progress_runs_to_the_end(folder: Path):
    steps = []
    build(folder, lambda done, total, what: steps.append((done, total)))
    assert steps == [*((done, 6) for done in range(6)), (6, 6)]


def test_an_empty_session_has_a_page(tmp_path: Path):
    (tmp_path / 'session.json').write_text(SessionResult('s', 'now', {}).to_json())
    assert 'No episode was finished.' in Page(build(tmp_path)).text


def test_a_malformed_session_is_refused(tmp_path: Path):
    (tmp_path / 'session.json').write_text('{"session_id": 3}')
    with pytest.raises(ResultsError, match='session_id = 3: expected str'):
        build(tmp_path)


def test_contents_are_what_was_recorded(tmp_path: Path):
    result = record_episode(tmp_path, Script(steps=20, peak_force=9.0, cameras=CAMERAS[:1]))
    episode = contents.read(tmp_path / result.file)
    assert episode.duration == 1.0
    assert np.allclose(episode.force.time, np.arange(101) * 0.01)
    assert abs(episode.force.values.max() - 9.0) < 0.2
    assert episode.velocity.values.shape == (20, 4)
    assert set(episode.gripper.values[:, 0]) == {-1.0, 1.0}
    assert episode.period.shape == (100,)
    (camera,) = episode.cameras
    assert camera.name == CAMERAS[0]
    assert np.array_equal(camera.at(0.079), camera.frames[1])
    # The gripper opens at the start: reward 1; it never touches red.
    assert episode.rewards.values.shape == (21, 6)
    assert episode.rewards.values[0, 0] == 1.0
    assert episode.rewards.values[-1, 0] < 0.2


def test_the_table_names_every_number(folder: Path):
    console = Console(file=io.StringIO(), width=160)
    console.print(session_table(folder, load(folder)))
    text = console.file.getvalue()
    assert 'force 1, abort 1' in text
    assert '100%' in text
    assert '21% to 100%' in text
    assert '14.8 / 21.5' in text
    assert 'control period p50' in text
    assert '2 episodes without a readable file' in text
