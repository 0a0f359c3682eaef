"""Ctrl-C before a study has been read: there is nothing to report yet."""

import sys

import pytest

from chef_trainer.bench.results import __main__ as results
from chef_trainer.bench.tasks import __main__ as tasks


@pytest.mark.parametrize(
    ('bench', 'more'), [(results, ['--env', 'point_mass:PointMass']), (tasks, [])]
)
def test_ctrl_c_while_a_study_is_read_ends_without_a_report(bench, more, tmp_path, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(bench, 'load_study', interrupt)
    monkeypatch.setattr(sys, 'argv', ['bench', 'study.yaml', '--out', str(tmp_path), *more])
    with pytest.raises(SystemExit) as ended:
        bench.main()
    assert ended.value.code == bench.INTERRUPTED
    assert not any(tmp_path.iterdir())
