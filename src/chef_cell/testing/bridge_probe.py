"""The other end of all topics of a simulated cell."""

from typing import Any

import numpy as np
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray
from geometry_msgs.msg import WrenchStamped
from sensor_msgs.msg import JointState
from std_msgs.msg import Bool, Empty

from chef_cell.nodes import messages, ros
from chef_cell.testing.ros_harness import Graph, Inbox
from chef_interfaces.msg import EpisodeState, GripperCommand, GripperState, Tick, TrackedObjects
from chef_interfaces.srv import ResetScene
from intera_core_msgs.msg import JointCommand, RobotAssemblyState

STEADY = np.array([0.1, -0.1, 0.1, -0.1, 0.1, -0.1, 0.1])


class BridgeProbe:
    """A bridge, and publishers and inboxes for what it takes and gives."""

    def __init__(self, graph: Graph, **parameters: Any) -> None:
        self.graph = graph
        self.process = graph.start('mujoco_bridge', parameters)
        self.joints = graph.collect(JointState, '/robot/joint_states')
        self.wrenches = graph.collect(WrenchStamped, 'ft300/wrench')
        self.grippers = graph.collect(GripperState, 'gripper/state')
        self.objects = graph.collect(TrackedObjects, 'objects')
        self.states = graph.collect(RobotAssemblyState, '/robot/state', ros.STATE_QOS)
        self.diagnostics = graph.collect(DiagnosticArray, '/diagnostics')
        self.joint_command = graph.publisher(JointCommand, '/robot/limb/right/joint_command')
        self.gripper_command = graph.publisher(GripperCommand, 'gripper/command')
        self.episode = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
        self.enable = graph.publisher(Bool, '/robot/set_super_enable')
        self.stop = graph.publisher(Empty, '/robot/set_super_stop')
        self.reset_robot = graph.publisher(Empty, '/robot/set_super_reset')
        graph.wait_for(graph.connected, 'the bridge')

    def reset(self, seed: int = 0, episode: str = 'a', triplet: str = '1') -> ResetScene.Response:
        """Ask for a scene and return the answer."""
        request = ResetScene.Request(episode_id=episode, seed=seed, triplet=triplet)
        return self.graph.call(ResetScene, 'sim/reset_scene', request)

    def drive(self, velocity: np.ndarray = STEADY, stamp: Time | None = None) -> None:
        """Command joint velocities."""
        stamp = stamp or self.graph.probe.get_clock().now().to_msg()
        self.joint_command.publish(messages.velocity_to_message(velocity, stamp))

    def positions(self) -> np.ndarray:
        """All joint positions received, (n, 7)."""
        return np.array([messages.arm_from_message(message).position for message in self.joints])

    def counts(self) -> dict[str, int]:
        """What /diagnostics counts from now on."""
        self.diagnostics.forget()
        # Two, because the first may have been on its way before what is to be counted.
        self.graph.wait_for(lambda: len(self.diagnostics) > 1, 'diagnostics')
        parts = ('mujoco_bridge: commands', 'mujoco_bridge: time')
        counted = [status for status in self.diagnostics[-1].status if status.name in parts]
        return {item.key: int(item.value) for status in counted for item in status.values}


class LockstepProbe(BridgeProbe):
    """The same in lockstep, one instant after the other."""

    def __init__(self, graph: Graph, **parameters: Any) -> None:
        self.ticks: Inbox = graph.collect(Tick, 'tick')
        super().__init__(graph, lockstep=True, **parameters)

    def run(
        self, episode: str = 'a', max_steps: int = 2, seed: int = 0, triplet: str = '1'
    ) -> Tick:
        """Reset and start an episode; return its first tick."""
        self.halt()
        answer = self.reset(seed, episode, triplet)
        assert answer.success, answer.message
        for inbox in (self.ticks, self.joints, self.wrenches, self.grippers, self.objects):
            inbox.forget()
        self._max_steps = max_steps
        self.announce(episode, max_steps)
        return self.tick_after(0)

    def announce(self, episode: str, max_steps: int = 2) -> None:
        """Say that an episode runs."""
        state = EpisodeState(phase=EpisodeState.RUNNING, episode_id=episode, max_steps=max_steps)
        self.episode.publish(state)

    def halt(self) -> None:
        """Say that no episode runs."""
        self.episode.publish(EpisodeState(phase=EpisodeState.ENDED))

    def tick_after(self, count: int) -> Tick:
        """Return the tick that follows the first `count`, once all its samples are there."""

        def complete() -> bool:
            if len(self.ticks) <= count:
                return False
            stamp = self.ticks[count].header.stamp
            streams = [self.joints, self.wrenches]
            if count % 5 == 0:
                streams += [self.grippers, self.objects]
            return all(inbox and inbox[-1].header.stamp == stamp for inbox in streams)

        self.graph.wait_for(complete, f'tick {count} of the episode')
        return self.ticks[count]

    def answer(self, tick: Tick, velocity: np.ndarray = STEADY, gripper: float = 0.0) -> Tick:
        """Give a tick what it waits for, and return the next one."""
        count = len(self.ticks)
        if tick.command_due:
            self.close_gripper(gripper, tick.header.stamp)
        self.drive(velocity, tick.header.stamp)
        return self.tick_after(count)

    def close_gripper(self, speed: float, stamp: Time) -> None:
        """Command the gripper."""
        command = GripperCommand(velocity=speed)
        command.header.stamp = stamp
        self.gripper_command.publish(command)

    def finish(self, tick: Tick, velocity: np.ndarray = STEADY, gripper: float = 0.0) -> Tick:
        """Answer until the episode is over; return its last tick."""
        while tick.step < self._max_steps:
            tick = self.answer(tick, velocity, gripper)
        return tick
