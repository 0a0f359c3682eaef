"""chef-data export and import from the command line."""

from pathlib import Path

import pytest
from recorded_cell import Script, record

from chef_trainer.data.cli import main
from chef_trainer.episodes import Label, add_label
from chef_trainer.episodes.discovery import find_episodes

pytest.importorskip('pyarrow', reason='only the exchange with LeRobot needs it')


def chef_data(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr('sys.argv', ['chef-data', *map(str, arguments)])
    return main()


def test_only_sound_and_selected_episodes_leave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / 'episodes'
    record(folder, Script(0, metadata={'success': True}))
    record(folder, Script(1))
    add_label(
        record(folder, Script(2, metadata={'success': True})), Label(marks=('camera moved',))
    )
    assert not chef_data(
        monkeypatch,
        'export',
        'lerobot',
        folder,
        '--into',
        tmp_path / 'set',
        '--select',
        'success=true',
    )
    error = capsys.readouterr().err
    assert 'camera moved' in error
    assert '1 episodes, 1 left out' in error

    assert not chef_data(
        monkeypatch, 'import', 'lerobot', tmp_path / 'set', '--into', tmp_path / 'back'
    )
    assert [path.name for path in find_episodes([tmp_path / 'back'])] == ['0000_episode0.mcap']


def test_what_cannot_be_exported_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    record(tmp_path / 'episodes', Script(0))
    code = chef_data(
        monkeypatch, 'export', 'minari', tmp_path / 'episodes', '--into', tmp_path / 'set'
    )
    assert code == 1
    assert 'is no Minari id' in capsys.readouterr().err
