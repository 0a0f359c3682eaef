"""Sets of episodes to and from a real S3 server on this machine (rclone's), and a folder."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from recorded_cell import Script, record

from chef_trainer.data.cli import main
from chef_trainer.episodes import EpisodeFileError, EpisodeReader, Label, add_label
from chef_trainer.episodes.discovery import find_episodes
from chef_trainer.episodes.step_index import load_steps
from chef_trainer.remote import sync
from chef_trainer.remote.store import CHUNK, Store
from chef_trainer.remote.sums import SUMS_FILE, checksum, parse

pytest.importorskip('fsspec', reason='only remote stores need it')
RCLONE = shutil.which('rclone') or shutil.which('rclone', path=str(Path(sys.executable).parent))
DEADLINE = 60.0
KEY, SECRET = 'learner', 'a-secret-for-this-test'


@pytest.fixture(scope='module')
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """An S3 server with the bucket `data`; yields the environment of its clients."""
    pytest.importorskip('s3fs', reason='only s3:// needs it')
    if RCLONE is None:
        pytest.skip('rclone, which serves S3, is not installed')
    root = tmp_path_factory.mktemp('s3')
    (root / 'data').mkdir()
    with socket.socket() as free:
        free.bind(('127.0.0.1', 0))
        port = free.getsockname()[1]
    address = f'127.0.0.1:{port}'
    options = ['--addr', address, '--auth-key', f'{KEY},{SECRET}', '--config', str(root / 'none')]
    process = subprocess.Popen(
        [RCLONE, 'serve', 's3', str(root), *options, '--vfs-cache-mode', 'off'],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        end = time.monotonic() + DEADLINE
        while not _listens(port):
            assert process.poll() is None, 'the server has ended'
            assert time.monotonic() < end, 'the server does not listen'
        yield {
            'AWS_ENDPOINT_URL': f'http://{address}',
            'AWS_ACCESS_KEY_ID': KEY,
            'AWS_SECRET_ACCESS_KEY': SECRET,
            'AWS_DEFAULT_REGION': 'us-east-1',
            'AWS_EC2_METADATA_DISABLED': 'true',
        }
    finally:
        process.terminate()
        process.wait(DEADLINE)


def _listens(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(0.1)
        return client.connect_ex(('127.0.0.1', port)) == 0


@pytest.fixture(params=['s3', 'file'])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    """A store, another one for each test."""
    if request.param == 'file':
        return f'file://{tmp_path}/far'
    for name, value in request.getfixturevalue('server').items():
        monkeypatch.setenv(name, value)
    return f's3://data/{tmp_path.name}'


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A small session."""
    folder = tmp_path / 'here'
    for index in range(2):
        load_steps(record(folder, Script(index, 4, ('front',))))
    (folder / 'session.json').write_text('{}')
    return folder


def quiet(name: str, count: int) -> None:
    """Progress that nobody sees."""


def test_a_set_goes_there_and_back_and_nothing_is_done_twice(
    url: str, here: Path, tmp_path: Path
) -> None:
    store = Store(url)
    report = sync.upload(here, store, quiet)
    assert (report.copied, report.same) == (5, 0)
    names = sorted(store.files())
    assert names == [
        '0000_episode0/0000_episode0.mcap', f'0000_episode0/{SUMS_FILE}',
        '0000_episode0/metadata.yaml', '0001_episode1/0001_episode1.mcap',
        f'0001_episode1/{SUMS_FILE}', '0001_episode1/metadata.yaml', SUMS_FILE, 'session.json',
    ]  # fmt: skip
    again = sync.upload(here, Store(url), quiet)
    assert (again.copied, again.same) == (0, 5)

    there = tmp_path / 'there'
    report = sync.download(Store(url), there, quiet)
    assert (report.copied, report.unverified) == (5, [])
    for old in find_episodes([here]):
        new = there / old.relative_to(here)
        EpisodeReader(new).verify()
        assert new.read_bytes() == old.read_bytes()
    assert sync.download(Store(url), there, quiet).copied == 0
    assert sync.verify(Store(url), quiet) == []
    folder = there / '0000_episode0'
    subprocess.run(['sha256sum', '--check', '--quiet', SUMS_FILE], cwd=folder, check=True)


def test_labels_that_change_follow_and_new_episodes_too(
    url: str, here: Path, tmp_path: Path
) -> None:
    there = tmp_path / 'there'
    sync.upload(here, Store(url), quiet)
    sync.download(Store(url), there, quiet)
    add_label(next(find_episodes([here])), Label(success=True))
    record(here, Script(2, 4))
    assert sync.upload(here, Store(url), quiet).copied == 3
    assert sync.download(Store(url), there, quiet).copied == 3
    assert len(list(find_episodes([there]))) == 3
    assert EpisodeReader(there / '0000_episode0').metadata['success'] is True


