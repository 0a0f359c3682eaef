"""Episodes spread over processes."""

import concurrent.futures
import multiprocessing
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

import torch

Job = TypeVar('Job')
Result = TypeVar('Result')


def run_jobs(
    work: Callable[[Job], Result], jobs: Iterable[Job], workers: int
) -> Iterator[Result]:
    """Yield the results of `work` on every job as they come, from `workers` processes.

    Processes are spawned, so that no lock or thread of this process is copied into them, and use
    one thread each. The first exception of a job stops all and is raised here.
    """
    context = multiprocessing.get_context('spawn')
    with concurrent.futures.ProcessPoolExecutor(
        workers, mp_context=context, initializer=torch.set_num_threads, initargs=(1,)
    ) as pool:
        futures = [pool.submit(work, job) for job in jobs]
        try:
            for future in concurrent.futures.as_completed(futures):
                yield future.result()
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
