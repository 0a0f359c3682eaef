"""How a command ends early: Ctrl-C and SIGTERM are the same."""

import signal

INTERRUPTED = 130  # exit code


def interrupt_on_sigterm() -> None:
    """Let SIGTERM (`timeout`, `docker stop`, a job scheduler) raise KeyboardInterrupt, too.

    Without it the process would die where it stands: no word, no report, shared locks leaked.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
