"""The parts of the `chef` command that need no cell."""

import socket

import pytest

from chef_cell.cli import main
from chef_cell.cli.domain import PORT_BASE, DomainError, reserved_domain
from chef_cell.cli.progress import Follower
from chef_cell.core.schedule import ScheduleError, SessionPlan
from chef_cell.testing.ros_harness import Graph


def plan(*arguments):
    options = main._parser().parse_args(['session', *arguments])
    return main._plan(options)


def test_options_win_over_the_plan_file_and_the_file_over_defaults(tmp_path):
    path = tmp_path / 'plan.yaml'
    path.write_text("triplets: ['1', '2']\nepisodes: 20\n")

    assert plan('--plan', str(path), '--policy', 'a', '--episodes', '5') == SessionPlan(
        ('1', '2'), (str(tmp_path.cwd() / 'a'),), episodes=5, seed=0
    )


@pytest.mark.parametrize('content', ['[', '3', 'smell: 1', 'episodes: many'])
def test_a_bad_plan_file_is_bad_input(tmp_path, content, capsys):
    path = tmp_path / 'plan.yaml'
    path.write_text(content)

    assert main.main(['session', '--policy', 'a', '--plan', str(path)]) == main.BAD_INPUT
    assert capsys.readouterr().err.startswith('chef: ')


def test_a_missing_plan_file_is_named():
    with pytest.raises(ScheduleError, match=r'none\.yaml'):
        plan('--policy', 'a', '--plan', 'none.yaml')


def test_report_needs_a_session(tmp_path, capsys):
    assert main.main(['report', str(tmp_path)]) == main.BAD_INPUT
    assert 'has no session.json' in capsys.readouterr().err


def test_a_free_domain_is_taken_and_given_back(monkeypatch):
    monkeypatch.delenv('ROS_DOMAIN_ID', raising=False)
    with reserved_domain() as first, reserved_domain() as second:
        assert first != second

    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as again:
        again.bind(('127.0.0.1', PORT_BASE + first))


@pytest.mark.parametrize('domain', ['many', '-1', '233'])
def test_a_malformed_domain_is_refused(monkeypatch, domain):
    monkeypatch.setenv('ROS_DOMAIN_ID', domain)
    with pytest.raises(DomainError, match='expected a number from 0 to 232'), reserved_domain():
        pass


def test_another_cell_on_the_domain_is_seen():
    with Graph.open() as graph:
        domain = int(graph.environment['ROS_DOMAIN_ID'])
        follower = Follower(domain, '/cell')
        elsewhere = Follower(domain, '/cell_07')
        try:
            assert follower.others() == ['probe']
            assert elsewhere.others() == []
        finally:
            follower.close()
            elsewhere.close()
