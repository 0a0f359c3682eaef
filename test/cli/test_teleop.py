"""`chef teleop` on a terminal: keys reach the arm through the runner, and the file says who."""

import os
import pty
import subprocess
import sys
import termios

import pytest

from chef_trainer.episodes import EpisodeReader

DEADLINE = 90.0


@pytest.fixture
def terminal():
    ends = pty.openpty()
    yield ends
    for end in ends:
        os.close(end)


def test_a_demonstration_over_the_keyboard(terminal, tmp_path):
    person, program = terminal
    before = termios.tcgetattr(program)
    process = subprocess.Popen(
        [
            *(sys.executable, '-m', 'chef_cell.cli.main', 'teleop', '--cameras', 'none'),
            *('--episodes', '1', '--seconds', '1', '--set', 'teleop.key_hold=0.5'),
            *('--no-report', '--out', str(tmp_path)),
        ],
        stdin=program,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    # Typed as a key held down repeats, with pauses: one that was down before the episode does not
    # count.
    typed = 0
    while process.poll() is None:
        if typed % 20 < 5:
            os.write(person, b'f')
        typed += 1
        try:
            process.wait(0.05)
        except subprocess.TimeoutExpired:
            assert typed < DEADLINE / 0.05

    output, _ = process.communicate()
    assert process.returncode == 0, output
    assert 'human: timeout' in output
    assert termios.tcgetattr(program) == before
    (file,) = tmp_path.glob('*/*/*.mcap')
    episode = EpisodeReader(file)
    assert episode.metadata['source'] == 'human'
    assert episode.metadata['steps'] == 20


def test_what_a_person_may_drive_with_is_listed(tmp_path):
    result = subprocess.run(
        [sys.executable, '-m', 'chef_cell.cli.main', 'teleop', '--device', 'wheel'],
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )
    assert result.returncode == 2
    assert 'keyboard' in result.stderr
