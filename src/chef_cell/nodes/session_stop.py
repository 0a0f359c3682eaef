"""Why a session stops before its queue is empty, and with which exit code."""

#: Exit codes of a session that was run on start.
DONE, BAD_INPUT, FAULT, INTERRUPTED = 0, 2, 3, 130


class SessionStoppedError(Exception):
    """The session cannot go on."""

    def __init__(self, reason: str, exit_code: int, outcome: str = 'fault') -> None:
        super().__init__(reason)
        self.reason = reason
        self.exit_code = exit_code
        self.outcome = outcome
