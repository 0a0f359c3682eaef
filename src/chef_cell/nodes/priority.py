"""Let the nodes that stop the arm go before everything else on the machine."""

import os

#: Of the kernel's 99 real-time priorities a low one: above every ordinary process, below what the
#: kernel itself and its drivers run at.
PRIORITY = 10


def go_first() -> str:
    """Ask for real-time priority for this thread and those it starts; return why not, or ''.

    Allowed to root, and to users with an `rtprio` limit of at least `PRIORITY` (limits.conf).
    """
    try:
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(PRIORITY))
    except OSError as error:
        return f'no real-time priority {PRIORITY} ({error.strerror}); see docs/safety.md'
    return ''
