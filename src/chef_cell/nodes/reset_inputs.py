"""What the scripted reset sees, gathered from the topics of the cell."""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from rclpy.node import Node

from chef_cell.core.lockstep import StampGate
from chef_cell.core.reset.pilot import ResetView
from chef_cell.nodes import messages, ros
from chef_cell.sim.kinematics import ArmKinematics
from chef_interfaces.msg import Tick


class ResetInputs:
    """The newest readings of arm, gripper, wrist and objects.

    Args:
        node: subscribes.
        lockstep: whether all readings of an instant carry one stamp.
        arrived: called when something has come.
    """

    def __init__(self, node: Node, lockstep: bool, arrived: Callable[[], None]) -> None:
        self._node = node
        self._arrived = arrived
        self._kinematics = ArmKinematics()
        self._readings: dict[str, Any] = {}
        self._force = 0.0  # N, largest since the last view
        self._gate = StampGate((*messages.READINGS, 'tick'))
        self.tick = Tick()  # the newest at which a command is due (lockstep)
        qos = ros.sensor_qos(lockstep)
        for name, (kind, topic, translate) in messages.READINGS.items():
            callback = partial(self._on_reading, name, translate)
            node.create_subscription(kind, topic, callback, qos)
        if lockstep:
            node.create_subscription(Tick, 'tick', self._on_tick, ros.COMMAND_QOS)

    def complete(self) -> bool:
        """Whether everything that the newest tick announced is there: true once for each."""
        return self._gate.take(ros.nanoseconds(self.tick.header.stamp))

    def fresh(self, now: float, max_age: float) -> bool:
        """Whether no reading is missing or older than `max_age` (s)."""
        stamps = [reading.stamp for reading in self._readings.values()]
        return len(stamps) == len(messages.READINGS) and now - min(stamps) <= max_age

    def view(self, now: float) -> ResetView:
        """Return what is seen at `now` (s)."""
        arm, force, self._force = self._readings['arm'], self._force, 0.0
        return ResetView(
            now,
            self._readings['objects'],
            self._kinematics.tool_pose(arm.position),
            float(arm.position[6]),
            self._readings['gripper'],
            force,
        )

    def _on_reading(self, name: str, translate: Callable[[Any], Any], message: Any) -> None:
        try:
            reading = translate(message)
        except ValueError as error:
            self._node.get_logger().error(f'{name}: {error}', throttle_duration_sec=1.0)
            return
        self._readings[name] = reading
        if name == 'wrench':
            self._force = max(self._force, float(np.linalg.norm(reading.force)))
        self._gate.put(name, ros.nanoseconds(message.header.stamp))
        self._arrived()

    def _on_tick(self, tick: Tick) -> None:
        if tick.command_due:
            self.tick = tick
            self._gate.put('tick', ros.nanoseconds(tick.header.stamp))
            self._arrived()
