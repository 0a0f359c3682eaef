"""Start a cell, run a session in it, stop it.

`ros2 launch chef_cell session.launch.py cell:=sim triplet:=3 episodes:=10 policy:=<file>`
"""

from pathlib import Path

import yaml
from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import DeclareLaunchArgument, IncludeLaunchDescription, OpaqueFunction
from launch.launch_description_sources import PythonLaunchDescriptionSource
from launch.substitutions import LaunchConfiguration

from chef_cell.core.schedule import read_triplets

SHARE = Path(get_package_share_directory('chef_cell'))

ARGUMENTS = (
    ('triplet', '3', '1 to 5, several as 1,4; or three object names, red,green,blue'),
    ('episodes', '10', 'per triplet and policy'),
    ('policy', str(SHARE / 'models' / 'stack_state.onnx'), 'policy file; several as a,b'),
    ('seed', '0', 'repeats a session exactly'),
    ('max_steps', '400', 'control steps an episode'),
)


def start(context: LaunchContext) -> list[IncludeLaunchDescription]:
    """Start the cell with a session; arguments of cell.launch.py pass through."""
    value = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    session = {
        'triplets': list(read_triplets(value['triplet'])),
        'policies': [str(Path(path).resolve()) for path in value['policy'].split(',')],
        'episodes': int(value['episodes']),
        'seed': int(value['seed']),
        'max_steps': int(value['max_steps']),
    }
    cell = PythonLaunchDescriptionSource(str(SHARE / 'launch' / 'cell.launch.py'))
    return [
        IncludeLaunchDescription(cell, launch_arguments={'session': yaml.dump(session)}.items())
    ]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments of the session and start it."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            OpaqueFunction(function=start),
        ]
    )
