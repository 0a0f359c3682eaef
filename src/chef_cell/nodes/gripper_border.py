"""The gripper as a device of Intera's IO protocol, for fingers driven by someone else."""

from builtin_interfaces.msg import Time
from rclpy.node import Node

from chef_cell.core import intera_gripper
from chef_cell.core.readings import GripperReading
from chef_cell.nodes import ros
from intera_core_msgs.msg import (
    IOComponentCommand,
    IOComponentConfiguration,
    IOComponentStatus,
    IODataStatus,
    IODeviceConfiguration,
    IODeviceStatus,
    IONodeConfiguration,
    IONodeStatus,
    IOStatus,
)

END_EFFECTOR = '/io/end_effector/'
DEVICE = END_EFFECTOR + intera_gripper.DEVICE_NAME


class GripperBorder:
    """Publishes the device's configuration and state and takes its commands.

    Messages carry system time, in lockstep too: clients ignore IO messages with zero seconds and
    those whose time did not change.
    """

    def __init__(self, node: Node, reading: GripperReading) -> None:
        self.device = intera_gripper.GripperDevice()
        self._clock = node.get_clock()
        self._reading = reading
        self._published: tuple[intera_gripper.Signal, ...] = ()
        publisher, latched = node.create_publisher, ros.STATE_QOS
        self._node_config = publisher(IONodeConfiguration, END_EFFECTOR + 'config', latched)
        self._node_state = publisher(IONodeStatus, END_EFFECTOR + 'state', latched)
        self._config = publisher(IODeviceConfiguration, DEVICE + '/config', latched)
        self._state = publisher(IODeviceStatus, DEVICE + '/state', latched)
        node.create_subscription(
            IOComponentCommand, DEVICE + '/command', self._on_command, ros.COMMAND_QOS
        )
        self._publish_configuration()
        self.publish(reading)

    def publish(self, reading: GripperReading) -> None:
        """Publish the device's state if it changed since the last time."""
        self._reading = reading
        signals = self.device.signals(reading)
        if signals != self._published:
            self._publish_state(signals)

    def _on_command(self, message: IOComponentCommand) -> None:
        time_ns = ros.nanoseconds(message.time)
        if self.device.handle(time_ns, message.op, message.args):
            # At once, because the client waits until it finds its command listed.
            self._publish_state(self.device.signals(self._reading))

    def _publish_state(self, signals: tuple[intera_gripper.Signal, ...]) -> None:
        self._published = signals
        now = self._now()
        seen = self.device.seen
        self._state.publish(
            IODeviceStatus(
                time=now,
                device=_ready(intera_gripper.DEVICE_NAME),
                signals=[
                    IODataStatus(name=s.name, format=s.format, data=s.data, status=_status())
                    for s in signals
                ],
                commands=[ros.to_stamp(time_ns) for time_ns, _ in seen],
                responses=[response for _, response in seen],
            )
        )
        self._node_state.publish(
            IONodeStatus(
                time=now,
                node=_ready('end_effector'),
                devices=[_ready(intera_gripper.DEVICE_NAME)],
            )
        )

    def _publish_configuration(self) -> None:
        device = IOComponentConfiguration(
            name=intera_gripper.DEVICE_NAME, config=self.device.configuration()
        )
        signals = [
            IOComponentConfiguration(name=signal.name, config=signal.format)
            for signal in self.device.signals(self._reading)
        ]
        self._config.publish(
            IODeviceConfiguration(time=self._now(), device=device, signals=signals)
        )
        self._node_config.publish(
            IONodeConfiguration(
                time=self._now(),
                node=IOComponentConfiguration(name='end_effector', config='{}'),
                devices=[device],
            )
        )

    def _now(self) -> Time:
        return self._clock.now().to_msg()


def _status() -> IOStatus:
    return IOStatus(tag=IOStatus.READY, id='ready')


def _ready(name: str) -> IOComponentStatus:
    return IOComponentStatus(name=name, status=_status())
