"""The fault matrix: the one table behind docs/faults.md and behind the tests."""

import dataclasses

import injections as i

#: What the arm does.
HALT, RETREAT, SLOW_DOWN, HOLD, STAND = (
    'halts',
    'halts, then retreats 10 mm',
    'slows down',
    'holds its position by itself',
    'stands',
)
#: What the session does.
STOPS, GOES_ON, GONE = 'stops', 'goes on', 'is gone'
#: What becomes of the episode's file.
WHOLE, CUT = 'whole', 'what was written by then; recoverable'


@dataclasses.dataclass(frozen=True)
class Fault:
    """One row: what goes wrong, and what must come of it."""

    what: str
    injected: str  # how
    inject: i.Injection
    reason: str  # of the latch; or, where the latch sees nothing, words of the session
    seen_by: str = 'latch'
    within: str = 'one sample'  # limit in the code; and one period of the joint loop, 10 ms
    arm: str = HALT
    session: str = STOPS
    outcome: str = 'fault'
    file: str = WHOLE
    #: What else may be seen first, because it has the same cause.
    or_else: tuple[str, ...] = ()

    slow: bool = False  # a node must be started anew; `make faults` has these too

    @property
    def latched(self) -> bool:
        """Whether the latch reports it."""
        return 'latch' in self.seen_by


@dataclasses.dataclass(frozen=True)
class Outline:
    """A row whose test is not like the others: what the page says, and which test it is."""

    test: str
    cells: tuple[str, ...]


BACK = 'stamps 5 s back in the wire, as when the clock is set'
STREAM_FAULTS = (
    Fault(
        'wrist force above 20 N', '25 N in the wire', i.press(force=25.0),
        'force', arm=RETREAT, session=GOES_ON, outcome='force',
    ),
    Fault(
        'wrist torque above 30 N m', '31 N m in the wire', i.press(torque=31.0),
        'torque', arm=RETREAT, session=GOES_ON, outcome='force',
    ),
    Fault('wrench not a number', 'NaN in the wire', i.press(force=i.NAN), 'wrench_invalid'),
    Fault(
        'wrench at the end of the sensor\'s range', '10 MN in the wire', i.press(force=1e7),
        'wrench_invalid', seen_by='wrist node, latch',
    ),
    Fault(
        'wrench silent', 'nothing passes the wire', i.silence('wrench'),
        'wrench_stale', within='0.05 s, and 0.02 s',
    ),
    Fault(
        'wrench frozen, by its stamp', 'the same message again and again',
        i.stand_still('wrench'), 'wrench_frozen', within='3 samples',
    ),
    Fault(
        'wrench frozen, by its value', 'the same value with new stamps',
        i.stand_still('wrench', 'wrench'), 'wrench_frozen',
        within='`frozen_values` samples, where set',
    ),
    Fault('wrench from the past', BACK, i.shift_stamps('wrench', -5.0), 'clock_jump'),
    Fault(
        'joint states not a number', 'NaN in the wire', i.joint('position', i.NAN),
        'joint_states_invalid', seen_by='controller, latch',
    ),
    Fault(
        'joint states that lack a joint', 'its name left out', i.tamper('joints', i.lose_a_joint),
        'joint_states_invalid', seen_by='controller, latch, session', or_else=('lack',),
    ),
    Fault(
        'joint states silent', 'nothing passes the wire', i.silence('joints'),
        'joint_states_stale', seen_by='controller; latch', within='0.05 s; 0.05 s, and 0.02 s',
    ),
    Fault(
        'joint states frozen', 'the same message again and again', i.stand_still('joints'),
        'joint_states_frozen', within='3 samples',
    ),
    Fault('joint states from the past', BACK, i.shift_stamps('joints', -5.0), 'clock_jump'),
    Fault(
        'a joint too fast, as measured', '10 rad/s more in the wire', i.joint('velocity', 10.0),
        'joint_speed',
    ),
    Fault(
        'a joint beyond its limit, as measured', '4 rad more in the wire',
        i.joint('position', 4.0), 'joint_position',
    ),
    Fault(
        'the tool outside the workspace, as measured', '0.8 rad more at the arm\'s foot',
        i.joint('position', 0.8), 'workspace',
    ),
    Fault(
        'a command not a number', 'NaN in the wire', i.command(i.NAN),
        'command_invalid', seen_by='controller, latch',
    ),
    Fault(
        'a command out of range', '0.5 m/s in the wire', i.command(0.5),
        'command_invalid', seen_by='controller, latch',
    ),
    Fault(
        'a command from the future', 'stamps 5 s ahead in the wire',
        i.shift_stamps('command', 5.0), 'command_future',
    ),
    Fault(
        'a command from the past', 'stamps 5 s back in the wire',
        i.shift_stamps('command', -5.0), 'command_past',
        or_else=('command_stale',),  # to a latch that hung within these 5 s
    ),
    Fault(
        'commands silent', 'nothing passes the wire', i.silence('command'), 'command_stale',
        seen_by='controller, latch', within='0.125 s; 0.5 s, and 0.02 s',
    ),
)  # fmt: skip
CAMERA_FAULTS = (
    Fault(
        'a camera silent', 'nothing passes the wire', i.silence('image'), 'camera_stale',
        within='1 s, and 0.02 s',
    ),
    Fault(
        'a camera frozen, by its stamp', 'the same image again and again',
        i.stand_still('image'), 'camera_frozen', seen_by='camera node, latch',
        within='3 images',
    ),
    Fault(
        'a camera frozen, by its pixels', 'the same pixels with new stamps',
        i.stand_still('image', 'data'), 'camera_frozen', seen_by='camera node, latch',
        within='`frozen_images` images, where set',
    ),
)  # fmt: skip
ROBOT_FAULTS = (
    Fault(
        'two commanders', 'a second publisher of `command`', i.publish_too(*i.COMMANDER),
        'command_publishers', within='discovery, and 0.02 s',
    ),
    Fault(
        'two who command the joints', 'a second publisher of `joint_command`',
        i.publish_too(*i.JOINT_COMMANDER), 'joint_command_publishers',
        within='discovery, and 0.02 s',
    ),
    Fault(
        'e-stop', 'the simulated robot\'s button', i.press_estop, 'robot_estop',
        seen_by='robot, latch',
    ),
    Fault('robot stopped', '`/robot/set_super_stop`', i.stop_robot, 'robot_stopped'),
    Fault('robot disabled', '`/robot/set_super_enable`', i.disable_robot, 'robot_disabled'),
    Fault(
        'robot error', 'a `/robot/state` that says so',
        i.say(*i.STATE, {'enabled': True, 'error': True}, {'enabled': True}), 'robot_error',
    ),
    Fault(
        'a collision', 'a `collision_detection_state` that says so',
        i.say(*i.COLLISION, {'collision_state': True}, {}), 'collision',
    ),
    Fault(
        'joint loop late', 'a `controller/state` that says so',
        i.say(*i.REPORT, {'missed_deadlines': 100_000}, {}), 'missed_deadlines',
        within='20 late periods in 1 s',
    ),
    Fault(
        'disk full', 'a limit to the recorder\'s files (RLIMIT_FSIZE)', i.fill_disk,
        'recorder: ', seen_by='recorder, session', within='one chunk of the file', file=CUT,
    ),
)  # fmt: skip
POLICY_FAULTS = (
    Fault(
        'a reading of the policy not a number', 'NaN in the gripper\'s wire',
        i.close_gripper(i.NAN), 'policy: ', seen_by='policy', within='0.05 s', arm=SLOW_DOWN,
        or_else=('command_stale',),
    ),
    Fault(
        'a reading of the policy silent', 'nothing passes the gripper\'s wire',
        i.silence('gripper'), 'policy: gripper is ', seen_by='policy', within='0.2 s, and 0.05 s',
        arm=SLOW_DOWN, or_else=('command_stale',),
    ),
)  # fmt: skip


