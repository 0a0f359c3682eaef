"""What is shown while a session runs."""

import io

from rich.console import Console

from chef_cell.cli.progress import Display
from chef_interfaces.msg import EpisodeState, RecorderState


def show(*states: EpisodeState | RecorderState, terminal: bool = False) -> str:
    """Return what a display prints of these states, one after the other."""
    output = io.StringIO()
    display = Display(Console(file=output, force_terminal=terminal, width=120), total=2)
    for state in states:
        if isinstance(state, RecorderState):
            display.show_recorder(state)
        else:
            display.show(state)
    display.close()
    return output.getvalue()


def test_an_episode_is_a_line() -> None:
    ended = EpisodeState(
        phase=EpisodeState.ENDED, episode_id='a', triplet='3', outcome='success', success=True
    )
    assert 'episode 1/2, triplet 3, : success' in show(ended)


def test_losses_are_shown_while_they_happen() -> None:
    running = EpisodeState(phase=EpisodeState.RUNNING, episode_id='a', triplet='3')
    losing = RecorderState(episode_id='a', recording=True, dropped=3, expected=4000, paused=True)
    text = show(running, losing, terminal=True)
    assert 'running, recording is paused, 3 of 4000 messages lost' in text


def test_marks_are_said_once_when_the_file_is_finished() -> None:
    marked = RecorderState(episode_id='a', marks=['loss: a lacks 3 of 10 messages'])
    assert show(marked, marked).count('episode a is marked: loss: a lacks 3') == 1
    marked.recording = True
    assert show(marked) == ''
