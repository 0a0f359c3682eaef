"""The gripper at the end of the arm."""

import errno
import json
from typing import Any

from chef_cell.intera_interface.io_device import IODevice
from chef_cell.intera_interface.session import init_node
from chef_cell.intera_interface.waiting import wait_for
from chef_cell.nodes.wire import STATE_QOS
from intera_core_msgs.msg import IONodeConfiguration

_NODE = '/io/end_effector/config'
_TYPE = 'ElectricParallelGripper'


def get_current_gripper_interface() -> 'Gripper':
    """Return the interface of the gripper that is attached.

    Raises:
        OSError: ETIMEDOUT when none is attached within 5 s, ENODEV for a kind not known here.
    """
    found: list[Any] = []
    session = init_node()
    session.subscribe(
        IONodeConfiguration, _NODE, lambda message: found.extend(message.devices), STATE_QOS
    )
    wait_for(lambda: found, timeout=5.0, timeout_msg='Failed to connect to end_effector IO Node.')
    kind = json.loads(found[0].config).get('props', {}).get('type')
    if kind != _TYPE:
        raise OSError(errno.ENODEV, f'{found[0].name} is a {kind}, known: {_TYPE}')
    return Gripper(found[0].name)


class Gripper:
    """An electric parallel gripper; positions are the opening between the fingers.

    The limits are those of the vendor's own gripper. A Robotiq 2F-85 opens to 0.085 m: `open()`
    opens it half way, `open(0.085)` all the way.

    Args:
        ee_name: name of the device; `right` is short for right_gripper.
        calibrate: whether to calibrate a gripper that is not.

    Raises:
        OSError: there is no such gripper within 5 s.
    """

    MAX_POSITION = 0.041667  # m
    MIN_POSITION = 0.0  # m
    MAX_VELOCITY = 3.0  # m/s
    MIN_VELOCITY = 0.15  # m/s

    def __init__(self, ee_name: str = 'right_gripper', calibrate: bool = True) -> None:
        session = init_node()
        self._log = session.node.get_logger()
        if ee_name in ('right', 'left'):
            self._log.warning("A side as the gripper's name is deprecated, use right_gripper")
            ee_name += '_gripper'
        self.name = ee_name
        self.devices: IONodeConfiguration | None = None
        session.subscribe(IONodeConfiguration, _NODE, self._on_config, STATE_QOS)
        wait_for(
            lambda: self.devices is not None,
            timeout=5.0,
            timeout_msg='Failed to get gripper. No gripper attached on the robot.',
        )
        self.gripper_io = IODevice('end_effector', self.name)
        if self.has_error():
            self.reboot()
            calibrate = True
        if calibrate and not self.is_calibrated():
            self.calibrate()

    def reboot(self) -> None:
        """Switch the gripper off and on; it forgets its calibration."""
        self._set('reboot', True)

    def calibrate(self) -> bool:
        """Find the ends of the travel; returns whether that succeeded within 5 s."""
        self._set('calibrate', True)
        done = wait_for(self.is_calibrated, timeout=5.0, raise_on_error=False)
        if not done:
            self._log.error(f'({self.name}) calibration failed.')
        return done

    def stop(self) -> None:
        """Stay at the position of now, with holding force."""
        self._set('go', False)

    def start(self) -> None:
        """Go on to the position set."""
        self._set('go', True)

    def open(self, position: float = MAX_POSITION) -> None:
        """Open to a position (m)."""
        self.set_position(position)

    def close(self, position: float = MIN_POSITION) -> None:
        """Close to a position (m)."""
        self.set_position(position)

    def has_error(self) -> bool:
        """Return whether the gripper reports an error."""
        return bool(self._get('has_error'))

    def is_ready(self) -> bool:
        """Return whether the gripper is calibrated, at rest and without error."""
        return self.is_calibrated() and not self.has_error() and not self.is_moving()

    def is_moving(self) -> bool:
        """Return whether the fingers move."""
        return bool(self._get('is_moving'))

    def is_gripping(self) -> bool:
        """Return whether the fingers hold something."""
        return bool(self._get('is_gripping'))

    def is_calibrated(self) -> bool:
        """Return whether the gripper is calibrated."""
        return bool(self._get('is_calibrated'))

    def get_position(self) -> float:
        """Return the position (m)."""
        return self._get('position_response_m')

    def set_position(self, position: float) -> None:
        """Set the position (m)."""
        self._set('position_m', position)

    def set_velocity(self, speed: float) -> None:
        """Set the speed; deprecated for `set_cmd_velocity`."""
        self._log.warning('set_velocity is deprecated, use set_cmd_velocity')
        self.set_cmd_velocity(speed)

    def set_cmd_velocity(self, speed: float) -> None:
        """Set the speed (m/s) of the motions to come."""
        self._set('speed_mps', speed)

    def get_cmd_velocity(self) -> float:
        """Return the speed set (m/s)."""
        return self._get('speed_mps')

    def get_force(self) -> float:
        """Return the force felt (N); a 2F-85 feels none."""
        return self._get('force_response_n')

    def set_object_weight(self, object_weight: float) -> None:
        """Set the mass of the object held (kg)."""
        self._set(f'{self.name}_tip_object_kg', object_weight)

    def get_object_weight(self) -> float:
        """Return the mass set (kg)."""
        return self._get(f'{self.name}_tip_object_kg')

    def set_dead_zone(self, dead_zone: float) -> None:
        """Set how near (m) a position counts as reached."""
        self._set('dead_zone_m', dead_zone)

    def get_dead_zone(self) -> float:
        """Return how near (m) a position counts as reached."""
        return self._get('dead_zone_m')

    def set_holding_force(self, holding_force: float) -> bool:
        """Return False: the holding force can't be set any more."""
        self._log.error('The holding force is fixed')
        return False

    def _get(self, signal: str) -> Any:
        return self.gripper_io.get_signal_value(signal)

    def _set(self, signal: str, value: Any) -> None:
        self.gripper_io.set_signal_value(signal, value)

    def _on_config(self, message: IONodeConfiguration) -> None:
        if message.devices and message.devices[0].name == self.name:
            self.devices = message
