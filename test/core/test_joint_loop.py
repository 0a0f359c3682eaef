"""The gate and the controller together, driven by random lives of a cell."""

import math

import numpy as np
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from chef_cell.core.command import CommandGate, GateSettings, Motion
from chef_cell.core.joint_loop import JointLoop
from chef_cell.core.limits import SAWYER
from chef_cell.core.readings import TaskCommand
from chef_cell.core.safety_causes import Level
from chef_cell.core.velocity import CartesianController, ControllerSettings
from chef_cell.sim.kinematics import ArmKinematics

PERIOD = 0.01
GATE = GateSettings()
START = np.array(ControllerSettings().posture)
KINEMATICS = ArmKinematics()
LARGEST_CHANGE = np.array(SAWYER.acceleration) * PERIOD + 1e-9
#: s, from the largest joint speed to rest at the slowest deceleration, and one tick
BRAKING = max(np.divide(SAWYER.velocity, SAWYER.acceleration)) + PERIOD

MOVING = ('', 'retreat')


def command(x=0.05, y=0.0, yaw_rate=0.5):
    return TaskCommand(0.0, np.array([x, y, 0.0]), yaw_rate, 1.0)


def moving_loop():
    loop = JointLoop(CommandGate(), CartesianController(KINEMATICS, ControllerSettings(), PERIOD))
    loop.on_joints(START, 0.0)
    loop.gate.on_safety(True, 0.0)
    loop.gate.on_episode(True, 0.0)
    loop.gate.on_command(command(), 0.0)
    loop.begin('e1')
    for _ in range(5):
        _, output = loop.step(0.0)
    assert np.abs(output.joint_velocity).max() > 0.05
    return loop


def test_nothing_moves_before_the_first_joint_state():
    loop = JointLoop(CommandGate(), CartesianController(KINEMATICS, ControllerSettings(), PERIOD))
    decision, output = loop.step(0.0)
    assert decision.reason == 'stale_joints'
    assert not output.joint_velocity.any()


def test_the_latch_stops_in_one_tick():
    loop = moving_loop()
    loop.gate.on_safety(False, 0.01)
    assert not loop.step(0.01)[1].joint_velocity.any()


def test_after_the_force_rule_the_tool_backs_off_a_little():
    loop = moving_loop()
    position = START.copy()
    tools = []
    for tick in range(1, 601):
        now = tick * PERIOD
        loop.on_joints(position, now)
        loop.gate.on_episode(True, now)
        loop.gate.on_command(command(x=0.05 * (tick > 400), yaw_rate=0.0), now)
        # The start posture is tilted: the first 4 s turn the tool upright.
        loop.gate.on_safety(tick <= 450, now, may_retreat=tick > 450)
        _, output = loop.step(now)
        position = position + output.joint_velocity * PERIOD
        tools.append(KINEMATICS.tool_pose(position)[:3].copy())
    assert not output.joint_velocity.any()
    way = tools[-1] - tools[449]
    # The damping of the control law shortens it a little.
    assert -GATE.retreat_distance <= way[0] <= -0.6 * GATE.retreat_distance
    assert np.abs(way[1:]).max() < 0.2 * GATE.retreat_distance


def test_after_a_halt_the_arm_starts_from_rest():
    loop = moving_loop()
    loop.gate.on_safety(False, 0.01)
    loop.step(0.01)
    loop.gate.on_safety(True, 0.02)
    decision, output = loop.step(0.02)
    assert decision.motion is Motion.FOLLOW
    assert np.all(np.abs(output.joint_velocity) <= LARGEST_CHANGE)


def test_another_episode_starts_from_rest():
    loop = moving_loop()
    loop.begin('e1')
    assert np.abs(loop.step(0.0)[1].joint_velocity).max() > 0.05
    loop.begin('e2')
    assert np.all(np.abs(loop.step(0.0)[1].joint_velocity) <= LARGEST_CHANGE)


