"""Simulated time that is moved by the answers to each instant."""

from contextlib import AbstractContextManager, nullcontext

from rclpy.node import Node

from chef_cell.core.stepping import GRIPPER_COMMAND, JOINT_COMMAND, EpisodeStepper, Instant
from chef_cell.nodes import ros
from chef_cell.nodes.bridge_cameras import BridgeCameras
from chef_cell.nodes.bridge_devices import Devices
from chef_cell.sim.scene import SimSettings
from chef_interfaces.msg import EpisodeState, GripperCommand, Tick
from intera_core_msgs.msg import JointCommand

SECOND = 1_000_000_000  # ns


class Lockstep:
    """Each instant stands still until it is answered."""

    def __init__(
        self, node: Node, sim: SimSettings, devices: Devices, cameras: BridgeCameras
    ) -> None:
        self._devices = devices
        self._cameras = cameras
        self._ticks_per_step = round(sim.control_period / sim.joint_period)
        self._stepper = EpisodeStepper(round(sim.joint_period * SECOND), self._ticks_per_step)
        self._stamp_ns = 0
        self._episode_id = ''
        self._ticks = node.create_publisher(Tick, 'tick', ros.COMMAND_QOS)

    def on_joint_command(self, message: JointCommand) -> None:
        """Take the command if it answers the present instant."""
        stamp_ns = ros.nanoseconds(message.header.stamp)
        awaited = self._stepper.awaits(JOINT_COMMAND, stamp_ns)
        if awaited and self._devices.robot.obey(message, stamp_ns / SECOND):
            self._answered(JOINT_COMMAND)

    def on_gripper_command(self, message: GripperCommand) -> None:
        """Take the command if it answers the present instant."""
        stamp_ns = ros.nanoseconds(message.header.stamp)
        awaited = self._stepper.awaits(GRIPPER_COMMAND, stamp_ns)
        if awaited and self._devices.obey_gripper(message):
            self._answered(GRIPPER_COMMAND)

    def start(self, episode: EpisodeState) -> None:
        """Publish the first instant; a reset by the arm begins with the next whole second."""
        self._episode_id = episode.episode_id
        if episode.phase == EpisodeState.SCRIPTED_RESET:
            self.first_stamp()
        self._stamp_ns = max(self._stamp_ns, ros.nanoseconds(episode.start))
        self._publish(self._stepper.start(self._stamp_ns, episode.max_steps))

    def stop(self) -> None:
        """Wait for nothing any more."""
        self._stepper.stop()

    def making_scene(self) -> AbstractContextManager[None]:
        """Nothing: no one expects samples while time stands still."""
        return nullcontext()

    def first_stamp(self) -> int:
        """Go on to the next whole second.

        So stamps never go back, and none is zero: a message without a stamp answers nothing.
        """
        self._stamp_ns = (self._stamp_ns // SECOND + 1) * SECOND
        return self._stamp_ns

    def counts(self) -> dict[str, int]:
        """Commands that answered no instant."""
        return {'commands ignored': self._stepper.ignored}

    def _answered(self, name: str) -> None:
        if self._stepper.put(name):
            self._devices.move(self._stamp_ns / SECOND)
            self._publish(self._stepper.advance())

    def _publish(self, instant: Instant) -> None:
        """Publish all samples of an instant, and last that they are complete."""
        self._stamp_ns = instant.stamp_ns
        observation = instant.tick % self._ticks_per_step == 0
        self._devices.publish(instant.stamp_ns, instant.tick, observation)
        if observation:
            self._cameras.publish(instant.stamp_ns)
        tick = Tick(episode_id=self._episode_id, step=instant.step)
        tick.command_due = instant.command_due
        tick.header.stamp = ros.to_stamp(instant.stamp_ns)
        self._ticks.publish(tick)
