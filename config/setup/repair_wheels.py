"""Point the CMake files of the ROS wheels at this machine's Python.

The wheels name the header folders of the machine that built them
(``/opt/python/cp311-cp311/include/...``), which exist nowhere else. Run it with the
Python of the virtual environment, after every installation of ROS wheels.
"""

import re
import sys
import sysconfig
from pathlib import Path

import numpy as np

BUILT_IN = r'/opt/python/cp3\d+-cp3\d+'
HEADERS = {
    rf'{BUILT_IN}/lib/python3\.\d+/site-packages/numpy/_core/include': np.get_include(),
    rf'{BUILT_IN}/include/python3\.\d+': sysconfig.get_path('include'),
}


def repair(text: str) -> str:
    """Return the text of a CMake file with this machine's header folders."""
    for theirs, ours in HEADERS.items():
        text = re.sub(theirs, lambda _, ours=ours: ours, text)
    return text


def main() -> None:
    """Repair every CMake file that the wheels installed."""
    for path in Path(sys.prefix, 'share').glob('*/cmake/*.cmake'):
        before = path.read_text()
        after = repair(before)
        if after != before:
            path.write_text(after)


if __name__ == '__main__':
    main()
