"""Episodes spread over processes."""

import concurrent.futures
import itertools
import multiprocessing
import multiprocessing.connection
import os
import queue
import signal
import threading
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch

from chef_trainer.interrupt import held_back

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
    finished: queue.SimpleQueue[concurrent.futures.Future[Result]] = queue.SimpleQueue()
    under_way = 0
    pool = concurrent.futures.ProcessPoolExecutor(
        workers, mp_context=context, initializer=_begin_worker
    )
    try:
        while True:
            for job in itertools.islice(waiting, 2 * workers - under_way):
                with held_back():
                    pool.submit(work, job).add_done_callback(finished.put)
                under_way += 1
            if not under_way:
                break
            future = finished.get()  # an interrupt here leaves no lock shut
            under_way -= 1
            yield future.result()
    finally:
        # Once: a second shutdown, as at the end of a `with`, takes the cancelling back.
        with held_back():
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
