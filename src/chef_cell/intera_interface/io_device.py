"""A device of the robot's IO protocol: signals by name, set by commands that are acknowledged."""

import json
import threading
import time
from typing import Any

from builtin_interfaces.msg import Time

from chef_cell.intera_interface.session import init_node
from chef_cell.intera_interface.waiting import wait_for
from chef_cell.nodes.wire import STATE_QOS
from intera_core_msgs.msg import IOComponentCommand, IODeviceConfiguration, IODeviceStatus

#: How often a command is repeated until the device lists it (s).
_REPEAT = 0.1


class IODevice:
    """Reads and sets the signals of one device.

    Args:
        node_name: of the IO node, such as end_effector.
        device_name: such as right_gripper.

    Raises:
        OSError: the device told no configuration within 5 s.
    """

    def __init__(self, node_name: str, device_name: str) -> None:
        self._session = init_node()
        self._log = self._session.node.get_logger()
        self._path = f'/io/{node_name}/{device_name}'
        self._config: IODeviceConfiguration | None = None
        self._signals: dict[str, tuple[str, Any]] = {}  # name -> type, value
        self._seen: set[tuple[int, int]] = set()
        self._changed = threading.Condition()
        self._session.subscribe(
            IODeviceConfiguration, self._path + '/config', self._on_config, STATE_QOS
        )
        self._session.subscribe(IODeviceStatus, self._path + '/state', self._on_state, STATE_QOS)
        self._commands = self._session.publisher(IOComponentCommand, self._path + '/command')
        wait_for(
            lambda: self._config is not None,
            timeout=5.0,
            timeout_msg=f'Failed to get config at: {self._path}/config.',
        )
        if not wait_for(lambda: self._signals, timeout=5.0, raise_on_error=False):
            self._log.info(f'{self._path} tells no state; it may not be activated yet')

    def list_signal_names(self) -> list[str]:
        """Return the names of all signals."""
        return list(self._signals)

    def get_signal_type(self, signal_name: str) -> str | None:
        """Return the type of a signal; None for an unknown one."""
        return self._signals.get(signal_name, (None, None))[0]

    def get_signal_value(self, signal_name: str) -> Any:
        """Return the value of a signal; None for an unknown one."""
        return self._signals.get(signal_name, (None, None))[1]

    def set_signal_value(
        self,
        signal_name: str,
        signal_value: Any,
        signal_type: str | None = None,
        timeout: float = 5.0,
    ) -> bool:
        """Set a signal and wait (s) for the device to list the command; returns whether it did."""
        kind = signal_type or self.get_signal_type(signal_name)
        if kind is None:
            self._log.error(
                f"Cannot find signal '{signal_name}' in this IO Device ({self._path})."
            )
            return False
        value = {'format': {'type': kind}, 'data': [signal_value]}
        stamp = self._session.node.get_clock().now().to_msg()
        command = IOComponentCommand(
            time=stamp, op='set', args=json.dumps({'signals': {signal_name: value}})
        )
        return self._send(command, time.monotonic() + timeout)

    def _send(self, command: IOComponentCommand, end: float) -> bool:
        key = _key(command.time)
        with self._changed:
            while True:
                self._commands.publish(command)
                if self._changed.wait_for(lambda: key in self._seen, _REPEAT):
                    return True
                if time.monotonic() > end:
                    self._log.warning('Timed out waiting for command acknowledgement')
                    return False

    def _on_config(self, message: IODeviceConfiguration) -> None:
        if message.time.sec:
            self._config = message

    def _on_state(self, message: IODeviceStatus) -> None:
        if not message.time.sec:
            return
        with self._changed:
            for signal in message.signals:
                data = json.loads(signal.data)
                kind = json.loads(signal.format)['type']
                self._signals[signal.name] = (kind, data[0] if data else None)
            self._seen = {_key(stamp) for stamp in message.commands}
            self._changed.notify_all()


def _key(stamp: Time) -> tuple[int, int]:
    return stamp.sec, stamp.nanosec
