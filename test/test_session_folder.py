"""Each session has a folder of its own."""

from chef_cell.session_folder import new_session_folder


def test_sessions_that_begin_together_do_not_share_a_folder(tmp_path):
    folders = [new_session_folder(tmp_path / 'sessions') for _ in range(5)]
    assert len(set(folders)) == 5
    assert set((tmp_path / 'sessions').iterdir()) == set(folders)
    assert folders == sorted(folders)
