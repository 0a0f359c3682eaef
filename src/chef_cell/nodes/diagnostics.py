"""A node's health on /diagnostics, once a second (REP 107)."""

from collections.abc import Callable, Mapping

from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus, KeyValue
from rclpy.node import Node

from chef_cell.nodes import ros

PERIOD = 1.0  # s


class Diagnostics:
    """Publishes one status per entry of what `report` returns.

    Args:
        node: the node reported on.
        hardware: the device behind it.
        report: returns, for each part of the node, what is wrong (empty if nothing) and values.
    """

    def __init__(
        self,
        node: Node,
        hardware: str,
        report: Callable[[], Mapping[str, tuple[str, Mapping[str, object]]]],
    ) -> None:
        self._node = node
        self._hardware = hardware
        self._report = report
        self._publisher = node.create_publisher(DiagnosticArray, '/diagnostics', ros.COMMAND_QOS)
        ros.every(node, PERIOD, self.publish)

    def publish(self) -> None:
        """Publish the state of now."""
        array = DiagnosticArray()
        array.header.stamp = self._node.get_clock().now().to_msg()
        for part, (problem, values) in self._report().items():
            status = DiagnosticStatus(
                name=f'{self._node.get_name()}: {part}',
                hardware_id=self._hardware,
                level=DiagnosticStatus.WARN if problem else DiagnosticStatus.OK,
                message=problem or 'OK',
                values=[KeyValue(key=key, value=str(value)) for key, value in values.items()],
            )
            array.status.append(status)
        self._publisher.publish(array)