class CellMachine(RuleBasedStateMachine):
    """Inputs come, stay away or are nonsense; the joint loop must stay within its promises."""

    @initialize()
    def begin(self):
        controller = CartesianController(KINEMATICS, ControllerSettings(), PERIOD)
        self.loop = JointLoop(CommandGate(), controller)
        self.now = 0.0
        self.position = START.copy()
        self.velocity = np.zeros(7)
        self.last = np.zeros(7)
        self.reason = ''
        self.stopped_since = 0.0
        self.speaking = dict.fromkeys(('joints', 'safety', 'episode', 'command'), True)
        self.level = Level.OK
        self.retreated = 0.0  # s, since the arm last followed a command
        self.running = self.sane = True
        self.command = command()

    @rule(name=st.sampled_from(['joints', 'safety', 'episode', 'command']), speaks=st.booleans())
    def fall_silent(self, name, speaks):
        self.speaking[name] = speaks

    @rule(level=st.sampled_from(Level))
    def judge(self, level):
        self.level = level

    @rule(running=st.booleans())
    def change_episode(self, running):
        self.running = running

    @rule(sane=st.booleans())
    def measure(self, sane):
        self.sane = sane

    @rule(
        x=st.sampled_from([0.0, 0.07, -0.07, 0.5, math.nan]),
        y=st.sampled_from([0.0, 0.07, -0.05]),
        yaw_rate=st.sampled_from([0.0, 1.0, -1.0, math.inf]),
    )
    def ask(self, x, y, yaw_rate):
        self.command = command(x, y, yaw_rate)

    @rule(ticks=st.integers(1, 30))
    def run(self, ticks):
        for tick in range(ticks):
            self.now += PERIOD
            self.position = self.position + self.velocity * PERIOD
            self.speak(tick)
            decision, output = self.loop.step(self.now)
            self.last, self.velocity = self.velocity, output.joint_velocity
            if decision.reason in MOVING or self.reason in MOVING:
                self.stopped_since = self.now
            self.reason = decision.reason
            self.check(decision)

    def speak(self, tick):
        gate, now = self.loop.gate, self.now
        if self.speaking['joints']:
            self.loop.on_joints(self.position if self.sane else None, now)
        if self.speaking['safety']:
            gate.on_safety(self.level == Level.OK, now, self.level == Level.EPISODE_STOP)
        if self.speaking['episode']:
            gate.on_episode(self.running, now)
        if self.speaking['command'] and tick % 5 == 0:
            gate.on_command(self.command, now)

    def check(self, decision):
        assert np.all(np.isfinite(self.velocity))
        assert np.all(np.abs(self.velocity) <= np.array(SAWYER.velocity) + 1e-9)
        if decision.motion is Motion.HALT:
            assert not self.velocity.any()
        else:
            assert np.all(np.abs(self.velocity - self.last) <= LARGEST_CHANGE)
        if decision.motion is Motion.RETREAT:
            self.retreated += PERIOD
            assert self.level == Level.EPISODE_STOP or not self.speaking['safety']
            assert self.retreated <= GATE.retreat_distance / GATE.retreat_speed + 1e-9
            twist = KINEMATICS.wrist_jacobian(self.position) @ self.velocity
            assert np.linalg.norm(twist[:3]) <= 1.1 * GATE.retreat_speed
        if decision.motion is Motion.FOLLOW:
            self.retreated = 0.0
            assert self.level == Level.OK or not self.speaking['safety']
            assert self.running or not self.speaking['episode']

    @invariant()
    def a_stop_lasts_no_longer_than_braking(self):
        if getattr(self, 'reason', '') not in MOVING and self.now - self.stopped_since > BRAKING:
            assert not self.velocity.any()


TestCellMachine = CellMachine.TestCase
TestCellMachine.settings = hypothesis_settings(
    max_examples=60, stateful_step_count=30, deadline=None
)
