"""What the safety latch judges beside the wrench, translated for it."""

import time
from collections.abc import Callable

import numpy as np
from builtin_interfaces.msg import Time
from rclpy.node import Node
from sensor_msgs.msg import JointState

from chef_cell.core.imaging import CameraReading
from chef_cell.core.readings import RobotReading
from chef_cell.core.safety import SafetyLatch
from chef_cell.nodes import messages, ros
from chef_cell.nodes.commanders import Commanders
from chef_cell.nodes.phases import COMMANDS
from chef_cell.sim.kinematics import ArmKinematics
from chef_interfaces.msg import CameraState, ControllerState, RecorderState, TaskCommand
from intera_core_msgs.msg import CollisionDetectionState, JointCommand, RobotAssemblyState

LIMB = '/robot/limb/right/'
#: A pair of clock readings that took longer says nothing about their difference (s).
_INSTANT = 1e-3


class SafetyInputs:
    """Subscribes `node` to robot, commands, cameras and the other nodes, and tells `latch`.

    `judged` is called after each, with the stamp of what was judged; None where it has none.
    """

    def __init__(
        self,
        node: Node,
        latch: SafetyLatch,
        lockstep: bool,
        judged: Callable[[Time | None], None],
    ) -> None:
        self._node = node
        self._latch = latch
        self._lockstep = lockstep
        self._judged = judged
        self._kinematics = ArmKinematics()
        self._tick_ns = 0
        self._early: list[TaskCommand] = []
        self._commanders = {
            **{topic: Commanders(node, TaskCommand, topic) for topic in COMMANDS.values()},
            'joint_command': Commanders(node, JointCommand, LIMB + 'joint_command'),
        }
        qos = ros.sensor_qos(lockstep)
        listen = node.create_subscription
        listen(JointState, '/robot/joint_states', self._on_joints, qos)
        listen(RobotAssemblyState, '/robot/state', self._on_robot, ros.STATE_QOS)
        listen(
            CollisionDetectionState, LIMB + 'collision_detection_state', self._on_collision, qos
        )
        for topic in COMMANDS.values():
            listen(TaskCommand, topic, self._on_command, ros.COMMAND_QOS)
        listen(CameraState, 'camera/state', self._on_camera, ros.COMMAND_QOS)
        if not lockstep:
            listen(ControllerState, 'controller/state', self._on_controller, ros.COMMAND_QOS)
            listen(RecorderState, 'recorder', self._on_recorder, ros.STATE_QOS)

    def now(self, stamp: float) -> float:
        """The latch's clock (s): stamps in lockstep, where real time means nothing."""
        return stamp if self._lockstep else time.monotonic()

    def on_tick(self, stamp_ns: int) -> None:
        """In lockstep, it is `stamp_ns` now."""
        self._tick_ns = stamp_ns
        early, self._early = self._early, []
        for command in early:
            self._judge_command(command, stamp_ns)

    def count_publishers(self) -> None:
        """Look who may command: there is no telling whose a command is."""
        for name, commanders in self._commanders.items():
            self._latch.on_publishers(commanders.count(), name)
        self._judged(None)

    def look_at_clock(self) -> None:
        """Look whether the clock that stamps are made with was set."""
        before = time.monotonic()
        offset = self._node.get_clock().now().nanoseconds * 1e-9 - before
        if time.monotonic() - before < _INSTANT:
            self._latch.on_clock(offset)

    def _on_joints(self, message: JointState) -> None:
        stamp = ros.seconds(message.header.stamp)
        try:
            arm = messages.arm_from_message(message)
        except ValueError as error:
            self._node.get_logger().error(str(error), throttle_duration_sec=1.0)
            self._latch.on_malformed('joint_states', stamp, self.now(stamp))
        else:
            finite = np.isfinite(arm.position).all()
            tool = self._kinematics.tool_pose(arm.position)[:3] if finite else None
            self._latch.on_joints(arm, self.now(stamp), tool)
        self._judged(message.header.stamp)

    def _on_robot(self, message: RobotAssemblyState) -> None:
        estop = message.estop_button == RobotAssemblyState.ESTOP_BUTTON_PRESSED
        self._latch.on_robot(RobotReading(message.enabled, message.stopped, message.error, estop))
        self._judged(None)

    def _on_collision(self, message: CollisionDetectionState) -> None:
        self._latch.on_collision(message.collision_state)
        self._judged(None)

    def _on_camera(self, message: CameraState) -> None:
        stamp = ros.seconds(message.header.stamp)
        reading = CameraReading(stamp, message.same_stamp, message.same_pixels)
        self._latch.on_camera(message.camera, reading, self.now(stamp))
        self._judged(message.header.stamp)

    def _on_recorder(self, _: RecorderState) -> None:
        self._latch.on_heartbeat('recorder', time.monotonic())

    def _on_controller(self, message: ControllerState) -> None:
        self._latch.on_controller(message.missed_deadlines, time.monotonic())
        self._judged(None)

    def _on_command(self, message: TaskCommand) -> None:
        if not self._lockstep:
            self._judge_command(message, self._node.get_clock().now().nanoseconds)
        elif ros.nanoseconds(message.header.stamp) > self._tick_ns:
            self._early.append(message)  # it has overtaken its tick, or that will never come
        else:
            self._judge_command(message, self._tick_ns)

    def _judge_command(self, message: TaskCommand, clock_ns: int) -> None:
        """Judge a command at `clock_ns`, now on the clock that commands are stamped with."""
        self.count_publishers()
        clock = clock_ns * 1e-9
        command = messages.task_command_from_message(message)
        self._latch.on_command(command, self.now(clock), clock)
        self._judged(ros.to_stamp(min(clock_ns, ros.nanoseconds(message.header.stamp))))
