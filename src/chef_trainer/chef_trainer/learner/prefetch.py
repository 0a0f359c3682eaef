"""Batches drawn ahead, in another thread, while the learner works on the one before."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import torch

from chef_trainer.interrupt import held_back
from chef_trainer.learner.batch import Transitions

AHEAD = 2  # batches


def prefetched(
    draw: Callable[[int], Transitions], first: int, last: int, device: torch.device
) -> Iterator[Transitions]:
    """Yield the batches of updates `first` .. `last` - 1 on `device`, in order.

    For a graphics card they pass through pinned memory, so that copying them does not wait.
    """

    def prepared(update: int) -> Transitions:
        batch = draw(update)
        return batch.pinned() if device.type == 'cuda' else batch

    with ThreadPoolExecutor(1, thread_name_prefix='prefetch') as pool:
        waiting: deque[Future[Transitions]] = deque()
        try:
            for update in range(first, last):
                with held_back():
                    waiting.append(pool.submit(prepared, update))
                if len(waiting) > AHEAD:
                    yield _next(waiting).to(device)
            while waiting:
                yield _next(waiting).to(device)
        finally:
            for future in waiting:
                future.cancel()


def _next(waiting: deque[Future[Transitions]]) -> Transitions:
    with held_back():
        return waiting.popleft().result()
