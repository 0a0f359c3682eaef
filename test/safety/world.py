"""A small world for the pure core: one arm, its sensors, the latch and the joint loop.

Each tick of 10 ms the arm moves as it was commanded, every stream that speaks is heard by the
latch and by the controller, the latch's verdict travels if its way is open, and the joint loop
answers. What each stream says is one word of its vocabulary; all of it can be wrong.
"""

import dataclasses
import math

import numpy as np
from words import AHEAD, ROBOT_STATES, VOCABULARY, WISHES

from chef_cell.core.command import CommandGate, Decision, GateSettings, Motion
from chef_cell.core.imaging import CameraReading
from chef_cell.core.joint_loop import JointLoop
from chef_cell.core.limits import SAWYER, JointLimits
from chef_cell.core.readings import ArmReading, TaskCommand, WrenchReading
from chef_cell.core.safety import SafetyLatch
from chef_cell.core.safety_causes import Level, SafetySettings
from chef_cell.core.velocity import CartesianController, ControllerSettings
from chef_cell.sim.kinematics import ArmKinematics

PERIOD = 0.01  # s
TICKS_PER_COMMAND = 5
HEARTBEAT_TICKS = 2  # of the latch
GATE = GateSettings()
KINEMATICS = ArmKinematics()
HOME = np.array(ControllerSettings().posture)


