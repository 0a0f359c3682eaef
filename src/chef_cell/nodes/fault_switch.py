"""A fault switches a managed node off; the end of the fault switches it on again."""

from chef_cell.nodes import ros
from chef_interfaces.msg import SafetyState


class FaultSwitch:
    """Deactivates `node` while the safety latch is at FAULT.

    Whoever asks for its state learns from the life cycle why nothing comes. A node that somebody
    else has deactivated stays so.
    """

    def __init__(self, node: ros.ManagedNode) -> None:
        self._node = node
        self._switched_off = False
        node.create_subscription(SafetyState, 'safety', self._on_verdict, ros.STATE_QOS)

    def _on_verdict(self, verdict: SafetyState) -> None:
        fault = verdict.level == SafetyState.FAULT
        if fault and self._node.active:
            self._node.get_logger().error(f'deactivated by a fault: {verdict.reason}')
            self._switched_off = True
            self._node.trigger_deactivate()
        elif self._switched_off and not fault:
            self._switched_off = False
            self._node.trigger_activate()
