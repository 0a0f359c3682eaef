"""Robotiq driver node: the real gripper behind the topics of the simulated one.

It takes closing speeds on gripper/command, and positions as the device of Intera's IO protocol.
Without commands the fingers stay where they are. A gripper that does not obey is silent on
gripper/state, so that the policy stops.
"""

import sys

from std_srvs.srv import Trigger

from chef_cell.core.readings import GripperReading
from chef_cell.drivers.robotiq.gripper import Robotiq2F85, RobotiqSettings
from chef_cell.drivers.serial_link import latency_advice, latency_timer
from chef_cell.nodes import messages, ros
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.gripper_border import GripperBorder
from chef_cell.nodes.phases import COMMANDS
from chef_cell.nodes.real_time import RealTime
from chef_interfaces.msg import EpisodeState, GripperCommand, GripperState

#: Period of steering the fingers to a position of the IO protocol, and of reporting there (s).
_IO_PERIOD, _IO_REPORT = 0.02, 0.2


class RobotiqDriver(ros.CellNode):
    """Carries the gripper's state to the cell, and the cell's commands to the gripper."""

    hardware = 'Robotiq 2F-85'

    def __init__(self) -> None:
        super().__init__('robotiq_driver')
        ros.declare_settings(self, RealTime)
        settings = ros.declare_settings(self, RobotiqSettings)
        self._port = settings.port
        self._refused = 0
        self._running = False
        self._problem = ''
        self._border: GripperBorder | None = None  # once there is something to tell
        self._states = self.create_publisher(
            GripperState, 'gripper/state', ros.SENSOR_PUBLISHER_QOS
        )
        self._gripper = Robotiq2F85(settings, self._publish)
        self.create_subscription(
            GripperCommand, 'gripper/command', self._on_command, ros.COMMAND_QOS
        )
        self.create_subscription(EpisodeState, 'episode', self._on_episode, ros.STATE_QOS)
        self.create_service(Trigger, '~/activate', self._on_activate)
        ros.every(self, _IO_PERIOD, self._steer)
        ros.every(self, _IO_REPORT, self._report)

    def _publish(self, reading: GripperReading) -> None:
        stamp = ros.to_stamp(round(reading.stamp * 1e9))
        self._states.publish(messages.gripper_to_message(reading, stamp))

    def _on_command(self, message: GripperCommand) -> None:
        try:
            self._gripper.command_velocity(message.velocity)
        except ValueError as error:
            self._refused += 1
            self.get_logger().error(f'refused: {error}', throttle_duration_sec=1.0)
            return
        if self._border is not None:
            self._border.device.release()

    def _on_episode(self, message: EpisodeState) -> None:
        self._running = message.phase in COMMANDS

    def _on_activate(
        self, request: Trigger.Request, response: Trigger.Response
    ) -> Trigger.Response:
        """Reset faults and activate: the fingers open and close, what they hold drops."""
        if self._running:
            response.message = 'an episode is running'
            return response
        self._gripper.activate()
        response.success = True
        response.message = 'the fingers open and close once; look at /diagnostics then'
        return response

    def _steer(self) -> None:
        """Drive the fingers where a client of the IO protocol wants them."""
        if self._border is not None and not self._gripper.problem:
            speed = self._border.device.closing_speed(self._gripper.read())
            if speed is not None:
                self._gripper.command_velocity(speed)

    def _report(self) -> None:
        if self._gripper.count:
            reading = self._gripper.read()
            self._border = self._border or GripperBorder(self, reading)
            self._border.device.has_error = bool(self._gripper.problem)
            self._border.publish(reading)

    def diagnose(self) -> dict[str, Health]:
        """Return how gripper and adapter are, and the fate of the commands."""
        problem, status = self._gripper.problem, self._gripper.status
        if problem != self._problem:
            self.get_logger().error(problem) if problem else self.get_logger().info('ready')
            self._problem = problem
        values = {
            'port': self._port,
            'status': status,
            'readings': self._gripper.count,
            'reconnects': max(0, self._gripper.link.connections - 1),
        }
        latency = latency_timer(self._port)
        refused = f'{self._refused} commands refused' if self._refused else ''
        return {
            'gripper': Health(problem, values, stops=True),
            'commands': Health(refused, {'refused': self._refused}),
            'adapter': Health(
                latency_advice(self._port, latency), {'latency timer (ms)': latency}
            ),
        }

    def stop(self) -> None:
        """Leave the fingers where they are."""
        self._gripper.close()


def main() -> int:
    """Run the node."""
    return ros.run(RobotiqDriver)


if __name__ == '__main__':
    sys.exit(main())
