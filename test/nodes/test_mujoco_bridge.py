"""The simulated cell over real DDS: lockstep, resets, and a Sawyer's manners."""

import dataclasses
import math

import numpy as np
import pytest
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import WrenchStamped
from rosgraph_msgs.msg import Clock
from sensor_msgs.msg import Image, JointState
from std_msgs.msg import Bool, Empty
from std_srvs.srv import SetBool

from chef_cell.core.intera import ARM_JOINTS
from chef_cell.core.limits import SAWYER
from chef_cell.nodes import messages, ros
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import (
    EpisodeState,
    GripperCommand,
    GripperState,
    Tick,
    TrackedObjects,
)
from chef_interfaces.srv import ResetScene
from intera_core_msgs.msg import (
    EndpointState,
    EndpointStates,
    JointCommand,
    JointLimits,
    RobotAssemblyState,
)

JOINT_COMMAND = '/robot/limb/right/joint_command'
STEADY = np.array([0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1])


class Cell:
    """A bridge in lockstep and the other end of all its topics."""

    def __init__(self, graph, **parameters):
        self.graph = graph
        self.process = graph.start('mujoco_bridge', {'lockstep': True, **parameters})
        self.ticks = graph.collect(Tick, 'tick')
        self.joints = graph.collect(JointState, '/robot/joint_states')
        self.wrenches = graph.collect(WrenchStamped, 'ft300/wrench')
        self.grippers = graph.collect(GripperState, 'gripper/state')
        self.objects = graph.collect(TrackedObjects, 'objects')
        self.states = graph.collect(RobotAssemblyState, '/robot/state', ros.STATE_QOS)
        self.diagnostics = graph.collect(DiagnosticArray, '/diagnostics')
        self.joint_command = graph.publisher(JointCommand, JOINT_COMMAND)
        self.gripper_command = graph.publisher(GripperCommand, 'gripper/command')
        self.episode = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
        self.enable = graph.publisher(Bool, '/robot/set_super_enable')
        self.stop = graph.publisher(Empty, '/robot/set_super_stop')
        self.reset_robot = graph.publisher(Empty, '/robot/set_super_reset')
        graph.wait_for(graph.connected, 'the bridge')

    def reset(self, seed=0, episode='a', triplet='1'):
        request = ResetScene.Request(episode_id=episode, seed=seed, triplet=triplet)
        return self.graph.call(ResetScene, 'sim/reset_scene', request)

    def forget(self):
        for inbox in (self.ticks, self.joints, self.wrenches, self.grippers, self.objects):
            inbox.forget()

    def run(self, episode='a', max_steps=2, seed=0):
        """Reset and start an episode; return its first tick."""
        self.halt()
        assert self.reset(seed, episode).success
        self.forget()
        state = EpisodeState(phase=EpisodeState.RUNNING, episode_id=episode, max_steps=max_steps)
        self.episode.publish(state)
        return self.next_tick()

    def halt(self):
        self.episode.publish(EpisodeState(phase=EpisodeState.ENDED))

    def next_tick(self):
        """Wait until an instant is complete, in all streams."""
        count = len(self.ticks)

        def complete():
            stamp = self.ticks[-1].header.stamp if len(self.ticks) >= max(1, count) else None
            return stamp and self.joints and self.joints[-1].header.stamp == stamp

        self.graph.wait_for(complete, 'a tick')
        return self.ticks[-1]

    def answer(self, tick, velocity=STEADY, gripper=0.0):
        """Give a tick what it waits for, and return the next one."""
        before = len(self.ticks)
        if tick.command_due:
            command = GripperCommand(velocity=gripper)
            command.header.stamp = tick.header.stamp
            self.gripper_command.publish(command)
        self.joint_command.publish(messages.velocity_to_message(velocity, tick.header.stamp))
        self.graph.wait_for(lambda: len(self.ticks) > before, 'the next tick')
        return self.next_tick()

    def counted(self, name):
        """Newest value of a count on /diagnostics that was published from now on."""
        self.diagnostics.forget()
        self.graph.wait_for(lambda: self.diagnostics, 'diagnostics')
        values = [value for status in self.diagnostics[-1].status for value in status.values]
        return {value.key: int(value.value) for value in values}[name]


@pytest.fixture(scope='module')
def cell():
    with Graph.open() as graph:
        yield Cell(graph)


def stamps(inbox):
    return [ros.nanoseconds(message.header.stamp) for message in inbox]


def test_each_joint_command_lets_one_joint_period_pass(cell):
    tick = cell.run(max_steps=2)
    while not (tick.step == 2):
        tick = cell.answer(tick)
    start = stamps(cell.ticks)[0]
    assert start > 0
    assert stamps(cell.ticks) == [start + 10_000_000 * n for n in range(11)]
    assert [(t.step, t.command_due) for t in cell.ticks] == [
        (n // 5, n in (0, 5)) for n in range(11)
    ]
    assert stamps(cell.joints) == stamps(cell.wrenches) == stamps(cell.ticks)
    assert stamps(cell.grippers) == stamps(cell.objects) == stamps(cell.ticks)[::5]
