"""Random lives of a safety latch, and what must hold in each of them."""

import math

import numpy as np
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chef_cell.core.readings import RobotReading
from chef_cell.core.safety import SafetyLatch
from chef_cell.core.safety_causes import Level
from chef_cell.testing.safety_samples import GOOD, arm, command, wrench

HARD, BROKEN = 25.0, math.nan


class LatchMachine(RuleBasedStateMachine):
    """Rules are what can happen; the model only knows what must never be."""

    def __init__(self):
        super().__init__()
        self.latch = SafetyLatch()
        self.now = 0.0
        self.first = None  # first verdict since the latch was last released
        self.first_fault = None
        self.fault_pending = False
        self.newest_force = GOOD
        self.wrong = {}  # what was last said to be wrong, by who said it
        self.running = False
        self.episode = 0

    def settle(self):
        """Note the first verdict after something happened."""
        if self.first is None and self.latch.state.level:
            self.first = self.latch.state
        if self.first_fault is None and self.latch.state.level == Level.FAULT:
            self.first_fault = self.latch.state.fault

    @rule(force=st.sampled_from([GOOD, 5.0, 20.0, HARD, BROKEN, math.inf]))
    def feel(self, force):
        self.now += 0.01
        self.latch.on_wrench(wrench(self.now, force), self.now)
        self.newest_force = force
        self.fault_pending |= not math.isfinite(force)
        self.settle()

    def say(self, source, wrong, always=True):
        """Note what the newest word of a source means; some only matter in an episode."""
        self.wrong[source] = wrong
        self.fault_pending |= wrong and (always or self.running)
        self.settle()

    @rule(x=st.sampled_from([0.0, 0.07, 0.2, BROKEN]), ahead=st.sampled_from([0.0, 0.04, 1.0]))
    def be_commanded(self, x, ahead):
        self.latch.on_command(command(self.now + ahead, x), self.now)
        self.say('command', not abs(x) <= 0.07 or ahead > 0.05)
        self.wrong['command'] &= self.running

    @rule(
        speed=st.sampled_from([0.0, 1.0, 10.0, BROKEN]),
        height=st.sampled_from([0.1, 0.43, 0.6]),
        fresh=st.booleans(),
    )
    def move(self, speed, height, fresh):
        self.now += 0.01 * fresh
        tool = np.array([0.6, 0.0, height])
        self.latch.on_joints(arm(self.now, speed=speed), self.now, tool)
        bad = not speed <= 1.0
        self.say('joints', bad)
        self.say('tool', not bad and height > 0.5, always=False)

    @rule(enabled=st.booleans(), stopped=st.booleans(), error=st.booleans(), estop=st.booleans())
    def be_told_by_the_robot(self, enabled, stopped, error, estop):
        self.latch.on_robot(RobotReading(enabled, stopped, error, estop))
        self.say('robot', stopped or error or estop)
        self.say('disabled', not enabled, always=False)

    @rule(count=st.sampled_from([0, 1, 2]))
    def count_publishers(self, count):
        self.latch.on_publishers(count)
        self.say('publishers', count > 1, always=False)

    @rule(missed=st.sampled_from([0, 1, 1000]))
    def loop(self, missed):
        self.latch.on_controller(missed, self.now)
        self.settle()

    @rule(gap=st.sampled_from([0.01, 0.04, 1.0]))
    def wait(self, gap):
        self.now += gap
        self.latch.tick(self.now)
        self.settle()

    @rule()
    def begin_episode(self):
        released = self.latch.state.level == Level.EPISODE_STOP
        self.episode += 1
        self.running = True
        self.latch.start_episode(str(self.episode), self.now)
        if released:
            self.first = None
        self.fault_pending |= any(self.wrong.get(name) for name in ('disabled', 'publishers'))
        self.settle()

    @rule()
    def finish_episode(self):
        self.running = False
        self.wrong['command'] = False
        self.latch.end_episode(str(self.episode))

    @rule()
    def rearm(self):
        before = self.latch.state
        refused = self.latch.rearm(self.now)
        if refused:
            assert self.latch.state == before
        else:
            assert self.latch.state.level == Level.OK
            assert self.newest_force <= 20.0, 'rearmed although the cause is there'
            assert not any(self.wrong.values()), 'rearmed although a cause is there'
            self.first, self.first_fault, self.fault_pending = None, None, False

    @invariant()
    def a_fault_stays_until_rearmed(self):
        if self.fault_pending:
            assert self.latch.state.level == Level.FAULT

    @invariant()
    def a_hard_touch_stops(self):
        if self.newest_force > 20.0 and self.first is not None:
            assert self.latch.state.level != Level.OK

    @invariant()
    def the_first_reason_is_the_one_reported(self):
        state = self.latch.state
        if state.level == Level.OK:
            assert state.reason == ''
            return
        assert state.level != Level.FAULT or state.fault == self.first_fault
        kept = ('reason', 'source', 'value', 'limit', 'since', 'episode_id')
        reported = [repr(getattr(state, name)) for name in kept]
        assert reported == [repr(getattr(self.first, name)) for name in kept]


TestLatchMachine = LatchMachine.TestCase
TestLatchMachine.settings = hypothesis_settings(
    max_examples=200, stateful_step_count=40, deadline=None
)
