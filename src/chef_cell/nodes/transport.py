"""Which DDS transports a process has: shared memory only where images pass.

Fast DDS guards each process's inbox in shared memory with a lock. A process that is killed, or
hangs, while it holds that lock blocks everybody who sends to it for a second or more, in C++, with
Python's interpreter lock held; and an inbox that was given up takes messages, answers of services
among them, with it. Whoever has no shared memory cannot be blocked so, whoever the other is.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

#: Name of the file in Fast DDS 2 (Jazzy) and in Fast DDS 3 (Kilted and later).
_VARIABLES = ('FASTRTPS_DEFAULT_PROFILES_FILE', 'FASTDDS_DEFAULT_PROFILES_FILE')
_RANGE = 'ROS_AUTOMATIC_DISCOVERY_RANGE'
_SHARED, _CONTROL = 'fastdds.xml', 'fastdds_control.xml'


def control_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that take a process out of shared memory.

    Empty if the profile in force is not ours, or where other machines take part: rmw_fastrtps
    adds shared memory to any profile when it confines discovery to this machine, so the control
    profile has to do that itself, and knows nothing else.
    """
    if environment.get(_RANGE) != 'LOCALHOST':
        return {}
    profiles = {name: Path(environment[name]) for name in _VARIABLES if environment.get(name)}
    if any(path.name != _SHARED for path in profiles.values()):
        return {}
    control = {name: str(path.with_name(_CONTROL)) for name, path in profiles.items()}
    return {**control, _RANGE: 'SYSTEM_DEFAULT'} if control else {}


@contextmanager
def control_transport() -> Iterator[None]:
    """Contexts and nodes that are made meanwhile have no shared memory, if that can be had."""
    before = dict(os.environ)
    os.environ.update(control_environment(before))
    try:
        yield
    finally:
        os.environ.update({name: before[name] for name in (*_VARIABLES, _RANGE) if name in before})
