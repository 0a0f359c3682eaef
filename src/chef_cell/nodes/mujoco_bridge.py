"""The simulated cell behind the topics of a real one: Sawyer, gripper, wrist sensor, cameras.

In lockstep simulated time stands still at each joint tick until the joint command with that
tick's stamp has come (and, where a task command is due, the gripper's), then moves on by exactly
one joint period. In real time the physics keeps pace with a clock that never jumps.
"""

import contextlib
import dataclasses
import sys
import time

from std_srvs.srv import SetBool

from chef_cell.core.stepping import GRIPPER_COMMAND, JOINT_COMMAND, EpisodeStepper, Instant, Pacer
from chef_cell.nodes import ros
from chef_cell.nodes.bridge_cameras import BridgeCameras
from chef_cell.nodes.bridge_devices import Devices
from chef_cell.nodes.diagnostics import Diagnostics
from chef_cell.nodes.intera_border import InteraBorder
from chef_cell.sim.cell import SimCell
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.sim.scene import SimSettings
from chef_interfaces.msg import EpisodeState, GripperCommand, Tick
from chef_interfaces.srv import ResetScene
from intera_core_msgs.msg import JointCommand

SECOND = 1_000_000_000  # ns


@dataclasses.dataclass(frozen=True)
class BridgeSettings:
    """How the simulated cell is run."""

    lockstep: bool = False
    triplet: str = '1'  # objects until the first reset
    enabled: bool = True  # whether the robot starts enabled; a real one does not
    cameras: tuple[str, ...] = ()
    image_size: int = 128  # pixels, square
    image_rate: float = 20.0  # Hz, in real time; in lockstep each observation has its images

    def __post_init__(self) -> None:
        if self.image_size < 1 or not self.image_rate > 0.0:
            raise ValueError(
                f'image_size {self.image_size}, image_rate {self.image_rate} Hz: must be positive'
            )


class MujocoBridge(ros.CellNode):
    """Decides when simulated time passes; what then happens is up to the devices."""

    def __init__(self) -> None:
        super().__init__('mujoco_bridge')
        settings = ros.declare_settings(self, BridgeSettings)
        sim = ros.declare_settings(self, SimSettings)
        self._lockstep = settings.lockstep
        self._cell = SimCell(settings.triplet, sim, settings.cameras)
        self._cell.reset(seed=0)
        self._robot = InteraBorder(self, ArmKinematics(), self._on_joint_command, settings.enabled)
        self._devices = Devices(self, self._cell, self._robot)
        self._cameras = BridgeCameras(
            self, self._cell, settings.cameras, settings.image_size, settings.lockstep
        )
        self._ticks_per_step = round(sim.control_period / sim.joint_period)
        self._image_ticks = max(1, round(1.0 / (settings.image_rate * sim.joint_period)))
        self._stepper = EpisodeStepper(round(sim.joint_period * SECOND), self._ticks_per_step)
        self._pacer = Pacer(sim.joint_period)
        self._stamp_ns = self._tick = 0
        self._prepared = self._episode = ''  # ids of the episode the scene is for, and running

        self._ticks = self.create_publisher(Tick, 'tick', ros.COMMAND_QOS)
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        self.create_subscription(
            GripperCommand, 'gripper/command', self._on_gripper_command, ros.COMMAND_QOS
        )
        self.create_service(ResetScene, 'sim/reset_scene', self._on_reset)
        self.create_service(SetBool, 'sim/press_estop', self._on_press_estop)
        Diagnostics(self, 'simulated Sawyer', self._counts)
        if not self._lockstep:
            ros.every(self, sim.joint_period, self._keep_pace)

    def _on_joint_command(self, message: JointCommand) -> None:
        if not self._lockstep:
            self._robot.obey(message, time.monotonic())
            return
        stamp_ns = ros.nanoseconds(message.header.stamp)
        if self._stepper.awaits(JOINT_COMMAND, stamp_ns):
            if self._robot.obey(message, stamp_ns / SECOND):
                self._answered(JOINT_COMMAND)

    def _on_gripper_command(self, message: GripperCommand) -> None:
        if not self._lockstep:
            self._devices.obey_gripper(message)
        elif self._stepper.awaits(GRIPPER_COMMAND, ros.nanoseconds(message.header.stamp)):
            if self._devices.obey_gripper(message):
                self._answered(GRIPPER_COMMAND)

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
        tick = Tick(episode_id=self._episode, step=instant.step)
        tick.command_due = instant.command_due
        tick.header.stamp = ros.to_stamp(instant.stamp_ns)
        self._ticks.publish(tick)

    def _keep_pace(self) -> None:
        now = time.monotonic()
        due = self._pacer.due(now)
        for _ in range(due):
            self._devices.move(now)
        if due:
            before, self._tick = self._tick, self._tick + due
            stamp_ns = self._now_ns()
            self._devices.publish(stamp_ns, self._tick, observation=True)
            if self._tick // self._image_ticks > before // self._image_ticks:
                self._cameras.publish(stamp_ns)

    def _on_episode(self, message: EpisodeState) -> None:
        if message.phase != EpisodeState.RUNNING:
            self._episode = ''
            self._stepper.stop()
            return
        if message.episode_id == self._episode:
            return
        self._episode = message.episode_id
        if self._lockstep and message.episode_id == self._prepared:
            self._publish(self._stepper.start(self._stamp_ns, message.max_steps))
        elif self._lockstep:
            self.get_logger().error(
                f'episode {message.episode_id!r} runs, but the scene is for {self._prepared!r}'
            )

    def _on_reset(
        self, request: ResetScene.Request, response: ResetScene.Response
    ) -> ResetScene.Response:
        if self._episode:
            response.message = f'episode {self._episode!r} is running'
            return response
        standing = contextlib.nullcontext() if self._lockstep else self._devices.repeating()
        try:
            with standing:
                self._devices.reset(request.seed, request.triplet)
        except (LookupError, ValueError) as error:
            response.message = str(error)
            return response
        self._prepared = request.episode_id
        # Stamps never go back, and none is zero: a message without a stamp answers nothing.
        self._stamp_ns = (self._stamp_ns // SECOND + 1) * SECOND
        response.stamp = ros.to_stamp(self._stamp_ns if self._lockstep else self._now_ns())
        response.objects = list(self._cell.objects)
        response.success = True
        return response

    def _on_press_estop(
        self, request: SetBool.Request, response: SetBool.Response
    ) -> SetBool.Response:
        self._robot.change(lambda: self._robot.robot.press_button(request.data))
        response.success = True
        return response

    def _counts(self) -> dict[str, tuple[str, dict[str, object]]]:
        arbiter = self._robot.arbiter
        commands = {
            'joint commands accepted': arbiter.accepted,
            'joint commands refused': arbiter.rejected,
            'gripper commands refused': self._devices.refused,
            'commands ignored': self._stepper.ignored,
        }
        refused = arbiter.rejected + self._devices.refused
        pace = {'periods lost': self._pacer.lost, 'images dropped': self._cameras.dropped}
        return {
            'commands': (f'{refused} commands refused' if refused else '', commands),
            'pace': (f'{self._pacer.lost} periods lost' if self._pacer.lost else '', pace),
        }

    def _now_ns(self) -> int:
        return self.get_clock().now().nanoseconds

    def stop(self) -> None:
        """End the rendering."""
        self._cameras.close()


def main() -> int:
    """Run the node."""
    return ros.run(MujocoBridge)


if __name__ == '__main__':
    sys.exit(main())
