"""Work that several processes share, and its times."""

import pytest

from chef_trainer.bench.grid.times import alone, hours, seconds, timed


def test_only_one_works_on_a_thing_and_gives_it_back(tmp_path):
    with alone(tmp_path / 'locks' / 'cell') as mine:
        assert mine
        with alone(tmp_path / 'locks' / 'cell') as other, alone(tmp_path / 'locks' / 'b') as b:
            assert (other, b) == (False, True)
    with alone(tmp_path / 'locks' / 'cell') as again:
        assert again


def test_times_add_up_over_pieces_and_count_those_cut_short(tmp_path):
    path = tmp_path / 'times.jsonl'
    assert seconds(path) == {}
    with timed(path, 'cell', 'train'):
        pass
    with pytest.raises(KeyboardInterrupt), timed(path, 'cell', 'train'):
        raise KeyboardInterrupt
    assert len(path.read_text().splitlines()) == 2
    path.write_text(
        '{"name": "a", "stage": "train", "seconds": 1800}\n'
        '{"name": "a", "stage": "train", "seconds": 900}\n'
        '{"name": "b", "stage": "train", "seconds": 900}\n'
    )
    assert seconds(path) == {('a', 'train'): 2700, ('b', 'train'): 900}
    assert hours(path) == 'train 1.00 h'
