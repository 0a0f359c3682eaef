"""Every row of the fault matrix, in one running cell: break it, look, rearm, go on."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import page
import pytest
from live_cell import STALLED, LiveCell
from matrix import FAULTS, GOES_ON, GONE, HOLD, RETREAT, WHOLE, Fault

from chef_cell.core.limits import SAWYER
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import EpisodeState, SafetyState
from chef_trainer.episodes import EpisodeReader, find_unfinished

#: rad/s, the largest change of a joint velocity in one period of 0.01 s, and some for rounding
CHANGE = 1.001 * 0.01 * np.array(SAWYER.acceleration)
STILL = 0.01  # rad/s, measured


@pytest.fixture(scope='module')
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveCell]:
    with Graph.open() as graph:
        cell = LiveCell(graph, tmp_path_factory.mktemp('cell'))
        cell.wait_until_up()
        yield cell


@pytest.fixture
def cell(running: LiveCell) -> Iterator[LiveCell]:
    """The running cell; when the test is over it is ready for another one."""
    yield running
    running.settle()


@pytest.mark.parametrize(
    'fault',
    [
        pytest.param(fault, id=fault.what, marks=[pytest.mark.slow] * fault.slow)
        for fault in FAULTS
    ],
)
def test_fault(cell: LiveCell, fault: Fault) -> None:
    for attempt in range(3):
        cell.longest_gap = 0.0
        try:
            play(cell, fault)
        except AssertionError:
            # On a machine that has no time, everything falls silent: that says nothing.
            overloaded = os.getloadavg()[0] > 1.5 * (os.cpu_count() or 1)
            if attempt == 2 or not (overloaded or cell.longest_gap > STALLED):
                raise
            cell.settle()
        else:
            return


def test_a_corrupt_policy_file_is_refused(cell: LiveCell) -> None:
    corrupt = cell.folder / 'corrupt.onnx'
    corrupt.write_bytes(cell.policy.read_bytes()[:500])
    cell.ask(policy=corrupt)
    assert 'policy refused' in cell.end().stopped_by
    assert not cell.moving


def test_the_page_shows_the_matrix() -> None:
    assert page.PAGE.read_text() == page.text(), 'run: python test/safety/page.py'


def play(cell: LiveCell, fault: Fault) -> None:
    """Run a session, break the cell, look what comes of it, mend it."""
    cell.begin(episodes=2 if fault.session == GOES_ON else 1)
    assert_started_from_rest(cell)
    if fault.arm == RETREAT:
        cell.wait_until_on_its_way()
    cell.verdicts.forget()
    with fault.inject(cell):
        wait_until_stopped(cell, fault)
        if fault.session == GOES_ON or not fault.latched:
            cell.wait_for_phase(0, EpisodeState.ENDED)
        assert_stands(cell)
    if fault.session == GONE:
        return
    if fault.session == GOES_ON:
        cell.wait_for_phase(1, EpisodeState.RUNNING)
        cell.graph.wait_for(lambda: cell.moving, 'motion of the next episode')
        cell.cancel()
        result = cell.end()
    else:
        result = cell.end()
        assert_one_of(fault, result.stopped_by)
    assert_on_record(Path(result.directory), fault)


def assert_started_from_rest(cell: LiveCell) -> None:
    """Whatever was before: the first motion is within the limits of acceleration."""
    first = next(c.velocity for c in cell.commands if any(c.velocity))
    assert (np.abs(first) <= CHANGE).all(), first


def wait_until_stopped(cell: LiveCell, fault: Fault) -> None:
    wait = cell.graph.wait_for
    if fault.latched:
        wait(lambda: cell.verdicts and cell.verdicts[-1].level, f'the latch to see {fault.what}')
        verdict = cell.verdicts[-1]
        assert_one_of(fault, verdict.reason.partition(',')[0])
        right = SafetyState.EPISODE_STOP if fault.session == GOES_ON else SafetyState.FAULT
        assert verdict.level == right
    if fault.arm == HOLD:
        wait(lambda: cell.speed < STILL, 'a standing arm')
        return
    wait(lambda: not cell.moving, 'zero velocity')
    if fault.arm == RETREAT:
        wait(lambda: cell.moving, 'the retreat')
        wait(lambda: not cell.moving, 'the end of the retreat')


def assert_one_of(fault: Fault, words: str) -> None:
    """The reason is given, or another that has the same cause."""
    assert any(reason in words for reason in (fault.reason, *fault.or_else)), words


def assert_stands(cell: LiveCell) -> None:
    """Nothing has moved since it stopped."""
    cell.commands.forget()
    cell.graph.spin_for(0.1)
    assert not any(any(command.velocity) for command in cell.commands)


def assert_on_record(directory: Path, fault: Fault) -> None:
    """session.json and the episode file agree on what happened."""
    record = json.loads((directory / 'session.json').read_text())['episodes'][0]
    assert record['outcome'] == fault.outcome
    assert_one_of(fault, record['reason'])
    if fault.file != WHOLE:
        assert find_unfinished(directory) or any(
            EpisodeReader(path).metadata.get('recovered') for path in directory.rglob('*.mcap')
        )
        return
    metadata = EpisodeReader(directory / record['file']).metadata
    assert metadata['outcome'] == fault.outcome
    assert metadata['reason'] == record['reason']
