"""May the serial ports of a real cell be opened, and do their adapters hand bytes over at once?"""

from chef_cell.doctor.finding import Finding, Level
from chef_cell.drivers.serial_link import LATENCY_LIMIT, check_port, latency_advice, latency_timer
from chef_cell.graph import NodeSpec

#: Nodes with a serial port.
DRIVERS = ('ft300_driver', 'robotiq_driver')


def judge(node: NodeSpec) -> Finding:
    """Judge the port of a driver."""
    port = str(node.parameters['port'])
    expected = f'may be opened, latency timer at most {LATENCY_LIMIT} ms'
    try:
        check_port(port)
    except OSError as error:
        remedy = 'docs/real_cell.md has the wiring and the udev rule'
        return Finding(f'{node.name} port', Level.FAIL, str(error), expected, remedy)
    latency = latency_timer(port)
    value = port if latency is None else f'{port}, latency timer {latency} ms'
    advice = latency_advice(port, latency)
    level = Level.WARN if advice else Level.OK
    return Finding(f'{node.name} port', level, value, expected, advice)
