"""Where configuration and models lie: in the source tree, or where it was installed to."""

import contextlib
import sys
from pathlib import Path

from ament_index_python.packages import PackageNotFoundError, get_package_share_directory

from chef_cell.graph import GraphError

#: The policy that is shipped.
_POLICY = 'stack_state.onnx'


def config_folder() -> Path:
    """Return the folder with cell.yaml, sim.yaml and fastdds.xml."""
    return _find('config/cell.yaml').parent


def default_policy() -> Path:
    """Return the policy file that is shipped; raises GraphError when there is none."""
    try:
        return _find(f'models/{_POLICY}')
    except GraphError as error:
        raise GraphError(f'no policy: {error}; give one with --policy FILE') from error


def _find(name: str) -> Path:
    places = [Path(__file__).parents[3], Path(sys.prefix) / 'share' / 'chef_cell']
    # Not found unless colcon installed the package and its setup file is sourced.
    with contextlib.suppress(PackageNotFoundError, OSError):
        places.append(Path(get_package_share_directory('chef_cell')))
    for place in places:
        if (place / name).exists():
            return place / name
    raise GraphError(f'{name} is missing, looked in {", ".join(map(str, places))}')
