"""Episodes spread over processes."""

import concurrent.futures
import itertools
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch

Job = TypeVar('Job')
Result = TypeVar('Result')


def run_jobs(work: Callable[[Job], Result], jobs: Iterable[Job], workers: int) -> Iterator[Result]:
    """Yield the results of `work` on every job as they come, from `workers` processes.

    The processes are forked from a server that has imported what `work` needs and nothing else,
    so they start fast and copy no lock or thread of this one; each uses one thread. The first
    exception of a job stops all and is raised here. Who stops listening, as on Ctrl-C, waits for
    the jobs under way: at most two for each process, as no more are handed out in advance.
    """
    context = multiprocessing.get_context('forkserver')
    context.set_forkserver_preload([work.__module__])
    waiting = iter(jobs)
    pool = concurrent.futures.ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin_worker
    )
    try:
        under_way = {pool.submit(work, job) for job in itertools.islice(waiting, 2 * workers)}
        while under_way:
            done, under_way = concurrent.futures.wait(
                under_way, return_when=concurrent.futures.FIRST_COMPLETED
            )
            for future in done:
                under_way |= {pool.submit(work, job) for job in itertools.islice(waiting, 1)}
                yield future.result()
    finally:
        # Once: a second shutdown, as at the end of a `with`, takes the cancelling back.
        pool.shutdown(cancel_futures=True)


def _begin_worker() -> None:
    torch.set_num_threads(1)
    # Ctrl-C reaches every process of the terminal; the parent decides, and this job is finished.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """End this process when its parent is gone: a killed run leaves no process behind."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    multiprocessing.connection.wait([parent.sentinel])
    os._exit(1)
