"""Files as Fast DDS leaves them, some with an owner that holds the lock."""

import fcntl
import os
import time

import pytest

from chef_cell.doctor import leftovers
from chef_cell.doctor.finding import Level

OLD = 1e9  # s since 1970


def make(folder, name, size=1000, lock='_el', age=OLD):
    names = [name, f'{name}{lock}'] if lock else [name]
    for file in names:
        (folder / file).write_bytes(bytes(size if file == name else 0))
        os.utime(folder / file, (age, age))


@pytest.fixture
def folder(tmp_path):
    """One abandoned segment and port; one owned, one new, one without a lock, one foreign."""
    make(tmp_path, 'fastrtps_00000000000000aa', 2000)
    make(tmp_path, 'fastrtps_port7411', lock='_sl')
    (tmp_path / 'sem.fastrtps_port7411_mutex').touch()
    make(tmp_path, 'fastrtps_00000000000000bb')
    make(tmp_path, 'fastrtps_00000000000000cc', age=time.time())
    make(tmp_path, 'fastrtps_00000000000000dd', lock='')
    make(tmp_path, 'somebody_else')
    with (tmp_path / 'fastrtps_00000000000000bb_el').open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield tmp_path


def test_only_segments_without_an_owner_are_named(folder):
    found = leftovers.find(folder)
    assert [segment.name for segment in found] == [
        'fastrtps_00000000000000aa',
        'fastrtps_port7411',
    ]
    assert found[0].size == 2000


def test_a_lock_shared_by_readers_is_a_lock(folder):
    with (folder / 'fastrtps_port7411_sl').open() as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        assert [segment.name for segment in leftovers.find(folder)] == [
            'fastrtps_00000000000000aa'
        ]


def test_cleaning_removes_them_with_lock_and_mutex_and_nothing_else(folder):
    before = {path.name for path in folder.iterdir()}
    assert leftovers.remove(leftovers.find(folder)) == 3000
    assert before - {path.name for path in folder.iterdir()} == {
        'fastrtps_00000000000000aa',
        'fastrtps_00000000000000aa_el',
        'fastrtps_port7411',
        'fastrtps_port7411_sl',
        'sem.fastrtps_port7411_mutex',
    }
    assert leftovers.find(folder) == []


def test_one_that_has_got_an_owner_since_is_kept(folder):
    found = leftovers.find(folder)
    with (folder / 'fastrtps_00000000000000aa_el').open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        leftovers.remove(found)
    assert (folder / 'fastrtps_00000000000000aa').exists()


def segments(size):
    return [leftovers.Segment('fastrtps_port7411', size, ())]


@pytest.mark.parametrize(
    ('found', 'free', 'level'),
    [
        ([], 10**10, Level.OK),
        (segments(10**6), 10**10, Level.OK),
        (segments(10**9), 10**10, Level.WARN),
        (segments(10**9), 10**6, Level.FAIL),
    ],
)
def test_a_full_dev_shm_stops_every_new_node(found, free, level):
    assert leftovers.judge(found, free).level is level
