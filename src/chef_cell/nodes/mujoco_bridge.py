"""The simulated cell behind the topics of a real one: Sawyer, gripper, wrist sensor, cameras.

In lockstep simulated time stands still at each joint tick until the joint command with that
tick's stamp has come (and, where a task command is due, the gripper's), then moves on by exactly
one joint period. In real time the physics keeps pace with a clock that never jumps.
"""

import dataclasses
import sys

from std_srvs.srv import SetBool

from chef_cell.nodes import ros
from chef_cell.nodes.bridge_cameras import BridgeCameras
from chef_cell.nodes.bridge_devices import Devices
from chef_cell.nodes.bridge_lockstep import Lockstep
from chef_cell.nodes.bridge_realtime import RealTime
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.intera_border import InteraBorder
from chef_cell.nodes.phases import COMMANDS
from chef_cell.sim.cell import SimCell
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.sim.reset import ResetError
from chef_cell.sim.scene import SimSettings
from chef_interfaces.msg import EpisodeState, GripperCommand
from chef_interfaces.srv import ResetScene


@dataclasses.dataclass(frozen=True)
class BridgeSettings:
    """How the simulated cell is run."""

    lockstep: bool = False
    triplet: str = '1'  # objects until the first reset
    enabled: bool = True  # whether the robot starts enabled; a real one does not
    cameras: tuple[str, ...] = ()
    image_size: int = 128  # pixels, square
    image_rate: float = 20.0  # Hz, in real time; in lockstep each observation has its images
    objects_topic: str = 'objects'  # of the true poses; another where a tracker has this one

    def __post_init__(self) -> None:
        if self.image_size < 1 or not self.image_rate > 0.0:
            raise ValueError(
                f'image_size {self.image_size}, image_rate {self.image_rate} Hz: must be positive'
            )


class MujocoBridge(ros.CellNode):
    """Builds the cell, resets its scene between episodes, and says how it is."""

    images = True
    hardware = 'simulated Sawyer'

    def __init__(self) -> None:
        super().__init__('mujoco_bridge')
        settings = ros.declare_settings(self, BridgeSettings)
        sim = ros.declare_settings(self, SimSettings)
        self._prepared = self._running = ''  # ids of the scene's and of the running episode
        self._waiting: tuple[object, ResetScene.Response] | None = None  # the scene not yet used
        self._arranged = False  # by the arm itself, for whatever comes
        self._cell = SimCell(settings.triplet, sim, settings.cameras)
        self._cell.reset(seed=0)
        self._robot = InteraBorder(
            self, ArmKinematics(), lambda m: self._time.on_joint_command(m), settings.enabled
        )
        self._devices = Devices(self, self._cell, self._robot, settings.objects_topic)
        self._cameras = BridgeCameras(
            self, self._cell, settings.cameras, settings.image_size, settings.lockstep
        )
        parts = (self, sim, self._devices, self._cameras)
        self._time = (
            Lockstep(*parts) if settings.lockstep else RealTime(*parts, settings.image_rate)
        )
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        self.create_subscription(
            GripperCommand, 'gripper/command', self._time.on_gripper_command, ros.COMMAND_QOS
        )
        self.create_service(ResetScene, 'sim/reset_scene', self._on_reset)
        self.create_service(SetBool, 'sim/press_estop', self._on_press_estop)

    def _on_reset(
        self, request: ResetScene.Request, response: ResetScene.Response
    ) -> ResetScene.Response:
        if self._running:
            response.message = f'episode {self._running!r} is running'
            return response
        key = request.episode_id, request.seed, request.triplet
        if self._waiting and key == self._waiting[0]:  # asked again, as the answer was late
            return self._waiting[1]
        self._prepared, self._waiting, self._arranged = '', None, False
        try:
            with self._time.making_scene():
                self._devices.reset(request.seed, request.triplet)
        except (ValueError, ResetError) as error:
            response.message = str(error)
            return response
        self._prepared = request.episode_id
        response.stamp = ros.to_stamp(self._time.first_stamp())
        response.objects = list(self._cell.objects)
        response.success = True
        self._waiting = key, response
        return response

    def _on_episode(self, message: EpisodeState) -> None:
        if message.phase not in COMMANDS:
            self._running = ''
            self._time.stop()
        elif message.episode_id != self._running:
            self._running, self._waiting = message.episode_id, None
            self._arranged |= message.phase == EpisodeState.SCRIPTED_RESET
            if self._arranged or message.episode_id == self._prepared:
                self._time.start(message)
            else:
                words = f'episode {self._running!r} runs, but the scene is for {self._prepared!r}'
                self.get_logger().error(words)

    def _on_press_estop(self, ask: SetBool.Request, answer: SetBool.Response) -> SetBool.Response:
        self._robot.change(lambda: self._robot.robot.press_button(ask.data))
        answer.success = True
        return answer

    def diagnose(self) -> dict[str, Health]:
        """Return the fate of the commands, and what time was lost."""
        arbiter = self._robot.arbiter
        refused = arbiter.rejected + self._devices.refused
        commands = {
            'joint commands accepted': arbiter.accepted,
            'joint commands refused': arbiter.rejected,
            'gripper commands refused': self._devices.refused,
        }
        counts = self._time.counts()
        amiss = ', '.join(f'{count} {name}' for name, count in counts.items() if count)
        return {
            'commands': Health(f'{refused} commands refused' if refused else '', commands),
            'time': Health(amiss, counts),
        }

    def stop(self) -> None:
        """End the rendering."""
        self._cameras.close()


def main() -> int:
    """Run the node."""
    return ros.run(MujocoBridge)


if __name__ == '__main__':
    sys.exit(main())
