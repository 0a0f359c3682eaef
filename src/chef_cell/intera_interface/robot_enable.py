"""Enable, disable, stop and reset the robot."""

import errno
from typing import Any

from std_msgs.msg import Bool, Empty

from chef_cell.drivers.intera import interface
from chef_cell.intera_interface.session import init_node
from chef_cell.intera_interface.waiting import wait_for
from chef_cell.nodes.wire import STATE_QOS
from intera_core_msgs.msg import RobotAssemblyState


class RobotEnable:
    """State of the robot as a whole, and requests to change it.

    Args:
        versioned: as in the vendor's package; every cell speaks the version of this interface.

    Raises:
        OSError: no robot told its state within 10 s.
    """

    def __init__(self, versioned: bool = False) -> None:
        self._session = init_node()
        self._log = self._session.node.get_logger()
        self._state: Any = None
        topic = interface.ROBOT_STATE.name
        self._session.subscribe(RobotAssemblyState, topic, self._on_state, STATE_QOS)
        wait_for(
            lambda: self._state is not None,
            timeout=10.0,
            timeout_msg=f'Failed to get robot state on {topic}',
        )
        publisher = self._session.publisher
        self._enable = publisher(Bool, '/robot/set_super_enable')
        self._stop = publisher(Empty, '/robot/set_super_stop')
        self._reset = publisher(Empty, '/robot/set_super_reset')

    def state(self) -> RobotAssemblyState:
        """Return the last state told."""
        return self._state

    def enable(self) -> None:
        """Switch all joints on; a stopped robot is reset first. Raises as `reset`."""
        if self._state.stopped:
            self._log.info('Robot stopped: resetting it')
            self.reset()
        self._toggle(True)

    def disable(self) -> None:
        """Switch all joints off; raises OSError ETIMEDOUT after 5 s."""
        self._toggle(False)

    def stop(self) -> None:
        """Stop the robot as its red button does; raises OSError ETIMEDOUT after 5 s."""
        wait_for(
            lambda: self._state.stopped,
            timeout=5.0,
            timeout_msg='Failed to stop the robot',
            body=lambda: self._stop.publish(Empty()),
        )

    def reset(self) -> bool | None:
        """Clear a stop, leaving the robot disabled; False when an error remains that allows it.

        Raises:
            OSError: EREMOTEIO when the robot is not stopped or its button is pressed, ETIMEDOUT
                when it does not react within 5 s.
        """
        state = self._state
        if not state.stopped:
            self._log.fatal('The robot is not stopped: there is nothing to reset')
            raise OSError(errno.EREMOTEIO, 'Failed to Reset due to lack of Error State.')
        if state.estop_button == RobotAssemblyState.ESTOP_BUTTON_PRESSED:
            self._log.fatal('The e-stop button is pressed: release it, then reset')
            raise OSError(errno.EREMOTEIO, 'Failed to Reset: E-Stop Engaged')
        try:
            wait_for(
                self._is_clear,
                timeout=5.0,
                timeout_msg='Failed to reset robot.',
                body=lambda: self._reset.publish(Empty()),
            )
        except OSError as error:
            left = self._state.error and not self._state.stopped
            if error.errno == errno.ETIMEDOUT and left:
                self._log.warning('The stop is cleared, but the robot still reports an error')
                return False
            raise
        return None

    def version_check(self) -> bool:
        """Return True: driver and simulated cell both speak the version of this interface."""
        return True

    def _on_state(self, message: RobotAssemblyState) -> None:
        self._state = message

    def _is_clear(self) -> bool:
        state = self._state
        return not (state.stopped or state.error or state.estop_button or state.estop_source)

    def _toggle(self, status: bool) -> None:
        wait_for(
            lambda: self._state.enabled == status,
            timeout=5.0,
            timeout_msg=f'Failed to {"en" if status else "dis"}able robot',
            body=lambda: self._enable.publish(Bool(data=status)),
        )
        self._log.info(f'Robot {"Enabled" if status else "Disabled"}')
