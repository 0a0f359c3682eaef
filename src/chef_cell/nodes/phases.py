"""Phases in which the arm moves, and whose commands it follows then."""

from chef_interfaces.msg import EpisodeState

#: Phase -> topic of the commands. One topic each, so that nobody has to be told to be silent.
COMMANDS = {
    EpisodeState.RUNNING: 'command',
    EpisodeState.SCRIPTED_RESET: 'reset/command',
}
