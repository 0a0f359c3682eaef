"""Interrupts that are held back are not lost, and a pool ends at whatever point one comes."""

import itertools
import os
import random
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from chef_trainer.evaluation.pool import run_jobs
from chef_trainer.interrupt import held_back

TRIALS = 150


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_waits_until_the_block_is_left(number):
    before = signal.signal(number, signal.default_int_handler)
    reached = []

    def interrupted() -> None:
        with held_back():
            signal.raise_signal(number)
            signal.raise_signal(number)
            reached.append('the end of the block')

    try:
        with pytest.raises(KeyboardInterrupt):
            interrupted()
        assert signal.getsignal(number) is signal.default_int_handler
    finally:
        signal.signal(number, before)
    assert reached


def test_other_threads_are_not_interrupted_anyway():
    ended = []

    def work():
        with held_back():
            ended.append(True)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert ended


def test_a_pool_ends_wherever_an_interrupt_comes():
    """In a process of its own: before they were held back, it hung after 8 and 125 of them."""
    subprocess.run(
        [sys.executable, '-c', 'import test_interrupt; test_interrupt.interrupt_pools()'],
        check=True,
        timeout=250,
        env={**os.environ, 'PYTHONPATH': os.pathsep.join([str(Path(__file__).parent), *sys.path])},
    )


def interrupt_pools() -> None:
    draw = random.Random(0)
    # Who is started in the background of a script is told to ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
    for _ in range(TRIALS):
        try:
            for number in run_jobs(negative, itertools.count(), 1):
                if number == -4:
                    signal.setitimer(signal.ITIMER_REAL, draw.uniform(1e-4, 1e-2))
        except KeyboardInterrupt:
            continue


def negative(number: int) -> int:
    return -number
