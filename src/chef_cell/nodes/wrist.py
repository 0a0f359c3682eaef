"""Wrist node: raw wrench of the force-torque sensor in, compensated wrench out."""

import dataclasses
import sys
from collections import deque

import numpy as np
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from chef_cell.core.readings import WrenchReading
from chef_cell.core.wrench import WrenchCompensation, WrenchSettings, ZeroingError
from chef_cell.nodes import messages, ros
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.phases import COMMANDS
from chef_interfaces.msg import EpisodeState


@dataclasses.dataclass(frozen=True)
class ZeroSettings:
    """How the sensor is zeroed, and what the result is called."""

    zero_samples: int = 100  # newest raw samples averaged
    zero_noise_limit: float = 1.5  # N, standard deviation of a force axis; an FT300 has 1.2
    frame_id: str = 'ft300_sensor'  # frame of the published wrench


class WristNode(ros.CellNode):
    """Compensates every wrench, keeps its stamp, and zeroes the sensor on request."""

    urgent = True
    hardware = 'force-torque sensor'

    def __init__(self) -> None:
        super().__init__('wrist')
        lockstep = self.declare_parameter('lockstep', False).value
        self._compensation = WrenchCompensation(ros.declare_settings(self, WrenchSettings))
        self._settings = ros.declare_settings(self, ZeroSettings)
        self._samples: deque[WrenchReading] = deque(maxlen=self._settings.zero_samples)
        self._wrist: np.ndarray | None = None
        self._running = False
        self._problem = ''
        self._refused = 0
        self._publisher = self.create_publisher(
            WrenchStamped, 'wrist/wrench', ros.SENSOR_PUBLISHER_QOS
        )
        qos = ros.sensor_qos(lockstep)
        self.create_subscription(WrenchStamped, 'ft300/wrench', self._on_wrench, qos)
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        self.create_service(Trigger, '~/zero', self._zero)
        if self._compensation.needs_orientation:
            # Loaded only where a tool's weight must be turned: MuJoCo costs half a second.
            from chef_cell.sim.kinematics import ArmKinematics

            self._kinematics = ArmKinematics()
            self.create_subscription(JointState, '/robot/joint_states', self._on_joints, qos)

    def _on_joints(self, message: JointState) -> None:
        position = messages.arm_from_message(message).position
        self._wrist = self._kinematics.wrist_pose(position)[3:]

    def _on_episode(self, message: EpisodeState) -> None:
        self._running = message.phase in COMMANDS

    def _on_wrench(self, message: WrenchStamped) -> None:
        raw = messages.wrench_from_message(message)
        self._problem = self._compensation.problem(raw)
        if self._problem:
            self._refused += 1
            self.get_logger().error(self._problem, throttle_duration_sec=1.0)
        if self._compensation.needs_orientation and self._wrist is None:
            # No wrench rather than a wrong one: the safety latch treats silence as a fault.
            self.get_logger().warning('waiting for joint states', throttle_duration_sec=1.0)
            return
        self._samples.append(raw)
        wrench = self._compensation.apply(raw, self._wrist)
        self._publisher.publish(
            messages.wrench_to_message(wrench, message.header.stamp, self._settings.frame_id)
        )

    def _zero(self, request: Trigger.Request, response: Trigger.Response) -> Trigger.Response:
        try:
            if self._running:
                raise ZeroingError('an episode or a reset is running')
            if len(self._samples) < self._settings.zero_samples:
                raise ZeroingError(
                    f'{len(self._samples)} samples so far, {self._settings.zero_samples} needed'
                )
            self._compensation.zero(
                list(self._samples), self._wrist, self._settings.zero_noise_limit
            )
            response.success, response.message = True, f'mean of {len(self._samples)} samples'
        except ZeroingError as error:
            response.success, response.message = False, f'not zeroed: {error}'
        self.get_logger().info(f'zero: {response.message}')
        return response

    def diagnose(self) -> dict[str, Health]:
        """Return how the newest raw reading was."""
        return {'sensor': Health(self._problem, {'invalid': self._refused})}


def main() -> int:
    """Run the node."""
    return ros.run(WristNode)


if __name__ == '__main__':
    sys.exit(main())
