"""Start a cell: `ros2 launch chef_cell cell.launch.py cell:=sim cameras:=all`.

It waits for sessions (action run_session); session.launch.py starts one at once. The nodes and
their parameters come from chef_cell.graph, as they do for the `chef` command.
"""

from pathlib import Path

import yaml
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
from launch.events.process import ProcessExited
from launch.substitutions import LaunchConfiguration
from launch_ros.actions import LifecycleNode, Node

from chef_cell.cli.arguments import read_cameras
from chef_cell.graph import CAMERAS, CellSettings, GraphError, NodeSpec, nodes

CONFIG = Path(get_package_share_directory('chef_cell')) / 'config'

ARGUMENTS = (
    ('cell', 'sim', 'sim: the simulated cell; real: the robot; gazebo: over ros_gz_bridge'),
    ('lockstep', 'true', 'simulated time waits for every answer; false: the wall clock'),
    ('cameras', 'none', f'all, none, or some of {",".join(CAMERAS)}'),
    ('reset', '', 'scene or scripted: the arm itself rearranges the objects; real: always'),
    ('tracker', 'false', 'true: the cameras see the simulated objects, as they do real ones'),
    ('teleop', '', 'gamepad or spacemouse: a person takes the place of the policy'),
    ('view', '', 'port on which a browser on this machine finds the cameras; 0: any'),
    ('directory', 'sessions', 'where session folders are made'),
    ('namespace', '/cell', 'of all nodes; one per cell'),
    ('set', '{}', 'parameters that win over config/*.yaml, as YAML: {node: {parameter: value}}'),
    ('session', 'null', 'a session to run at once, as YAML parameters of the session node'),
)


def start(context: LaunchContext) -> list[Node]:
    """Turn the node list into launch actions."""
    value = {name: LaunchConfiguration(name).perform(context) for name, _, _ in ARGUMENTS}
    if value['teleop'] == 'keyboard':
        raise GraphError('ros2 launch passes no keys on: use chef teleop, or another device')
    settings = CellSettings(
        cell=value['cell'],
        lockstep=yaml.safe_load(value['lockstep']),
        cameras=read_cameras(value['cameras']),
        directory=str(Path(value['directory']).resolve()),
        namespace=value['namespace'],
        view=int(value['view']) if value['view'] else None,
        reset=value['reset'],
        tracker=yaml.safe_load(value['tracker']),
        teleop=value['teleop'],
    )
    session, overrides = yaml.safe_load(value['session']), yaml.safe_load(value['set'])
    started = [action(node) for node in nodes(settings, CONFIG, session, overrides)]
    return started + ([gazebo_bridge()] if settings.cell == 'gazebo' else [])


def action(node: NodeSpec) -> Node:
    """Return one node; managed ones configure and activate themselves."""
    kind = LifecycleNode if node.lifecycle else Node
    return kind(
        package=node.package,
        executable=node.executable,
        name=node.name,
        namespace=node.namespace,
        parameters=[node.parameters],
        ros_arguments=['--enclave', node.enclave],
        output='screen',
    )


def gazebo_bridge() -> Node:
    """Return the bridge to Gazebo; never tried, see docs/cameras.md."""
    return Node(
        package='ros_gz_bridge',
        executable='parameter_bridge',
        parameters=[{'config_file': str(CONFIG / 'gazebo_bridge.yaml')}],
        output='screen',
    )


def stop_cell(event: ProcessExited, context: LaunchContext) -> Shutdown:
    """End the cell when any of its nodes ends: no part of it works alone."""
    return Shutdown(reason=f'{event.process_name} ended')


def generate_launch_description() -> LaunchDescription:
    """Declare the arguments and start the nodes."""
    return LaunchDescription(
        [
            *(
                DeclareLaunchArgument(name, default_value=default, description=description)
                for name, default, description in ARGUMENTS
            ),
            # The default profile loses most camera frames. Jazzy reads the first name, Kilted
            # and later the second.
            SetEnvironmentVariable('FASTRTPS_DEFAULT_PROFILES_FILE', str(CONFIG / 'fastdds.xml')),
            SetEnvironmentVariable('FASTDDS_DEFAULT_PROFILES_FILE', str(CONFIG / 'fastdds.xml')),
            SetEnvironmentVariable('ROS_AUTOMATIC_DISCOVERY_RANGE', 'LOCALHOST'),
            # Once, because the others end too then.
            RegisterEventHandler(OnProcessExit(on_exit=stop_cell, handle_once=True)),
            OpaqueFunction(function=start),
        ]
    )
