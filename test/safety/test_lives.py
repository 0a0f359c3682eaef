"""Latch, gate, retreat and controller together, through thousands of random lives of a cell.

A life is a sequence of up to 16 events (a stream changes what it says, an episode begins or ends,
somebody rearms), each followed by up to 12 ticks of the joint loop; all that is asserted holds
after every tick. `make lives` lives 10 000 new ones, `make test` 500 that are always the same.
"""

import math

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from world import GATE, KINEMATICS, PERIOD, VOCABULARY, World

from chef_cell.core.command import Motion
from chef_cell.core.limits import SAWYER
from chef_cell.core.safety_causes import Level

CHANGE = np.array(SAWYER.acceleration) * PERIOD + 1e-9  # rad/s, in one tick
SPEED = np.array(SAWYER.velocity) + 1e-9
#: s, from the largest joint speed to rest at the slowest deceleration, and one tick
BRAKING = max(np.divide(SAWYER.velocity, SAWYER.acceleration)) + PERIOD
RETREAT_TIME = GATE.retreat_distance / GATE.retreat_speed  # s

EVENTS = [(stream, word) for stream, words in VOCABULARY.items() for word in words]
TICKS = st.sampled_from([1, 2, 5, 12])
#: Wrong, but no reason to stop while no episode runs.
HARMLESS_OUTSIDE = {'disabled', 'publishers', 'arm', 'controller', 'camera', 'clock'}
KEPT = ('reason', 'source', 'value', 'limit', 'since', 'episode_id')


class Lives(RuleBasedStateMachine):
    """What happens is random; what must never happen is asserted after every tick."""

    @initialize(reach=st.sampled_from([math.inf, 0.05]))  # rad: at its limits in a short life
    def begin(self, reach):
        self.world = World(reach)
        self.lower, self.upper = map(np.array, (self.world.limits.lower, self.world.limits.upper))
        self.first = None  # what the latch said first since it was last released
        self.retreated = 0.0  # s, since the arm last followed a command
        self.rest_due = 0.0  # s, by when an arm without leave to move must be at rest
        self.world.begin_episode()

    @rule(event=st.sampled_from(EVENTS), ticks=TICKS, hurried=st.booleans())
    def happen(self, event, ticks, hurried):
        self.world.say(*event)
        self.live(ticks)
        if hurried:
            self.try_to_rearm()

    @rule(stream=st.sampled_from(list(VOCABULARY)), ticks=TICKS)
    def heal(self, stream, ticks):
        self.world.say(stream, 'put back' if stream == 'arm' else VOCABULARY[stream][0])
        self.live(ticks)

    @rule(ticks=TICKS)
    def start_next_episode(self, ticks):
        if self.world.level == Level.EPISODE_STOP:
            self.first = None
        self.world.begin_episode()
        self.live(ticks)

    @rule(ticks=TICKS)
    def end_episode(self, ticks):
        self.world.end_episode()
        self.live(ticks)

    @rule(ticks=TICKS)
    def rearm(self, ticks):
        self.try_to_rearm()
        self.live(ticks)

    def try_to_rearm(self):
        before, world = self.world.latch.state, self.world
        refused = world.latch.rearm(world.now)
        amiss = [source for source, wrong in world.wrong.items() if wrong]
        assert bool(refused) == bool(amiss or world.silent()), (refused, amiss)
        if refused:
            assert world.latch.state == before
        else:
            assert world.level == Level.OK
            self.first = None

    def live(self, ticks):
        for _ in range(ticks):
            self.world.tick()
            self.check_verdict()
            self.check_limits()
            self.check_rest()
            self.check_retreat()

    def check_verdict(self):
        world, state = self.world, self.world.latch.state
        amiss = {source for source in world.judged if world.wrong.get(source)}
        if amiss - (set() if world.running else HARMLESS_OUTSIDE):
            assert state.level != Level.OK, f'not stopped although wrong: {amiss}'
        if state.level == Level.OK:
            assert state.reason == ''
            assert self.first is None, 'released by itself'
            return
        self.first = self.first or state
        for name in KEPT:
            assert repr(getattr(state, name)) == repr(getattr(self.first, name)), name

    def check_limits(self):
        world, v, last = self.world, self.world.velocity, self.world.previous
        assert (np.abs(v) <= SPEED).all()  # NaN is not
        if world.decision.motion is Motion.HALT:
            assert not v.any()
        else:
            # From rest after every halt: so resuming never jumps.
            assert (np.abs(v - last) <= CHANGE).all(), 'a jump'
        # Within its range at the next tick; or, where it was pushed, braked as hard as it can be.
        there = world.position + v * PERIOD
        if ((there > self.upper) | (there < self.lower)).any():
            assert ((there <= self.upper) | (v <= np.maximum(last - CHANGE, 0) + 2e-9)).all()
            assert ((there >= self.lower) | (v >= np.minimum(last + CHANGE, 0) - 2e-9)).all()

    def check_rest(self):
        """Nothing moves later than its stop budget."""
        world, decision = self.world, self.world.decision
        if decision.motion is Motion.FOLLOW:
            assert world.running
            self.rest_due = world.now + BRAKING
        if world.now > self.rest_due and decision.motion is not Motion.RETREAT:
            assert not world.velocity.any(), 'neither following nor retreating, yet moving'
        heard = world.verdict_age == 0.0
        if world.level == Level.FAULT and heard:
            assert not world.velocity.any(), 'moving in the tick that hears of a fault'
        if world.level == Level.EPISODE_STOP and heard:
            assert decision.motion is not Motion.FOLLOW
        if world.verdict_age > GATE.safety_timeout + PERIOD:
            assert not world.velocity.any(), 'moving although the latch is silent'

    def check_retreat(self):
        world, decision = self.world, self.world.decision
        if decision.motion is Motion.FOLLOW:
            self.retreated = 0.0
        if decision.motion is not Motion.RETREAT:
            return
        self.retreated += PERIOD
        assert self.retreated <= RETREAT_TIME + 1e-9
        twist = KINEMATICS.wrist_jacobian(world.position) @ world.velocity
        assert np.linalg.norm(twist[:3]) <= 1.1 * GATE.retreat_speed


TestLives = Lives.TestCase
TestLives.settings = settings(stateful_step_count=16, deadline=None)
if settings.get_current_profile_name() != 'lives':
    TestLives.settings = settings(TestLives.settings, max_examples=500, derandomize=True)