class World:
    """The core of a cell in real time, and what is true of it.

    Args:
        reach: rad, how far each joint may go from `HOME`, if not as far as a Sawyer's.

    Attributes:
        limits: of the joints.
        says: stream -> the word it says now.
        wrong: source -> whether the newest thing heard of it was wrong.
        judged: sources that the latch has judged since the episode began.
        velocity, previous: joint velocities commanded by this tick and by the one before.
        verdict_age: s since the controller heard a verdict.
    """

    def __init__(self, reach: float = math.inf) -> None:
        self.limits = _limits(reach)
        self.clock = 0.0  # s, of the system clock to a steady one
        lower, upper = self.limits.lower, self.limits.upper
        self.settings = settings = SafetySettings(
            joint_lower=lower, joint_upper=upper, cameras=('front',), recorder_timeout=0.3
        )
        self.timeouts = {
            'wrench': settings.wrench_timeout,
            'joints': settings.joint_timeout,
            'command': settings.command_timeout,
            'controller': settings.controller_timeout,
            'camera': settings.camera_timeout,
            'recorder': settings.recorder_timeout,
        }
        self.latch = SafetyLatch(self.settings)
        self.latch.on_clock(self.clock)
        controller = CartesianController(KINEMATICS, ControllerSettings(), PERIOD, self.limits)
        self.loop = JointLoop(CommandGate(GATE), controller)
        self.says = {stream: words[0] for stream, words in VOCABULARY.items()}
        self.wrong: dict[str, bool] = {}
        self.judged: set[str] = set()
        self.repeats = dict.fromkeys(('wrench', 'joints'), 0)  # 0: nothing to compare with
        self.stamps = dict.fromkeys(('wrench', 'joints'), 0.0)
        self.heard: dict[str, float] = {}
        self.now = 100.0
        self.ticks = 0
        self.reports = [(0.0, 0)]  # of the controller, in the latch's window: time, missed
        self.episode = 0
        self.running = False
        self.verdict_age = math.inf
        self.position = HOME.copy()
        self.velocity = self.previous = np.zeros(7)
        self.decision = Decision(Motion.HALT)

    @property
    def level(self) -> Level:
        """What the latch says."""
        return self.latch.state.level

    def say(self, stream: str, word: str) -> None:
        """From now on a stream says another word."""
        self.says[stream] = word
        if stream == 'arm':
            self._push(word)
        elif stream == 'robot':
            self.latch.on_robot(ROBOT_STATES[word])
            self._note('robot', word not in ('good', 'disabled'))
            self._note('disabled', word == 'disabled')
        elif stream == 'publishers':
            self.latch.on_publishers(1 + (word == 'two'))
            self._note('publishers', word == 'two')
        elif stream == 'collision':
            self.latch.on_collision(word == 'felt')
            self._note('collision', word == 'felt')

    def begin_episode(self) -> None:
        """The session announces another episode."""
        self.episode += 1
        self.running = True
        # The latch misses the recorder once it has heard it.
        missed = {*self.timeouts} - ({'recorder'} - {*self.heard})
        self.heard = dict.fromkeys(missed, self.now)
        self.repeats = dict.fromkeys(self.repeats, 0)
        self.judged = {'robot', 'disabled', 'collision', 'publishers'}  # by what they said last
        self.latch.start_episode(str(self.episode), self.now)
        self.loop.gate.on_episode(True, self.now)

    def end_episode(self) -> None:
        """The session ends it."""
        self.running = False
        self.wrong.pop('command', None)
        self.latch.end_episode(str(self.episode))
        self.loop.gate.on_episode(False, self.now)

    def tick(self) -> None:
        """Let one period pass."""
        self.now += PERIOD
        self.ticks += 1
        before = self.level
        self.position = self.position + self.velocity * PERIOD
        self._sense_joints()
        felt = self._feel()
        if self.ticks % TICKS_PER_COMMAND == 0:
            self._command()
            self._report()
            self._see()
        if self.ticks % HEARTBEAT_TICKS == 0:
            self._read_clock()
            self.latch.tick(self.now)
        if self.ticks % 100 == 0:
            self.loop.gate.on_episode(self.running, self.now)
        self.verdict_age += PERIOD
        news = felt or self.level != before or self.ticks % HEARTBEAT_TICKS == 0
        if news and self.says['verdicts'] == 'arrive':
            self.verdict_age = 0.0
            stop = self.level == Level.EPISODE_STOP
            self.loop.gate.on_safety(self.level == Level.OK, self.now, may_retreat=stop)
        self.decision, output = self.loop.step(self.now)
        self.previous, self.velocity = self.velocity, output.joint_velocity

    def silent(self) -> bool:
        """Whether a stream that the latch expects is older than it allows."""
        expected = {*self.heard} - (set() if self.running else {'command'})
        return any(self.now - self.heard[name] > self.timeouts[name] for name in expected)

    def _note(self, source: str, wrong: bool) -> None:
        self.wrong[source] = wrong
        self.judged.add(source)

    def _push(self, word: str) -> None:
        if word == 'put back':
            self.position = HOME.copy()
        elif word != 'free':
            excess = 0.02 if word == 'pushed beyond it' else -0.001
            self.position = self.position.copy()
            self.position[3] = self.limits.upper[3] + excess

    def _stamp(self, stream: str) -> float:
        """The stamp of the next sample of a stream; notes whether that is wrong."""
        word = self.says[stream]
        last = self.stamps[stream]
        stamp = {'frozen': last, 'backwards': last - 0.5}.get(word, self.now)
        repeats = self.repeats[stream]
        back = stamp < last and repeats > 0
        self.repeats[stream] = repeats + 1 if stamp == last and repeats else 1
        self.stamps[stream] = stamp
        self._note(stream, back or self.repeats[stream] >= self.settings.frozen_stamps)
        return stamp

    def _feel(self) -> bool:
        word = self.says['wrench']
        if word == 'silent':
            return False
        self.heard['wrench'] = self.now
        force = {'hard': 25.0, 'nan': math.nan}.get(word, 1.0)
        torque = 31.0 if word == 'twisted' else 0.0
        stamp = self.stamps['wrench'] if word == 'nan' else self._stamp('wrench')
        if word in ('hard', 'twisted', 'nan'):
            self._note('wrench', True)
        reading = WrenchReading(stamp, np.array([0.0, force, 0.0]), np.array([torque, 0.0, 0.0]))
        self.latch.on_wrench(reading, self.now)
        return True

    def _sense_joints(self) -> None:
        word = self.says['joints']
        if word == 'silent':
            return
        self.heard['joints'] = self.now
        if word == 'malformed':
            self._note('joints', True)
            self._note('arm', False)
            self.latch.on_malformed('joint_states', self.now, self.now)
            self.loop.on_joints(None, self.now)
            return
        position = np.full(7, math.nan) if word == 'nan' else self.position
        velocity = np.full(7, 9.0) if word == 'fast' else self.velocity
        stamp = self.stamps['joints'] if word == 'nan' else self._stamp('joints')
        if word in ('fast', 'nan'):
            self._note('joints', True)
        tool = None if word == 'nan' else KINEMATICS.tool_pose(position)[:3]
        self._note('arm', tool is not None and self._outside(position, tool))
        arm = ArmReading(stamp, position, velocity, np.zeros(7))
        self.latch.on_joints(arm, self.now, tool)
        self.loop.on_joints(position, self.now)

    def _command(self) -> None:
        word = self.says['command']
        if word == 'silent':
            return
        self.heard['command'] = self.now
        linear, yaw_rate = WISHES[word]
        stamp = self.now + AHEAD.get(word, 0.0)
        command = TaskCommand(stamp, np.array(linear), yaw_rate, 1.0)
        bad = word in ('nan', 'too fast', 'future', 'past')
        self._note('command', self.running and bad)
        self.latch.on_command(command, self.now)
        self.loop.gate.on_command(command, self.now)

    def _report(self) -> None:
        word = self.says['controller']
        if word == 'silent':
            return
        self.heard['controller'] = self.now
        missed = self.reports[-1][1] + self.settings.missed_deadlines * (word == 'late')
        recent = [r for r in self.reports if r[0] >= self.now - self.settings.missed_window]
        self.reports = [*recent, (self.now, missed)]
        late = missed - self.reports[0][1]
        self._note('controller', late >= self.settings.missed_deadlines)
        self.latch.on_controller(missed, self.now)

    def _see(self) -> None:
        if self.says['camera'] != 'silent':
            self.heard['camera'] = self.now
            frozen = self.says['camera'] == 'frozen'
            self._note('camera', frozen)
            repeats = self.settings.frozen_stamps if frozen else 1
            self.latch.on_camera('front', CameraReading(self.now, repeats), self.now)
        if self.says['recorder'] != 'silent':
            self.heard['recorder'] = self.now
            self.latch.on_heartbeat('recorder', self.now)

    def _read_clock(self) -> None:
        jumped = self.says['clock'] == 'set'
        self.clock += 0.5 * jumped
        self._note('clock', jumped)
        self.latch.on_clock(self.clock)

    def _outside(self, position: np.ndarray, tool: np.ndarray) -> bool:
        """Whether the arm is where it must not be in an episode."""
        settings = self.settings
        return bool(
            ((position < settings.joint_lower) | (position > settings.joint_upper)).any()
            or ((tool < settings.workspace_lower) | (tool > settings.workspace_upper)).any()
        )


def _limits(reach: float) -> JointLimits:
    lower = np.maximum(SAWYER.lower, HOME - reach).tolist()
    upper = np.minimum(SAWYER.upper, HOME + reach).tolist()
    return dataclasses.replace(SAWYER, lower=tuple(lower), upper=tuple(upper))
