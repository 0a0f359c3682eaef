"""After a fault the arm goes on from where it is, at rest: with bridge, latch and controller."""

import math

import numpy as np
import pytest
from sensor_msgs.msg import JointState
from std_srvs.srv import Trigger

from chef_cell.core.limits import SAWYER
from chef_cell.core.readings import TaskCommand
from chef_cell.nodes import messages, ros
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import EpisodeState, SafetyState
from chef_interfaces.msg import TaskCommand as TaskCommandMessage
from chef_interfaces.srv import ResetScene
from intera_core_msgs.msg import JointCommand

from .conftest import CONTROLLER, SAFETY

PERIOD = 0.01  # s, joint loop
LARGEST_CHANGE = np.array(SAWYER.acceleration) * PERIOD + 1e-9  # rad/s
SPEED = 0.05  # m/s
KINEMATICS = ArmKinematics()


class Arm:
    """A simulated arm and all that guards it; the test is policy, session and operator."""

    def __init__(self, graph):
        self.graph = graph
        self.x = 0.0  # m/s, commanded
        self.episode = EpisodeState()
        graph.start('mujoco_bridge')
        graph.start('wrist', {'force_range': 1e6, 'torque_range': 1e6})
        graph.start('safety', SAFETY)
        graph.start('controller', CONTROLLER)
        self.joints = graph.collect(JointState, '/robot/joint_states', ros.SENSOR_PUBLISHER_QOS)
        self.commands = graph.collect(JointCommand, '/robot/limb/right/joint_command')
        self.verdicts = graph.collect(SafetyState, 'safety', ros.STATE_QOS)
        self._command = graph.publisher(TaskCommandMessage, 'command')
        self._episode = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
        graph.wait_for(lambda: graph.connected() and self.joints, 'the arm', deadline=60.0)
        graph.every(0.05, self._send_command)
        graph.every(1.0, lambda: self._episode.publish(self.episode))

    def _send_command(self):
        if self.episode.phase == EpisodeState.RUNNING:
            command = TaskCommand(0.0, np.array([self.x, 0.0, 0.0]), 0.0, 0.0)
            now = self.graph.probe.get_clock().now().to_msg()
            self._command.publish(messages.task_command_to_message(command, now))

    def say(self, phase, episode_id):
        self.episode = EpisodeState(phase=phase, episode_id=episode_id)
        self._episode.publish(self.episode)

    def put_elsewhere(self, episode_id, seed):
        request = ResetScene.Request(episode_id=episode_id, seed=seed)
        assert self.graph.call(ResetScene, 'sim/reset_scene', request).success

    @property
    def measured(self):
        return messages.arm_from_message(self.joints[-1])

    def tool(self):
        return KINEMATICS.tool_pose(self.measured.position)[:3]

    def wait_until_moving(self):
        def moving():
            return self.joints and np.abs(self.measured.velocity).max() > 0.03

        self.graph.wait_for(moving, 'a moving arm')

    def wait_until_at_rest(self):
        def at_rest():
            commanded = any(any(command.velocity) for command in self.commands[-10:])
            return not commanded and np.abs(self.measured.velocity).max() < 1e-3

        self.graph.wait_for(at_rest, 'an arm at rest')

    def rearm(self):
        self.graph.wait_for(
            lambda: self.graph.call(Trigger, 'safety/rearm', Trigger.Request()).success,
            'the latch to be rearmed',
        )


@pytest.fixture
def arm():
    with Graph.open() as graph:
        yield Arm(graph)


def test_resuming_never_jumps(arm):
    arm.put_elsewhere('e1', seed=1)
    arm.say(EpisodeState.RUNNING, 'e1')
    arm.x = SPEED if arm.tool()[0] < 0.6 else -SPEED
    arm.wait_until_moving()
    arm.x = math.nan
    arm.graph.wait_for(lambda: arm.verdicts[-1].level == SafetyState.FAULT, 'the fault')
    assert arm.verdicts[-1].reason == 'command_invalid'
    arm.wait_until_at_rest()
    left = arm.tool()

    arm.say(EpisodeState.ENDED, 'e1')
    arm.put_elsewhere('e2', seed=2)
    arm.graph.wait_for(lambda: np.linalg.norm(arm.tool() - left) > 0.02, 'an arm elsewhere')
    begun, arm.x = arm.tool(), SPEED if arm.tool()[0] < 0.6 else -SPEED
    arm.say(EpisodeState.RUNNING, 'e2')
    arm.graph.spin_for(0.3)
    assert not any(any(command.velocity) for command in arm.commands[-20:]), 'not yet rearmed'

    arm.commands.forget()
    arm.joints.forget()
    arm.rearm()
    arm.wait_until_moving()
    # The first command heard may be the first that moves, so the arm's rest is put before it.
    velocities = np.array([np.zeros(7), *(command.velocity for command in arm.commands)])
    assert (np.abs(np.diff(velocities, axis=0)) <= LARGEST_CHANGE).all(), 'a jump'
    measured = np.array([messages.arm_from_message(message).velocity for message in arm.joints])
    assert (np.abs(measured).max(axis=0) <= np.abs(velocities).max(axis=0) + 0.05).all()
    assert np.linalg.norm(arm.tool() - begun) < np.linalg.norm(arm.tool() - left), 'from here'
