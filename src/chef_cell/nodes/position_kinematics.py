"""Kinematics node: the forward and inverse kinematics services of a Sawyer.

A process of its own, because a search that fails takes a tenth of a second.
"""

import sys

import numpy as np
from sensor_msgs.msg import JointState

from chef_cell.core.position_kinematics import PositionKinematics
from chef_cell.drivers.intera.interface import JOINT_STATES
from chef_cell.nodes import intera_services, messages, ros
from chef_cell.sim.kinematics import ArmKinematics
from intera_core_msgs.srv import SolvePositionFK, SolvePositionIK

_NAMESPACE = '/ExternalTools/right/PositionKinematicsNode/'


class PositionKinematicsNode(ros.CellNode):
    """Serves FKService and IKService."""

    def __init__(self) -> None:
        super().__init__('position_kinematics')
        self.declare_parameter('lockstep', False)
        self._solver = PositionKinematics(ArmKinematics())
        self._current: np.ndarray | None = None
        self.create_subscription(
            JointState, JOINT_STATES.name, self._on_joints, ros.sensor_qos(lockstep=False)
        )
        self.create_service(SolvePositionFK, _NAMESPACE + 'FKService', self._on_forward)
        self.create_service(SolvePositionIK, _NAMESPACE + 'IKService', self._on_inverse)

    def _on_joints(self, message: JointState) -> None:
        try:
            self._current = messages.arm_from_message(message).position
        except ValueError as error:
            self.get_logger().error(str(error), throttle_duration_sec=1.0)

    def _on_forward(
        self, request: SolvePositionFK.Request, response: SolvePositionFK.Response
    ) -> SolvePositionFK.Response:
        return intera_services.forward(self._solver, request, response)

    def _on_inverse(
        self, request: SolvePositionIK.Request, response: SolvePositionIK.Response
    ) -> SolvePositionIK.Response:
        return intera_services.inverse(self._solver, request, response, self._current)


def main() -> int:
    """Run the node."""
    return ros.run(PositionKinematicsNode)


if __name__ == '__main__':
    sys.exit(main())
