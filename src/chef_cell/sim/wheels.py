"""Where the benchmark's model files lie: in the `dm_robotics` wheels, never imported.

Only their MJCF and mesh files are used. The parameters that `dm_robotics` sets in Python are
written down, each with its source, in `robot.py`, `basket.py` and `objects.py`.
"""

import hashlib
import importlib.metadata
import pathlib
import xml.etree.ElementTree as ElementTree

import mujoco

MOMA = 'dm-robotics-moma'
MANIPULATION = 'dm-robotics-manipulation'


class ModelFilesError(RuntimeError):
    """The wheels that hold the robot's model files are not usable."""


def locate(wheel: str, path: str) -> pathlib.Path:
    """Return the file or folder `path` of the installed `wheel`.

    Raises:
        ModelFilesError: the wheel is not installed or lacks the file.
    """
    found = pathlib.Path(str(_distribution(wheel).locate_file(path))).resolve()
    if not found.exists():
        raise ModelFilesError(f'{wheel} {_distribution(wheel).version} has no {path}')
    return found


def fingerprint() -> str:
    """Return a hash of all files of both wheels (from the hashes in their RECORD)."""
    digest = hashlib.sha256()
    for wheel in (MOMA, MANIPULATION):
        digest.update((_distribution(wheel).read_text('RECORD') or '').encode())
    return digest.hexdigest()


def read_xml(path: pathlib.Path) -> ElementTree.Element:
    """Parse a model file; its mesh files get absolute paths."""
    root = ElementTree.parse(path).getroot()
    folder = path.parent
    compiler = root.find('compiler')
    if compiler is not None:
        folder = folder / compiler.attrib.pop('meshdir', '')
    for mesh in root.iter('mesh'):
        mesh.set('file', str((folder / mesh.attrib['file']).resolve()))
    return root


def to_spec(root: ElementTree.Element) -> mujoco.MjSpec:
    """Return the editable model of an XML tree."""
    return mujoco.MjSpec.from_string(ElementTree.tostring(root, encoding='unicode'))


def _distribution(wheel: str) -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(wheel)
    except importlib.metadata.PackageNotFoundError as error:
        raise ModelFilesError(
            f'{wheel} is not installed; it holds the robot model: '
            f'pip install --no-deps {MOMA}==0.10.0 {MANIPULATION}==0.10.0'
        ) from error
