"""The proof of the safety chapter: random lives of the core, faults in a running cell."""

import sys
from pathlib import Path

from hypothesis import settings

sys.path.insert(0, str(Path(__file__).parent))  # makes the modules beside the tests importable

#: of `make lives`
settings.register_profile('lives', max_examples=10_000, deadline=None)
