"""Cameras of pylon's own emulator."""

import os
import warnings

#: So many cameras are emulated, with serial numbers from 0815-0000. Read when pylon is loaded.
os.environ.setdefault('PYLON_CAMEMU', '3')

with warnings.catch_warnings():
    # Types made by SWIG warn while the library is loaded; as an error, that ends the process.
    warnings.simplefilter('ignore')
    import pypylon.pylon  # noqa: F401
