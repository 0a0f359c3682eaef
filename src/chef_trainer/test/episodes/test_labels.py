"""Labels lie beside an episode, and every reader puts them first."""

from pathlib import Path

import pytest

from chef_trainer.episodes import EpisodeFileError, EpisodeReader, Label, add_label, read_labels


def test_the_last_judgement_counts_and_nothing_said_is_lost(episode: Path) -> None:
    before = episode.read_bytes()
    add_label(episode, Label('ann', success=False, marks=('blurred',), note='lens was dirty'))
    add_label(episode, Label('bob', success=True, marks=('blurred', 'slow')))
    metadata = EpisodeReader(episode).metadata
    assert metadata['success'] is True
    assert metadata['outcome'] == 'success'  # why it ended is not a matter of judgement
    assert metadata['marks'] == ['blurred', 'slow']
    assert metadata['notes'] == ['lens was dirty']
    assert [label['author'] for label in metadata['labels']] == ['ann', 'bob']
    assert all(label['time'].endswith('+00:00') for label in metadata['labels'])
    assert episode.read_bytes() == before
    assert {p.name for p in episode.parent.iterdir()} >= {'labels.json'}
    assert not list(episode.parent.glob('*.draft'))


def test_somebody_who_has_looked_takes_the_marks_away(episode: Path) -> None:
    add_label(episode, Label(marks=('loss: 2 %',)))
    add_label(episode, Label(clear_marks=True, marks=('checked',)))
    assert EpisodeReader(episode).metadata['marks'] == ['checked']


def test_an_empty_label_is_refused(episode: Path) -> None:
    with pytest.raises(ValueError, match='says nothing'):
        add_label(episode, Label('ann'))
    assert read_labels(episode) == ()


@pytest.mark.parametrize('text', ['{', '[1]', '[{"marks": [], "colour": 1}]', '[{}]', '\x00'])
def test_broken_labels_are_named_and_not_overwritten(episode: Path, text: str) -> None:
    path = episode.with_name('labels.json')
    path.write_text(text)
    with pytest.raises(EpisodeFileError, match=r'labels.json: labels: cannot be read'):
        EpisodeReader(episode)
    with pytest.raises(EpisodeFileError, match=r'labels.json'):
        add_label(episode, Label(note='new'))
    assert path.read_text() == text
