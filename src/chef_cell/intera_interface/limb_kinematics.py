"""The arm's kinematics, as the robot's services know them."""

from collections.abc import Mapping
from typing import Any

from geometry_msgs.msg import Pose, PoseStamped
from sensor_msgs.msg import JointState

from chef_cell.intera_interface.session import Session
from intera_core_msgs.srv import SolvePositionFK, SolvePositionIK

Angles = dict[str, float]
_SERVICE_TIMEOUT = 5.0  # s


class LimbKinematics:
    """Forward and inverse kinematics of a limb."""

    def __init__(self, session: Session, limb: str) -> None:
        space = f'/ExternalTools/{limb}/PositionKinematicsNode/'
        self._session = session
        self._log = session.node.get_logger()
        self._ik = session.client(SolvePositionIK, space + 'IKService', _SERVICE_TIMEOUT)
        self._fk = session.client(SolvePositionFK, space + 'FKService', _SERVICE_TIMEOUT)

    def ik_request(
        self,
        pose: Pose,
        end_point: str = 'right_hand',
        joint_seed: Mapping[str, float] | None = None,
        nullspace_goal: Mapping[str, float] | None = None,
        nullspace_gain: float = 0.4,
        allow_collision: bool = False,
    ) -> Angles | bool:
        """Return joint angles (rad) that bring `end_point` to `pose` in base; False for none."""
        if not isinstance(pose, Pose):
            self._log.error('pose is not of type geometry_msgs.msg.Pose')
            return False
        request = SolvePositionIK.Request(tip_names=[end_point])
        request.pose_stamp = [PoseStamped(pose=pose)]
        request.pose_stamp[0].header.frame_id = 'base'
        request.pose_stamp[0].header.stamp = self._session.node.get_clock().now().to_msg()
        if joint_seed is not None:
            request.seed_mode = SolvePositionIK.Request.SEED_USER
            request.seed_angles = [_joint_state(joint_seed)]
        if nullspace_goal is not None:
            request.use_nullspace_goal = [True]
            request.nullspace_goal = [_joint_state(nullspace_goal)]
            request.nullspace_gain = [float(nullspace_gain)]
        answer = self._session.call(self._ik, request)
        result = SolvePositionIK.Response.IK_FAILED if answer is None else answer.result_type[0]
        in_collision = result == SolvePositionIK.Response.IK_IN_COLLISION
        if not (result > 0 or (allow_collision and in_collision)):
            self._log.error('INVALID POSE - No Valid Joint Solution Found.')
            return False
        return dict(zip(answer.joints[0].name, answer.joints[0].position, strict=True))

    def fk_request(self, joint_angles: Mapping[str, float], end_point: str = 'right_hand') -> Any:
        """Return the service's answer for joint angles (rad); False without one."""
        request = SolvePositionFK.Request(tip_names=[end_point])
        request.configuration = [_joint_state(joint_angles)]
        answer = self._session.call(self._fk, request)
        if answer is None:
            self._log.error('FK Service call failed')
            return False
        return answer

    def joint_angles_to_cartesian_pose(
        self, joint_angles: Mapping[str, float], end_point: str = 'right_hand'
    ) -> Pose | None:
        """Return the pose of `end_point` in base for joint angles (rad); None without one."""
        answer = self.fk_request(joint_angles, end_point)
        if not answer or not answer.is_valid[0]:
            self._log.info('INVALID JOINTS - No Cartesian Solution Found.')
            return None
        return answer.pose_stamp[0].pose

    def fk_request_in_collision(
        self, joint_angles: Mapping[str, float], end_point: str = 'right_hand'
    ) -> bool:
        """Return whether the arm collides with itself at joint angles (rad), or can't be there."""
        answer = self.fk_request(joint_angles, end_point)
        if not answer or not answer.is_valid[0]:
            self._log.info('INVALID JOINTS - No Cartesian Solution Found.')
            return True
        return bool(answer.in_collision[0])


def _joint_state(angles: Mapping[str, float]) -> JointState:
    return JointState(name=list(angles), position=[float(angle) for angle in angles.values()])
