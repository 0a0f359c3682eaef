"""Intera server node: a ROS 1 master and a Sawyer's topics in front of a cell.

Programs written for a Sawyer drive the cell unchanged: they set ROS_MASTER_URI to this machine.
"""

import dataclasses
import sys

from chef_cell.core.rate_limit import RateLimit
from chef_cell.drivers.intera import interface
from chef_cell.drivers.ros1 import node as ros1
from chef_cell.drivers.ros1.master import Master
from chef_cell.nodes import ros, ros1_relay
from chef_cell.nodes.diagnostics import Health


@dataclasses.dataclass(frozen=True)
class ServerSettings:
    """Where the master is found."""

    host: str = '127.0.0.1'  # name or address under which clients reach this machine
    port: int = 11311  # of the master; 0 takes a free one


class InteraServer(ros.CellNode):
    """Serves ROS 1 clients; what they command goes to the cell's own topics."""

    def __init__(self) -> None:
        super().__init__('intera_server')
        self.declare_parameter('lockstep', False)
        settings = ros.declare_settings(self, ServerSettings)
        self._master = Master(settings.host, settings.port)
        for name, value in interface.PARAMETERS.items():
            self._master.parameters[name] = value
        codec = ros1_relay.ros2_codec()
        self._robot = ros1.Node('sawyer', self._master.uri, codec, settings.host)
        self._relay = ros1_relay.Relay(self, self._robot)
        self._rate = RateLimit()
        for topic in (*interface.ARM_STATES, *interface.DEVICE_STATES):
            qos = ros.STATE_QOS if topic.latched else ros.sensor_qos(lockstep=False)
            restamp = self._at_rate if topic == interface.JOINT_STATES else None
            self._relay.to_ros1(topic, qos, restamp)
        for topic in (*interface.ARM_COMMANDS, interface.DEVICE_COMMAND):
            self._relay.to_ros2(topic)
        for service, kind in interface.SERVICES.items():
            self._relay.serve(service, kind)
        self._robot.subscribe(
            interface.STATE_RATE.name,
            interface.STATE_RATE.kind,
            lambda message: self._rate.set(message.data),
        )
        self.get_logger().info(f'clients: export ROS_MASTER_URI={self._master.uri}')

    def _at_rate(self, stamp: float) -> float | None:
        """Let joint states through as often as clients asked for."""
        return stamp if self._rate.due(stamp) else None

    def diagnose(self) -> dict[str, Health]:
        """Return how the ROS 1 side is."""
        return {'ROS 1': Health(self._robot.problem, self._robot.counts())}

    def stop(self) -> None:
        """Take leave of the clients."""
        self._relay.close()
        self._master.close()


def main() -> int:
    """Run the node."""
    return ros.run(InteraServer)


if __name__ == '__main__':
    sys.exit(main())