def hang_and_die(
    node: str,
    reason: str,
    called: str = '',
    restart: bool = False,
    left: tuple[str, str] = (STOPS, WHOLE),  # by the dead
    **row: object,
) -> tuple[Fault, Fault]:
    """A node that hangs and one that dies: the same to everybody who waits for its word."""
    called = called or node
    hang = i.kill(node, hung=True) if restart else i.freeze(node)
    how = 'SIGSTOP, then SIGKILL' if restart else 'SIGSTOP'
    death = {'session': left[0], 'file': left[1], 'slow': True}
    return (
        Fault(f'{called} hangs', how, hang, reason, **row),
        Fault(f'{called} dies', 'SIGKILL', i.kill(node), reason, **death, **row),
    )


AFTER_COMMAND = '0.125 s; 0.5 s, and 0.02 s'
PROCESS_FAULTS = (
    *hang_and_die(
        'safety', 'safety: no verdict', restart=True, seen_by='controller; session',
        within='0.1 s; 1 s',
    ),
    *hang_and_die(
        'mujoco_bridge', 'joint_states_stale', 'bridge (robot and sensors)',
        seen_by='controller; latch', within='0.05 s; 0.05 s, and 0.02 s',
        or_else=('wrench_stale', 'camera_stale'),
    ),
    *hang_and_die('camera', 'camera_stale', within='1 s, and 0.02 s'),
    *hang_and_die('wrist', 'wrench_stale', within='0.05 s, and 0.02 s'),
    *hang_and_die(
        'controller', 'controller_stale', seen_by='robot; latch',
        within='0.2 s; 0.5 s, and 0.02 s', arm=HOLD,
    ),
    *hang_and_die('recorder', 'recorder_stale', within='5 s, and 0.02 s', left=(STOPS, CUT),
        or_else=('recorder has not finished',)),
    *hang_and_die(
        'session', 'session_stale', seen_by='controller; latch',
        within='2.5 s; 3 s, and 0.02 s', arm=SLOW_DOWN, or_else=('safety: no verdict',),
        left=(GONE, WHOLE),
    ),
    *hang_and_die(
        'policy', 'command_stale', seen_by='controller; latch', within=AFTER_COMMAND,
    ),
)  # fmt: skip

FAULTS = STREAM_FAULTS + CAMERA_FAULTS + ROBOT_FAULTS + POLICY_FAULTS + PROCESS_FAULTS
POLICY_FILE = Outline(
    'test_a_corrupt_policy_file_is_refused',
    (
        'a corrupt policy file', 'half of a good one', 'policy', 'before it is in force', 'stands',
        'does not begin, `policy refused`', 'none',
    ),
)  # fmt: skip
