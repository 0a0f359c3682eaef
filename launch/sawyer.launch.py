"""Offer a simulated Sawyer: `ros2 launch chef_cell sawyer.launch.py host:=10.0.0.7`.

Programs that were written for a real one drive it, over ROS 1 (export ROS_MASTER_URI there) or
ROS 2.
"""

from pathlib import Path

from ament_index_python.packages import get_package_share_directory
from launch import LaunchContext, LaunchDescription
from launch.actions import (
    DeclareLaunchArgument,
    OpaqueFunction,
    RegisterEventHandler,
    SetEnvironmentVariable,
    Shutdown,
)
from launch.event_handlers import OnProcessExit
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import Node

from chef_cell.graph import sawyer

CONFIG = Path(get_package_share_directory('chef_cell')) / 'config'

ARGUMENTS = (
    ('host', '127.0.0.1', 'address of this machine for ROS 1 programs'),
    ('port', '11311', 'of the ROS 1 master'),
    ('namespace', '/cell', 'of all nodes'),
)


def start(context: LaunchContext) -> list[Node]:
    """Turn the node list into launch actions."""
    host, port, namespace = (
        LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS
    )
    return [
        Node(
            package=node.package,
            executable=node.executable,
            name=node.name,
            namespace=node.namespace,
            parameters=[node.parameters],
            output='screen',
        )
        for node in sawyer(CONFIG, host, int(port), namespace)
    ]


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the nodes."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            SetEnvironmentVariable('FASTRTPS_DEFAULT_PROFILES_FILE', str(CONFIG / 'fastdds.xml')),
            SetEnvironmentVariable('FASTDDS_DEFAULT_PROFILES_FILE', str(CONFIG / 'fastdds.xml')),
            SetEnvironmentVariable('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST'),
            RegisterEventHandler(
                OnProcessExit(on_exit=Shutdown(reason='a node ended'), handle_once=True)
            ),
            OpaqueFunction(function=start),
        ]
    )
