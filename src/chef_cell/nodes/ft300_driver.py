"""FT 300 driver node: the real wrist sensor behind the topic of the simulated one.

While the sensor is silent so is the topic: the safety latch makes a fault of that.
"""

import sys
import time

from geometry_msgs.msg import WrenchStamped

from chef_cell.core.readings import WrenchReading
from chef_cell.drivers.ft300.sensor import Ft300, Ft300Settings
from chef_cell.drivers.serial_link import latency_advice, latency_timer
from chef_cell.nodes import messages, ros
from chef_cell.nodes.diagnostics import Health
from chef_cell.nodes.real_time import RealTime

RATE = 100.0  # Hz, of the sensor
#: Share of the rate that may be missing before the node complains.
_TOLERANCE = 0.1


class Ft300Driver(ros.CellNode):
    """Publishes what the sensor feels, as raw as it comes."""

    urgent = True
    hardware = 'Robotiq FT 300'

    def __init__(self) -> None:
        super().__init__('ft300_driver')
        ros.declare_settings(self, RealTime)
        settings = ros.declare_settings(self, Ft300Settings)
        self._port = settings.port
        self._publisher = self.create_publisher(
            WrenchStamped, 'ft300/wrench', ros.SENSOR_PUBLISHER_QOS
        )
        self._before = (0, time.monotonic())
        self._problem = ''
        self._sensor = Ft300(settings, self._publish)

    def _publish(self, reading: WrenchReading) -> None:
        stamp = ros.to_stamp(round(reading.stamp * 1e9))
        self._publisher.publish(messages.wrench_to_message(reading, stamp, 'ft300_sensor'))

    def diagnose(self) -> dict[str, Health]:
        """Return how the sensor, the line and the adapter are."""
        problem = self._sensor.link.problem
        if problem != self._problem:
            self.get_logger().error(problem) if problem else self.get_logger().info('connected')
            self._problem = problem
        counts = self._sensor.counts()
        rate = self._rate(counts['frames'])
        latency = latency_timer(self._port)
        advice = latency_advice(self._port, latency)
        slow = rate < (1.0 - _TOLERANCE) * RATE
        line = f'{rate:.1f} frames/s, expected {RATE:g}' if slow and not problem else ''
        return {
            'sensor': Health(problem, {'port': self._port, 'rate (Hz)': rate}, stops=True),
            'line': Health(line, counts),
            'adapter': Health(advice, {'latency timer (ms)': latency}),
        }

    def _rate(self, count: int) -> float:
        """Return the frames per second since the last call."""
        before, then = self._before
        self._before = count, time.monotonic()
        return round((count - before) / max(self._before[1] - then, 1e-3), 1)

    def stop(self) -> None:
        """Leave the sensor quiet."""
        self._sensor.close()


def main() -> int:
    """Run the node."""
    return ros.run(Ft300Driver)


if __name__ == '__main__':
    sys.exit(main())
