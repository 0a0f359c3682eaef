"""The simulated cell's devices as messages: what they are told, and what their sensors say."""

import contextlib
import dataclasses
import threading
from collections.abc import Iterator

from geometry_msgs.msg import WrenchStamped
from rclpy.node import Node
from rosgraph_msgs.msg import Clock

from chef_cell.core.readings import ArmReading, GripperReading, ObjectReading, WrenchReading
from chef_cell.nodes import messages, ros
from chef_cell.nodes.gripper_border import GripperBorder
from chef_cell.nodes.intera_border import InteraBorder
from chef_cell.sim.cell import SimCell
from chef_interfaces.msg import GripperCommand, GripperState, TrackedObjects

#: Joint ticks (100 Hz) between two reports of the gripper as an IO device: 5 Hz.
IO_TICKS = 20


@dataclasses.dataclass(frozen=True)
class Samples:
    """What all sensors but the cameras say at one instant."""

    arm: ArmReading
    gripper: GripperReading
    wrench: WrenchReading
    objects: ObjectReading

    @classmethod
    def read(cls, cell: SimCell) -> 'Samples':
        """Read the sensors of the cell."""
        return cls(cell.arm.read(), cell.gripper.read(), cell.wrist.read(), cell.tracker.read())


class Devices:
    """Arm, gripper, wrist sensor and tracker of a simulated cell."""

    def __init__(self, node: Node, cell: SimCell, robot: InteraBorder, objects_topic: str) -> None:
        self.robot = robot
        self.refused = 0
        self._node = node
        self._cell = cell
        self._closing_speed: float | None = None  # commanded over gripper/command
        self._samples = Samples.read(cell)
        self._gripper_device = GripperBorder(node, self._samples.gripper)
        qos = ros.SENSOR_PUBLISHER_QOS
        self._wrench = node.create_publisher(WrenchStamped, 'ft300/wrench', qos)
        self._gripper = node.create_publisher(GripperState, 'gripper/state', qos)
        self._objects = node.create_publisher(TrackedObjects, objects_topic, qos)
        self._clock = node.create_publisher(Clock, '/clock', qos)

    def reset(self, seed: int, triplet: str) -> None:
        """Make the scene anew, everything at rest; an empty triplet keeps the objects.

        Raises:
            ValueError: no such triplet or object.
            ResetError: no start state was found.
        """
        self._cell.reset(seed, triplet or None)
        self._samples = Samples.read(self._cell)
        self.robot.arbiter.hold()
        self._gripper_device.device.release()
        self._closing_speed = None

    def obey_gripper(self, message: GripperCommand) -> bool:
        """Take a gripper command; return whether it was accepted."""
        if not -1.0 <= message.velocity <= 1.0:
            self.refused += 1
            self._node.get_logger().error(
                f'refused: gripper velocity {message.velocity}, allowed: -1 to 1',
                throttle_duration_sec=1.0,
            )
            return False
        self._closing_speed = message.velocity
        self._gripper_device.device.release()
        return True

    def move(self, now: float) -> None:
        """Let one joint period pass, obeying what was commanded up to `now` (s)."""
        velocity = self.robot.joint_velocity(now, self._samples.arm.position)
        closing_speed = self._gripper_device.device.closing_speed(self._samples.gripper)
        if closing_speed is None:
            closing_speed = self._closing_speed
        self._cell.step_joint(velocity, closing_speed)
        self._samples = Samples.read(self._cell)

    def publish(self, stamp_ns: int, tick: int, observation: bool) -> None:
        """Publish the newest samples.

        Args:
            stamp_ns: stamp of all messages (ns).
            tick: number of the joint tick.
            observation: whether the streams that only policies and people watch are due too.
        """
        samples, stamp = self._samples, ros.to_stamp(stamp_ns)
        self.robot.publish_joints(samples.arm, stamp)
        self._wrench.publish(messages.wrench_to_message(samples.wrench, stamp, 'ft300_sensor'))
        self._clock.publish(Clock(clock=stamp))
        if observation:
            self._gripper.publish(messages.gripper_to_message(samples.gripper, stamp))
            self._objects.publish(messages.objects_to_message(samples.objects, stamp))
            self.robot.publish_endpoints(samples.arm, stamp)
            self.robot.publish_state()
        if tick % IO_TICKS == 0:
            self._gripper_device.publish(samples.gripper)

    @contextlib.contextmanager
    def repeating(self) -> Iterator[None]:
        """Meanwhile publish the newest samples at 100 Hz, as of an arm that stands.

        Making a scene takes longer than a sensor may be silent in real time.
        """
        done = threading.Event()

        def repeat() -> None:
            while not done.wait(0.01):
                self.publish(self._node.get_clock().now().nanoseconds, 1, True)

        thread = threading.Thread(target=repeat, name='repeat samples')
        thread.start()
        try:
            yield
        finally:
            done.set()
            thread.join()