def test_another_episode_of_the_same_name_is_never_overwritten(
    url: str, here: Path, tmp_path: Path
) -> None:
    sync.upload(here, Store(url), quiet)
    other = tmp_path / 'other'
    record(other, Script(0, 6))
    before = Store(url).files()
    with pytest.raises(EpisodeFileError, match='episode files never change'):
        sync.upload(other, Store(url), quiet)
    assert Store(url).files() == before
    assert sync.verify(Store(url), quiet) == []
    with pytest.raises(EpisodeFileError, match='episode files never change'):
        sync.download(Store(url), other, quiet)


def test_what_was_damaged_there_does_not_arrive(url: str, here: Path, tmp_path: Path) -> None:
    store = Store(url)
    sync.upload(here, store, quiet)
    store.put_text('[]', 'session.json')
    with pytest.raises(EpisodeFileError, match='was sent; try again'):
        sync.download(Store(url), tmp_path / 'there', quiet)
    assert not (tmp_path / 'there' / 'session.json').exists()
    assert sync.verify(store, quiet) == ['session.json']


def test_what_is_being_written_stays_here(url: str, here: Path) -> None:
    (here / '0000_episode0' / '0009.mcap.active').write_bytes(b'half')
    sync.upload(here, Store(url), quiet)
    assert not [name for name in Store(url).files() if 'active' in name or 'steps' in name]


#: A client that tells of its first bytes, then waits to be killed.
_VICTIM = """
import sys, time
from pathlib import Path
from chef_trainer.remote import sync
from chef_trainer.remote.store import Store

def stop(name, count):
    if count and name.endswith('.mcap'):
        print('busy', flush=True)
        time.sleep(600)

direction, folder, url = sys.argv[1:]
if direction == 'up':
    sync.upload(Path(folder), Store(url), stop)
else:
    sync.download(Store(url), Path(folder), stop)
"""


def kill_midway(direction: str, folder: Path, url: str) -> None:
    """Begin to copy in another process, and kill it when the first part is through."""
    environment = {**os.environ, 'PYTHONPATH': os.pathsep.join(filter(None, sys.path))}
    with subprocess.Popen(
        [sys.executable, '-c', _VICTIM, direction, str(folder), url],
        stdout=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == 'busy\n'
        process.send_signal(signal.SIGKILL)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    """A file of several parts, under the name of an episode file."""
    folder = tmp_path / 'large' / 'episode'
    folder.mkdir(parents=True)
    content = np.random.default_rng(0).integers(0, 256, 2 * CHUNK + CHUNK // 2, np.uint8)
    content.tofile(folder / 'episode.mcap')
    return folder.parent


def test_killed_while_sending_leaves_nothing_half(url: str, large: Path) -> None:
    kill_midway('up', large, url)
    assert not Store(url).files()

    assert sync.upload(large, Store(url), quiet).copied == 1
    expected = checksum(large / 'episode' / 'episode.mcap')
    assert Store(url).checksum('episode/episode.mcap', lambda count: None) == expected


def test_killed_while_receiving_goes_on_where_it_was(
    url: str, large: Path, tmp_path: Path
) -> None:
    sync.upload(large, Store(url), quiet)
    there = tmp_path / 'there'
    kill_midway('down', there, url)
    assert not list(find_episodes([there]))
    (part,) = (there / 'episode').iterdir()
    begun = part.stat().st_size
    assert 0 < begun < 3 * CHUNK

    counts: list[int] = []
    sync.download(Store(url), there, lambda name, count: counts.append(count))
    assert counts[0] == begun
    new, old = there / 'episode' / 'episode.mcap', large / 'episode' / 'episode.mcap'
    assert new.read_bytes() == old.read_bytes()
    assert parse((there / 'episode' / SUMS_FILE).read_text()) == {'episode.mcap': checksum(old)}


def test_the_verb_copies_and_verifies(
    here: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    far = f'file://{tmp_path}/far'
    monkeypatch.setattr('sys.argv', ['chef-data', 'sync', str(here), far, '--verify'])
    assert main() == 0
    assert '5 files copied' in capsys.readouterr().err
    (tmp_path / 'far' / 'session.json').write_text('[]')
    assert main() == 1
    assert 'session.json is not what was sent' in capsys.readouterr().err
    for arguments, words in (
        ([far, far], 'one of them must be a folder here'),
        (['nowhere', far], 'nowhere is no folder'),
        ([str(here), 'abc://x/y'], 'abc'),
    ):
        monkeypatch.setattr('sys.argv', ['chef-data', 'sync', *arguments])
        assert main() == 1
        assert words in capsys.readouterr().err
