"""Ways to break a running cell; each mends it again when its `with` block is left."""

import copy
import math
import resource
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from live_cell import LiveCell
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Empty
from std_srvs.srv import SetBool

from chef_cell.nodes import ros
from chef_interfaces.msg import ControllerState, TaskCommand
from intera_core_msgs.msg import (
    CollisionDetectionState,
    JointCommand,
    RobotAssemblyState,
)

#: Breaks a cell for the time of a `with` block.
Injection = Callable[[LiveCell], AbstractContextManager[None]]

ROBOT = '/robot/'
LIMB = '/robot/limb/right/'


def tamper(wire: str, change: Callable[[Any], Any]) -> Injection:
    """What passes a wire is changed; `change` gives None to hold a message back."""

    @contextmanager
    def inject(cell: LiveCell) -> Iterator[None]:
        with cell.wires[wire].tampered(change):
            yield

    return inject


def silence(wire: str) -> Injection:
    """Nothing passes a wire any more."""
    return tamper(wire, lambda message: None)


def stand_still(wire: str, *fields: str) -> Injection:
    """Some fields (none: all) of what passes a wire stay what they were."""

    @contextmanager
    def inject(cell: LiveCell) -> Iterator[None]:
        first = copy.deepcopy(cell.wires[wire].last)

        def change(message: Any) -> Any:
            if not fields:
                return first
            for field in fields:
                setattr(message, field, getattr(first, field))
            return message

        with cell.wires[wire].tampered(change):
            yield

    return inject


def shift_stamps(wire: str, seconds: float) -> Injection:
    """Stamps lie ahead by so much."""

    def change(message: Any) -> Any:
        shifted = ros.nanoseconds(message.header.stamp) + round(seconds * 1e9)
        message.header.stamp = ros.to_stamp(shifted)
        return message

    return tamper(wire, change)


def press(force: float = 0.0, torque: float = 0.0) -> Injection:
    """The sensor feels a force (N) and a torque (N m)."""

    def change(message: Any) -> Any:
        message.wrench.force.y, message.wrench.torque.x = force, torque
        return message

    return tamper('wrench', change)


def command(x: float) -> Injection:
    """The policy asks for a velocity along x (m/s)."""

    def change(message: TaskCommand) -> TaskCommand:
        message.linear.x = x
        return message

    return tamper('command', change)


def joint(field: str, value: float) -> Injection:
    """A joint's position (rad) or velocity (rad/s) is `value` more."""

    def change(message: JointState) -> JointState:
        index = message.name.index('right_j0')
        getattr(message, field)[index] += value
        return message

    return tamper('joints', change)


def lose_a_joint(message: JointState) -> JointState:
    """The message names one joint less."""
    return JointState(header=message.header, name=list(message.name)[2:])


def close_gripper(position: float) -> Injection:
    """The gripper says that it is at `position` (counts)."""

    def change(message: Any) -> Any:
        message.position = position
        return message

    return tamper('gripper', change)


def say(kind: type, topic: str, wrong: dict[str, Any], right: dict[str, Any]) -> Injection:
    """Somebody publishes a wrong message, and in the end a right one."""

    @contextmanager
    def inject(cell: LiveCell) -> Iterator[None]:
        publisher = cell.voice(kind, topic)
        publisher.publish(kind(**wrong))
        try:
            yield
        finally:
            publisher.publish(kind(**right))

    return inject


def publish_too(kind: type, topic: str) -> Injection:
    """Somebody else may publish on a topic, though he has not done so yet."""

    @contextmanager
    def inject(cell: LiveCell) -> Iterator[None]:
        publisher = cell.graph.probe.create_publisher(kind, topic, ros.COMMAND_QOS)
        try:
            yield
        finally:
            cell.graph.probe.destroy_publisher(publisher)

    return inject


@contextmanager
def press_estop(cell: LiveCell) -> Iterator[None]:
    """The red button is pressed, then let out; the robot is reset and enabled."""
    cell.call(SetBool, 'sim/press_estop', SetBool.Request(data=True))
    try:
        yield
    finally:
        cell.call(SetBool, 'sim/press_estop', SetBool.Request(data=False))
        _enable(cell)


@contextmanager
def stop_robot(cell: LiveCell) -> Iterator[None]:
    """The robot is stopped by software, then reset and enabled."""
    cell.voice(Empty, ROBOT + 'set_super_stop').publish(Empty())
    try:
        yield
    finally:
        _enable(cell)


@contextmanager
def disable_robot(cell: LiveCell) -> Iterator[None]:
    """The robot is disabled, then enabled."""
    cell.voice(Bool, ROBOT + 'set_super_enable').publish(Bool(data=False))
    try:
        yield
    finally:
        _enable(cell)


def _enable(cell: LiveCell) -> None:
    robot = cell.graph.collect(RobotAssemblyState, ROBOT + 'state', ros.STATE_QOS)
    reset, enable = (
        cell.voice(Empty, ROBOT + 'set_super_reset'),
        cell.voice(Bool, ROBOT + 'set_super_enable'),
    )
    reset.publish(Empty())
    cell.graph.wait_for(lambda: robot and not robot[-1].stopped, 'the reset')
    enable.publish(Bool(data=True))
    cell.graph.wait_for(lambda: robot[-1].enabled, 'an enabled robot')


def freeze(node: str) -> Injection:
    """A node hangs; then it goes on."""

    @contextmanager
    def inject(cell: LiveCell) -> Iterator[None]:
        process = cell.processes[node]
        process.freeze()
        try:
            yield
        finally:
            process.send_signal(signal.SIGCONT)

    return inject


def kill(node: str, hung: bool = False) -> Injection:
    """A node dies, or hangs until somebody kills it; then it is started anew."""

    @contextmanager
    def inject(cell: LiveCell) -> Iterator[None]:
        process = cell.processes[node]
        if hung:
            process.freeze()
        else:
            process.stop(signal.SIGKILL)
        try:
            yield
        finally:
            process.stop(signal.SIGKILL)
            cell.restart(node)

    return inject


@contextmanager
def fill_disk(cell: LiveCell) -> Iterator[None]:
    """The recorder cannot write more than a few bytes of a file."""
    pid, limit = cell.processes['recorder'].pid, resource.RLIMIT_FSIZE
    before = resource.prlimit(pid, limit)
    resource.prlimit(pid, limit, (100_000, before[1]))
    try:
        yield
    finally:
        resource.prlimit(pid, limit, before)


NAN = math.nan
COLLISION = (CollisionDetectionState, LIMB + 'collision_detection_state')
STATE = (RobotAssemblyState, ROBOT + 'state')
REPORT = (ControllerState, 'controller/state')
COMMANDER = (TaskCommand, 'command')
JOINT_COMMANDER = (JointCommand, LIMB + 'joint_command')
