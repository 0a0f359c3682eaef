"""What the streams of a cell can say to the latch, right and wrong."""

import dataclasses
import math

from chef_cell.core.readings import RobotReading

_READY = RobotReading(enabled=True, stopped=False, error=False, estop=False)

#: stream -> what it can say. The first word of each is a healthy one.
VOCABULARY = {
    'wrench': ('good', 'hard', 'twisted', 'nan', 'frozen', 'backwards', 'silent'),
    'joints': ('good', 'fast', 'nan', 'malformed', 'frozen', 'backwards', 'silent'),
    'command': (
        *('x', '-x', 'down', 'turn', 'nothing'),
        *('nan', 'too fast', 'future', 'past', 'silent'),
    ),
    'controller': ('good', 'late', 'silent'),
    'robot': ('good', 'estop', 'error', 'stopped', 'disabled'),
    'collision': ('none', 'felt'),
    'publishers': ('one', 'two'),
    'camera': ('good', 'frozen', 'silent'),
    'recorder': ('good', 'silent'),
    'clock': ('steady', 'set'),
    'verdicts': ('arrive', 'lost'),
    'arm': ('free', 'pushed to a limit', 'pushed beyond it', 'put back'),
}
#: what a command asks for: m/s, rad/s
WISHES = {
    'x': ((0.07, 0.0, 0.0), 0.0),
    '-x': ((-0.07, 0.03, 0.0), -0.5),
    'down': ((0.0, 0.05, -0.07), 0.0),
    'turn': ((0.0, 0.0, 0.02), 1.0),
    'nothing': ((0.0, 0.0, 0.0), 0.0),
    'nan': ((0.0, math.nan, 0.0), 0.0),
    'too fast': ((0.0, 0.0, -0.7), 0.0),
    'future': ((0.05, 0.0, 0.0), 0.0),
    'past': ((0.0, 0.05, 0.0), 0.0),
}
#: s, of a command's stamp
AHEAD = {'future': 1.0, 'past': -1.0}
ROBOT_STATES = {
    'good': _READY,
    'estop': dataclasses.replace(_READY, estop=True),
    'error': dataclasses.replace(_READY, error=True),
    'stopped': dataclasses.replace(_READY, stopped=True),
    'disabled': dataclasses.replace(_READY, enabled=False),
}
