"""Drive a cell as a program for a Sawyer does, with the vendor's SDK or with our own.

Prints one line for each thing tried, and ends with 1 at the first that is not as on a Sawyer.
The vendor's SDK is taken where the interpreter has it; it needs rospy and a ROS 1 master.
"""

import sys
import time

try:
    import intera_interface
    import rospy
except ImportError:
    from chef_cell import intera_interface
    from chef_cell.drivers.intera.interface import PARAMETERS

    rospy = None


def check(what, true):
    print('ok' if true else 'FAILED', what, flush=True)  # noqa: T201
    if not true:
        sys.exit(1)


def until(condition, timeout=20.0):
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
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
    check('reset of a robot that is not stopped raises', raises(OSError, robot.reset))
    parameters = intera_interface.RobotParams()
    check('limb names', parameters.get_limb_names() == ['right'])
    check('robot name', parameters.get_robot_name() == 'sawyer')


def move(limb):
    limits = intera_interface.JointLimits()
    check('an unknown joint raises', raises(KeyError, limb.joint_angle, 'right_j7'))
    check('an unknown limit raises', raises(KeyError, limits.joint_effort_limit, 'right_j7'))
    check('velocity limit', limits.joint_velocity_limit('right_j1') == 1.328)
    check('position limits', limits.joint_lower_limit('right_j0') < -3.0)
    limb.set_joint_position_speed(0.5)
    goal = limb.joint_angles()
    goal['right_j0'] += 0.2
    limb.move_to_joint_positions(goal, timeout=20.0)
    check('position mode', abs(limb.joint_angle('right_j0') - goal['right_j0']) < 0.01)

    before = limb.joint_angle('right_j0')
    for _ in range(20):
        limb.set_joint_velocities({'right_j0': -0.2})
        time.sleep(0.05)
    check('velocity mode', limb.joint_angle('right_j0') < before - 0.05)
    check('watchdog', until(lambda: abs(limb.joint_velocity('right_j0')) < 0.005))
    limb.exit_control_mode()
    limb.move_to_neutral(timeout=30.0, speed=1.0)
    name = '/named_poses/right/poses/neutral'
    neutral = rospy.get_param(name) if rospy else PARAMETERS[name]
    off = max(abs(a - b) for a, b in zip(limb.joint_ordered_angles(), neutral, strict=True))
    check(f'neutral pose: off by {off:.4f} rad', off < 0.01)
    check('no collision', limb.has_collided() is False)
    check('tips', limb.tip_state('right_gripper_tip') is not None and limb.tip_state('x') is None)


def solve(limb):
    angles = limb.joint_angles()
    pose = limb.joint_angles_to_cartesian_pose(angles)
    measured = limb.endpoint_pose()['position']
    check('forward kinematics', abs(pose.position.x - measured.x) < 1e-3)
    check('no self collision', limb.fk_request_in_collision(angles) is False)
    found = limb.ik_request(pose)
    check('inverse kinematics', found)
    reached = limb.joint_angles_to_cartesian_pose(found).position
    check(
        'the pose asked for',
        max(abs(getattr(reached, k) - getattr(pose.position, k)) for k in 'xyz') < 1e-4,
    )
    found = limb.ik_request(pose, joint_seed=angles)
    check('a seed', found and max(abs(found[name] - angles[name]) for name in angles) < 0.01)
    if rospy is None:  # the vendor's own ik_request fails with a null-space goal
        found = limb.ik_request(pose, nullspace_goal={'right_j2': 0.3})
        check('null-space goal', found and found['right_j2'] > 0.1)
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


def raises(error, call, *arguments):
    try:
        call(*arguments)
    except error:
        return True
    return False


def main():
    (rospy or intera_interface).init_node('program')
    enable()
    limb = intera_interface.Limb('right')
    check('joint names', limb.joint_names() == [f'right_j{index}' for index in range(7)])
    move(limb)
    solve(limb)
    grip()
    check('everything', True)


if __name__ == '__main__':
    main()
