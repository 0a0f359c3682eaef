"""Simulated time that keeps pace with a clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from rclpy.node import Node

from chef_cell.core.stepping import Pacer
from chef_cell.nodes import ros
from chef_cell.nodes.bridge_cameras import BridgeCameras
from chef_cell.nodes.bridge_devices import Devices
from chef_cell.sim.scene import SimSettings
from chef_interfaces.msg import EpisodeState, GripperCommand
from intera_core_msgs.msg import JointCommand


class RealTime:
    """The physics keeps pace with a clock that never jumps."""

    def __init__(
        self,
        node: Node,
        sim: SimSettings,
        devices: Devices,
        cameras: BridgeCameras,
        image_rate: float,
    ) -> None:
        self._node = node
        self._devices = devices
        self._cameras = cameras
        self._pacer = Pacer(sim.joint_period)
        self._image_ticks = max(1, round(1.0 / (image_rate * sim.joint_period)))
        self._tick = 0
        ros.every(node, sim.joint_period, self._keep_pace)

    def on_joint_command(self, message: JointCommand) -> None:
        """Obey from now on."""
        self._devices.robot.obey(message, time.monotonic())

    def on_gripper_command(self, message: GripperCommand) -> None:
        """Obey from now on."""
        self._devices.obey_gripper(message)

    def start(self, episode: EpisodeState) -> None:
        """Nothing: time passes anyway."""

    def stop(self) -> None:
        """Nothing: time passes anyway."""

    @contextmanager
    def making_scene(self) -> Iterator[None]:
        """Repeat the newest samples meanwhile: a silent sensor is a fault."""
        with self._devices.repeating():
            yield
            # While nobody judges the gap between two samples: no episode runs yet.
            self._cameras.prepare()
        self._pacer.restart()

    def first_stamp(self) -> int:
        """Return the ROS time of now."""
        return self._node.get_clock().now().nanoseconds

    def counts(self) -> dict[str, int]:
        """Time and images left out because the machine was too slow."""
        return {'periods lost': self._pacer.lost, 'images dropped': self._cameras.dropped}

    def _keep_pace(self) -> None:
        now = time.monotonic()
        due = self._pacer.due(now)
        for _ in range(due):
            self._devices.move(now)
        if due:
            before, self._tick = self._tick, self._tick + due
            stamp_ns = self.first_stamp()
            self._devices.publish(stamp_ns, self._tick, observation=True)
            if self._tick // self._image_ticks > before // self._image_ticks:
                self._cameras.publish(stamp_ns)
