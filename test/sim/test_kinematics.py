"""The arm-only kinematics against the whole scene, and by finite differences."""

import mujoco
import numpy as np
import pytest

from chef_cell.sim import inverse, robot, scene
from chef_cell.sim.addresses import find
from chef_cell.sim.kinematics import ArmKinematics
from chef_trainer.task.kinematics import SawyerKinematics

KINEMATICS = ArmKinematics()
POSITIONS = np.random.default_rng(0).uniform(-1.5, 1.5, (10, 7))


def test_poses_are_those_of_the_whole_scene():
    model = scene.load('1', scene.DEFAULTS)
    data, arm = mujoco.MjData(model), find(model).arm_position
    for position in POSITIONS:
        data.qpos[arm] = position
        mujoco.mj_kinematics(model, data)
        tool, wrist = KINEMATICS.tool_pose(position), KINEMATICS.wrist_pose(position)
        np.testing.assert_allclose(tool[:3], data.site(robot.TOOL_SITE).xpos, atol=1e-12)
        np.testing.assert_allclose(wrist[:3], data.site(robot.WRIST_SITE).xpos, atol=1e-12)
        rotation = np.empty(9)
        mujoco.mju_quat2Mat(rotation, tool[3:])
        np.testing.assert_allclose(rotation, data.site(robot.TOOL_SITE).xmat, atol=1e-9)


def test_the_tool_is_20_cm_below_the_wrist():
    for position in POSITIONS:
        distance = KINEMATICS.tool_pose(position)[:3] - KINEMATICS.wrist_pose(position)[:3]
        assert np.linalg.norm(distance) == pytest.approx(0.2012, abs=1e-3)


def test_first_non_zero_quaternion_component_is_positive():
    for position in POSITIONS:
        for pose in (KINEMATICS.tool_pose(position), KINEMATICS.wrist_pose(position)):
            assert pose[3] > 0.0
            assert np.linalg.norm(pose[3:]) == pytest.approx(1.0)


def test_jacobian_by_finite_differences():
    step = 1e-6
    for position in POSITIONS:
        jacobian = KINEMATICS.wrist_jacobian(position)
        for joint in range(7):
            change = np.zeros(7)
            change[joint] = step
            after = KINEMATICS.wrist_pose(position + change)
            before = KINEMATICS.wrist_pose(position - change)
            linear = (after[:3] - before[:3]) / (2 * step)
            turn = np.empty(4)
            mujoco.mju_mulQuat(turn, after[3:], before[3:] * [1.0, -1.0, -1.0, -1.0])
            angular = turn[1:] / step * np.sign(turn[0])
            np.testing.assert_allclose(jacobian[:3, joint], linear, atol=1e-6)
            np.testing.assert_allclose(jacobian[3:, joint], angular, atol=1e-5)


def test_earlier_results_do_not_change_when_the_arm_moves():
    first = KINEMATICS.wrist_jacobian(POSITIONS[0])
    kept = first.copy()
    KINEMATICS.wrist_jacobian(POSITIONS[1])
    np.testing.assert_array_equal(first, kept)


@pytest.mark.parametrize(('position', 'named'), [(np.zeros(6), 'shape'), ([np.nan] * 7, 'finite')])
def test_bad_positions_are_refused(position, named):
    with pytest.raises(ValueError, match=named):
        KINEMATICS.tool_pose(position)


def test_inverse_kinematics_reaches_all_start_poses_with_the_elbow_up():
    rng = np.random.default_rng(1)
    for _ in range(30):
        position = rng.uniform((0.5, -0.14, 0.22), (0.7, 0.14, 0.43))
        yaw = rng.uniform(-np.pi / 4, np.pi / 4)
        joints = inverse.solve(position, yaw, rng)
        pose = KINEMATICS.tool_pose(joints)
        np.testing.assert_allclose(pose[:3], position, atol=2e-4)
        down = np.array([0.0, np.cos(yaw / 2), -np.sin(yaw / 2), 0.0])
        assert abs(pose[3:] @ down) == pytest.approx(1.0, abs=1e-6)
        assert joints[3] > 0.3  # the elbow is bent upwards
        assert abs(joints[6]) < np.pi / 2


def test_inverse_kinematics_says_when_there_is_no_solution():
    assert inverse.solve(np.array([3.0, 0.0, 0.3]), 0.0, np.random.default_rng(0)) is None


def test_the_chain_that_reads_episode_files_gives_the_same():
    chain = SawyerKinematics()
    for position in np.random.default_rng(5).uniform(-2.8, 2.8, (200, 7)):
        for name in ('tool_pose', 'wrist_pose', 'wrist_jacobian'):
            theirs, ours = (getattr(k, name)(position) for k in (KINEMATICS, chain))
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-12, err_msg=name)


def test_the_chain_refuses_what_is_no_position():
    for position in (np.zeros(6), np.full(7, np.nan)):
        with pytest.raises(ValueError, match='joint positions'):
            SawyerKinematics().tool_pose(position)
