"""chef-data from outside: every verb, its answers for scripts, and what it refuses."""

import json
import os
import sys
from pathlib import Path

import pytest
from recorded_cell import Script, record

from chef_trainer.data import cli
from chef_trainer.data.selection import OUTPUT
from chef_trainer.data.split import part_of
from chef_trainer.episodes import EpisodeReader, EpisodeWriter, recovery
from chef_trainer.episodes.discovery import find_episodes

CAMERAS = ('back', 'front')


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six episodes of two triplets, every second one a success."""
    folder = tmp_path / 'set'
    for index in range(6):
        success = index % 2 == 0
        metadata = {
            'triplet': str(1 + index // 3),
            'success': success,
            'outcome': 'success' if success else 'force',
        }
        record(folder, Script(index, 4, CAMERAS, metadata))
    return folder


class Answer:
    """What a command printed and returned."""

    def __init__(self, capsys: pytest.CaptureFixture[str], *words: object) -> None:
        arguments = ['chef-data', *map(str, words)]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(sys, 'argv', arguments)
            self.code = cli.main()
        captured = capsys.readouterr()
        self.out, self.err = captured.out, captured.err

    @property
    def rows(self) -> list[dict]:
        return [json.loads(line) for line in self.out.splitlines()]


@pytest.fixture
def chef_data(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch):
    """Run chef-data in this process."""
    monkeypatch.setattr(OUTPUT, 'width', 200)
    return lambda *words: Answer(capsys, *words)


def names(folder: Path) -> list[str]:
    return [path.stem for path in find_episodes((folder,))]


def test_ls(chef_data, folder: Path) -> None:
    rows = chef_data('ls', folder, '--json').rows
    assert [row['episode'] for row in rows] == [f'episode{index}' for index in range(6)]
    assert {(row['steps'], row['outcome']) for row in rows} == {(4, 'success'), (4, 'force')}
    assert Path(rows[0]['path']).is_file()
    chosen = chef_data('ls', folder, '--json', '--select', 'triplet=2', '--select', 'success=true')
    assert [row['episode'] for row in chosen.rows] == ['episode4']
    table = chef_data('ls', folder).out
    assert '6 episodes' in table
    assert 'episode5' in table


def test_info(chef_data, folder: Path) -> None:
    episode = next(find_episodes((folder,)))
    about = json.loads(chef_data('info', episode, '--json').out)
    assert about['topics']['/cell/wrist/wrench']['messages'] == 21
    assert about['topics']['/cell/wrist/wrench']['rate_hz'] == pytest.approx(100.0)
    assert about['summary']['images']['front'] == {
        'encoding': 'rgb8', 'shape': [128, 128, 3], 'bytes': 49152.0
    }  # fmt: skip
    assert about['metadata']['episode_id'] == 'episode0'
    text = chef_data('info', episode.parent).out
    assert 'bytes_per_step' in text
    assert '/cell/camera/front/image_raw' in text


def test_check(chef_data, folder: Path) -> None:
    assert chef_data('check', folder).code == 0
    broken = next(find_episodes((folder,)))
    broken.write_bytes(broken.read_bytes()[:-30])
    left = EpisodeWriter(folder, 'left', {})
    answer = chef_data('check', folder)
    assert answer.code == 1
    assert answer.out.splitlines() == [
        f'error: {broken}: end of file: is missing: the file was cut short; '
        'chef-data recover saves what is whole',
        f'warning: {left.active_path}: file: is being written, or was left behind by a crash; '
        'wait, or chef-data recover saves what is whole',
    ]
    assert '6 episodes, 1 of them unusable, 2 findings' in answer.err
    fields = chef_data('check', folder, '--json').rows[0]
    assert (fields['field'], fields['error']) == ('end of file', True)
    assert 'left out' in chef_data('ls', folder).err
    left.discard()


def test_stats(chef_data, folder: Path) -> None:
    numbers = json.loads(chef_data('stats', folder, '--json').out)
    keys = ('triplet', 'episodes', 'success')
    counts = [tuple(group[key] for key in keys) for group in numbers['groups']]
    assert counts == [('1', 3, 2), ('2', 3, 1)]
    column = numbers['columns']['joint_position']
    assert len(column['mean']) == 7
    assert all(low <= mean <= high for low, mean, high in
               zip(column['min'], column['mean'], column['max'], strict=True))  # fmt: skip
    assert 'stack_leave' in numbers['reward_names']
    assert 'tool_pose[6]' in chef_data('stats', folder).out


def test_relabel(chef_data, folder: Path) -> None:
    first, second, *_ = find_episodes((folder,))
    answer = chef_data('relabel', first, '--failure', '--note', 'fell over', '--author', 'me')
    assert answer.code == 0
    metadata = EpisodeReader(first).metadata
    assert (metadata['success'], metadata['notes']) == (False, ['fell over'])
    assert chef_data('relabel', folder, '--mark', 'dark').code == 1  # nobody was asked
    assert chef_data('relabel', folder, '--mark', 'dark', '--yes').code == 0
    assert EpisodeReader(second).metadata['marks'] == ['dark']
    assert 'chef-data: the label says nothing' in chef_data('relabel', second).err


def test_recover(chef_data, folder: Path) -> None:
    broken = next(find_episodes((folder,)))
    broken.write_bytes(broken.read_bytes()[:-30])
    assert chef_data('recover', folder).err.strip() == 'nothing to recover'
    assert chef_data('recover', broken).code == 1  # nobody was asked
    assert chef_data('recover', broken, '--yes').code == 0
    assert EpisodeReader(broken).metadata['recovered'] is True
    assert broken.with_name(broken.name + recovery._DAMAGED_SUFFIX).exists()
    text = folder / 'notes.mcap'
    text.write_text('shopping list')
    answer = chef_data('recover', text, '--yes')
    assert answer.code == 1
    assert 'not recovered' in answer.err
    assert text.read_text() == 'shopping list'


@pytest.mark.parametrize('copy', [False, True])
def test_split(chef_data, folder: Path, tmp_path: Path, copy: bool) -> None:
    into, how = tmp_path / 'parts', ('--copy',) if copy else ()
    assert chef_data('split', folder, '--into', into, '--parts', 'a=0.5,b=0.5', *how).code == 0
    parts = {part: names(into / part) for part in 'ab' if (into / part).exists()}
    assert sorted(stem for stems in parts.values() for stem in stems) == names(folder)
    for part, stems in parts.items():
        for stem in stems:
            new = into / part / stem / f'{stem}.mcap'
            assert os.path.samefile(new, folder / stem / f'{stem}.mcap') != copy
            assert new.with_name('metadata.yaml').is_file()
            assert part_of(stem.split('_')[1], {'a': 0.5, 'b': 0.5}, '0') == part
    assert chef_data('check', into).code == 0


def test_a_split_is_near_its_shares_and_does_not_move_when_the_set_grows() -> None:
    parts = {'train': 0.8, 'test': 0.2}
    where = [part_of(f'e{index}', parts, '0') for index in range(2000)]
    assert 0.77 < where.count('train') / 2000 < 0.83
    assert where != [part_of(f'e{index}', parts, '1') for index in range(2000)]


@pytest.mark.parametrize('parts', ['a=0.5', 'a', 'a=0.5,b=x', 'a=1.5,b=-0.5'])
def test_shares_that_are_none_are_refused(chef_data, folder: Path, parts: str) -> None:
    answer = chef_data('split', folder, '--into', folder / 'x', '--parts', parts)
    assert answer.code == 1
    assert answer.err.startswith(f'chef-data: --parts {parts!r}')


def test_merge(chef_data, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / 'other'
    record(other, Script(9, 4, CAMERAS))
    into = tmp_path / 'all'
    assert chef_data('merge', folder, other, '--into', into).code == 0
    assert len(names(into)) == 7
    again = chef_data('merge', other, '--into', into)
    assert (again.code, 'exists already; choose another folder' in again.err) == (1, True)
    twin = tmp_path / 'twin'
    record(twin, Script(9, 4, CAMERAS))
    refused = chef_data('merge', other, twin, '--into', tmp_path / 'nothing')
    assert refused.code == 1
    assert 'episode_id: episode9 is that of' in refused.err
    assert not (tmp_path / 'nothing').exists()


def test_delete(chef_data, folder: Path) -> None:
    kept = folder / 'readme.txt'
    kept.write_text('ours')
    assert chef_data('delete', folder).code == 1  # nobody was asked
    assert len(names(folder)) == 6
    assert chef_data('delete', folder, '--select', 'success=false', '--yes').code == 0
    assert names(folder) == ['0000_episode0', '0002_episode2', '0004_episode4']
    broken = next(find_episodes((folder,)))
    broken.write_text('')
    assert chef_data('delete', folder, '--yes').code == 0
    assert [path.name for path in folder.iterdir()] == ['readme.txt']


def test_what_is_not_there_is_one_line(chef_data, tmp_path: Path) -> None:
    answer = chef_data('ls', tmp_path / 'nowhere')
    assert answer.code == 1
    assert (
        answer.err
        == f'chef-data: {tmp_path}/nowhere: path: does not exist; name episodes or folders\n'
    )
    answer = chef_data('ls', tmp_path)
    assert (
        answer.err
        == f'chef-data: {tmp_path}: path: no finished episode is here; name another folder\n'
    )
    answer = chef_data('ls', tmp_path, '--select', 'nonsense')
    assert "--select 'nonsense', expected KEY=VALUE" in answer.err
