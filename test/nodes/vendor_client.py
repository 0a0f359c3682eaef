"""Drive a cell with the vendor's own SDK; run by an interpreter that has rospy and the SDK.

Prints one line for each thing tried, and ends with 1 at the first that is not as on a Sawyer.
"""

import sys

import intera_interface
import rospy


def check(what, true):
    print('ok' if true else 'FAILED', what, flush=True)  # noqa: T201
    if not true:
        sys.exit(1)


def until(condition, timeout=20.0):
    end = rospy.get_time() + timeout
    while not condition():
        if rospy.get_time() > end:
            return False
        rospy.sleep(0.02)
    return True


def enable():
    robot = intera_interface.RobotEnable(versioned=True)
    check('a version of the robot that the SDK knows', robot.version_check())
    robot.disable()
    check('disable', not robot.state().enabled)
    robot.enable()
    check('enable', robot.state().enabled)
    robot.stop()
    check('stop', robot.state().stopped and not robot.state().enabled)
    robot.enable()
    check('enable resets a stopped robot first', robot.state().enabled)
    try:
        robot.reset()
    except OSError:
        check('reset of a robot that is not stopped raises', True)
    else:
        check('reset of a robot that is not stopped raises', False)
    parameters = intera_interface.RobotParams()
    check('limb names', parameters.get_limb_names() == ['right'])
    check('robot name', parameters.get_robot_name() == 'sawyer')


def move(limb):
    limits = intera_interface.JointLimits()
    check('velocity limit', limits.joint_velocity_limit('right_j1') == 1.328)
    check('position limits', limits.joint_lower_limit('right_j0') < -3.0)
    limb.set_joint_position_speed(0.5)
    goal = limb.joint_angles()
    goal['right_j0'] += 0.2
    limb.move_to_joint_positions(goal, timeout=20.0)
    check('position mode', abs(limb.joint_angle('right_j0') - goal['right_j0']) < 0.01)

    before, rate = limb.joint_angle('right_j0'), rospy.Rate(20)
    for _ in range(20):
        limb.set_joint_velocities({'right_j0': -0.2})
        rate.sleep()
    check('velocity mode', limb.joint_angle('right_j0') < before - 0.05)
    check('watchdog', until(lambda: abs(limb.joint_velocity('right_j0')) < 0.005))
    limb.exit_control_mode()
    limb.move_to_neutral(timeout=30.0, speed=0.5)
    neutral = rospy.get_param('named_poses/right/poses/neutral')
    off = max(abs(a - b) for a, b in zip(limb.joint_ordered_angles(), neutral, strict=True))
    check('neutral pose', off < 0.01)
    check('no collision', limb.has_collided() is False)
    check('tips', limb.tip_state('right_gripper_tip') is not None and limb.tip_state('x') is None)


def solve(limb):
    angles = limb.joint_angles()
    pose = limb.joint_angles_to_cartesian_pose(angles)
    measured = limb.endpoint_pose()['position']
    check('forward kinematics', abs(pose.position.x - measured.x) < 1e-3)
    check('no self collision', limb.fk_request_in_collision(angles) is False)
    for seed in (None, angles):
        found = limb.ik_request(pose, joint_seed=seed)
        near = found and max(abs(found[name] - angles[name]) for name in angles) < 0.02
        check('inverse kinematics', near)
    pose.position.x = 5.0
    check('a pose out of reach', limb.ik_request(pose) is False)
    check('an unknown tip', limb.ik_request(pose, end_point='left_hand') is False)


def grip():
    gripper = intera_interface.get_current_gripper_interface()
    check('gripper class', isinstance(gripper, intera_interface.Gripper))
    check('calibrated', gripper.is_calibrated() and not gripper.has_error())
    gripper.close()
    check('close', until(lambda: gripper.get_position() < 0.03))
    gripper.open()
    check('open', until(lambda: abs(gripper.get_position() - gripper.MAX_POSITION) < 0.004))
    gripper.set_dead_zone(0.003)
    gripper.set_cmd_velocity(0.05)
    gripper.set_object_weight(0.2)
    check('dead zone', gripper.get_dead_zone() == 0.003)
    check('speed', gripper.get_cmd_velocity() == 0.05)
    check('weight', gripper.get_object_weight() == 0.2)
    gripper.reboot()
    check('reboot forgets the calibration', until(lambda: not gripper.is_calibrated()))
    check('calibrate', gripper.calibrate())
    gripper.stop()
    gripper.start()
    check('ready', until(gripper.is_ready))


def main():
    rospy.init_node('vendor_client')
    enable()
    limb = intera_interface.Limb('right')
    check('joint names', limb.joint_names() == [f'right_j{index}' for index in range(7)])
    move(limb)
    solve(limb)
    grip()
    check('everything', True)


if __name__ == '__main__':
    main()
