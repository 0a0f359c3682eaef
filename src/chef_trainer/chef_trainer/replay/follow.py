"""Keep a data set up to date while a session is running."""

import contextlib
import threading
from collections.abc import Iterator

from chef_trainer.replay.dataset import Dataset
from chef_trainer.replay.mixture import Mixture


@contextlib.contextmanager
def following(dataset: Dataset | Mixture, period: float = 0.5) -> Iterator[None]:
    """Take in new episodes from a thread of its own, every `period` seconds, until the exit.

    An episode can be sampled about one period after the recorder has finished its file.

    Raises, at the exit, what ended the thread early: EpisodeFileError when a folder is gone.
    """
    stop, failures = threading.Event(), list[Exception]()

    def run() -> None:
        try:
            while not stop.wait(period):
                dataset.refresh()
        except Exception as error:  # nobody sees an exception of a thread
            failures.append(error)

    thread = threading.Thread(target=run, name='data set follower', daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
    if failures:
        raise failures[0]
