"""A node of a program beside the cell, which watches, measures or tests it."""

import rclpy
from rclpy.context import Context
from rclpy.experimental import EventsExecutor
from rclpy.node import Node

from chef_cell.nodes.ros import spin_once


class Bystander:
    """A node with a context of its own, so that a program can have several, and end one of them.

    Args:
        name: of the node.
        domain: ROS domain; None: the one of the environment.
        namespace: of the cell.

    Attributes:
        node: has neither parameter services nor a log topic; the cell does not hear of it.
    """

    def __init__(self, name: str, domain: int | None, namespace: str = '/') -> None:
        self._context = Context()
        self._context.init(domain_id=domain)
        self.node = Node(
            name,
            namespace=namespace,
            context=self._context,
            start_parameter_services=False,
            enable_rosout=False,
        )
        self._executor = EventsExecutor(context=self._context)
        self._executor.add_node(self.node)

    def others(self) -> list[str]:
        """Return the other nodes in the namespace, as far as they are known."""
        mine = self.node.get_name(), self.node.get_namespace()
        everyone = self.node.get_node_names_and_namespaces()
        return sorted(name for name, place in everyone if place == mine[1] and name != mine[0])

    def spin_once(self, timeout: float) -> None:
        """Let one message or timer be dealt with; waits for it (s) if there is none."""
        spin_once(self._executor, timeout)

    def close(self) -> None:
        """Leave the domain."""
        self._executor.shutdown()
        self.node.destroy_node()
        rclpy.try_shutdown(context=self._context)
