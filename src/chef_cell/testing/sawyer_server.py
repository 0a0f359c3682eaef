"""A simulated Sawyer behind a ROS 1 master, for tests of what speaks to it."""

import dataclasses
import socket

from chef_cell.testing.ros_harness import Graph, NodeProcess

#: How long three processes may take to come up on a loaded machine (s).
START = 60.0


@dataclasses.dataclass(frozen=True)
class SawyerServer:
    """The processes that are the robot, its master up."""

    port: int  # of the ROS 1 master
    bridge: NodeProcess
    server: NodeProcess


def start_server(graph: Graph) -> SawyerServer:
    """Start the bridge and the server, and wait for the master."""
    with socket.create_server(('127.0.0.1', 0)) as free:
        port = free.getsockname()[1]
    bridge = graph.start('mujoco_bridge')
    server = graph.start('intera_server', {'port': port})
    graph.wait_for(lambda: 'ROS_MASTER_URI' in server.output(), 'the master', START)
    return SawyerServer(port, bridge, server)
