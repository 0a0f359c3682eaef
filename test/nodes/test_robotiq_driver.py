"""The gripper's driver node looks like the simulated cell's bridge.

The gripper is emulated at the end of a pseudo-terminal.
"""

import json

import pytest
from builtin_interfaces.msg import Time
from diagnostic_msgs.msg import DiagnosticArray, DiagnosticStatus
from std_srvs.srv import Trigger

from chef_cell.nodes import ros
from chef_cell.testing.emulated_2f85 import Emulated2F85
from chef_interfaces.msg import EpisodeState, GripperCommand, GripperState
from intera_core_msgs.msg import IOComponentCommand, IODeviceStatus

STAY = 0x01  # rACT without rGTO
DEVICE = '/io/end_effector/right_gripper/'


class Cell:
    """An emulated gripper and its driver node."""

    def __init__(self, graph, folder):
        self.graph = graph
        self.device = Emulated2F85(folder / 'robotiq')
        self.node = graph.start('robotiq_driver', {'port': str(folder / 'robotiq')})
        self.states = graph.collect(GripperState, 'gripper/state', ros.sensor_qos(False))
        self.io = graph.collect(IODeviceStatus, DEVICE + 'state', ros.STATE_QOS)
        self.diagnostics = graph.collect(DiagnosticArray, '/diagnostics')
        self.command = graph.publisher(GripperCommand, 'gripper/command')
        self.io_command = graph.publisher(IOComponentCommand, DEVICE + 'command')
        self.episodes = graph.publisher(EpisodeState, 'episode', ros.STATE_QOS)
        graph.wait_for(lambda: graph.connected() and self.states, 'the first state')

    def drive(self, velocity, condition, what):
        """Command a closing speed at 20 Hz until the newest state is so."""
        timer = self.graph.every(
            0.05, lambda: self.command.publish(GripperCommand(velocity=velocity))
        )
        try:
            self.graph.wait_for(lambda: condition(self.states[-1]), what)
        finally:
            self.graph.probe.destroy_timer(timer)

    def signals(self):
        return {item.name: json.loads(item.data)[0] for item in self.io[-1].signals}

    def health(self, part):
        for array in reversed(self.diagnostics):
            for status in array.status:
                if status.name == f'robotiq_driver: {part}':
                    return status
        return DiagnosticStatus()


@pytest.fixture
def cell(graph, tmp_path):
    made = Cell(graph, tmp_path)
    yield made
    made.device.close()


def test_commands_move_the_fingers_and_their_end_stops_them(cell):
    cell.device.fingers.object_at = 150.0
    cell.drive(1.0, lambda state: state.velocity > 0.0 and state.position > 20.0, 'closing')
    cell.graph.wait_for(lambda: cell.device.requests[-1] == STAY, 'the word to stay')
    cell.graph.wait_for(lambda: cell.states[-1].velocity == 0.0, 'the end of the motion')
    assert cell.states[-1].grasp == GripperState.NO_OBJECT
    cell.drive(1.0, lambda state: state.grasp == GripperState.GRASP_INWARD, 'a grasp')
    cell.drive(-1.0, lambda state: state.position == 0.0, 'open fingers')

    cell.command.publish(GripperCommand(velocity=1.5))
    cell.graph.wait_for(
        lambda: '1 commands refused' in cell.health('commands').message, 'the count'
    )
    assert 'gripper velocity 1.5, allowed: -1 to 1' in cell.node.output()
    assert cell.node.stop() == 0


def test_it_is_a_device_of_the_io_protocol_too(cell):
    cell.graph.wait_for(lambda: cell.io, 'the device')
    signals = {'position_m': {'format': {'type': 'float'}, 'data': [0.04]}}
    cell.io_command.publish(
        IOComponentCommand(time=Time(sec=1), op='set', args=json.dumps({'signals': signals}))
    )
    cell.graph.wait_for(
        lambda: abs(cell.signals()['position_response_m'] - 0.04) < 0.004, 'the position'
    )
    assert not cell.signals()['has_error']


def test_a_fault_is_told_in_words_and_undone_by_a_person_between_episodes(cell):
    cell.device.fingers.fault = 0x0E
    cell.graph.wait_for(
        lambda: cell.health('gripper').message == 'fault 0x0E: overcurrent', 'the fault'
    )
    assert cell.health('gripper').level == DiagnosticStatus.ERROR
    cell.graph.wait_for(lambda: cell.io and cell.signals()['has_error'], 'the IO device')
    cell.states.forget()
    cell.graph.spin_for(0.2)
    assert not cell.states

    def activate():
        return cell.graph.call(Trigger, 'robotiq_driver/activate', Trigger.Request())

    cell.episodes.publish(EpisodeState(phase=EpisodeState.RUNNING, episode_id='e1'))
    cell.graph.wait_for(lambda: activate().message == 'an episode is running', 'the refusal')
    cell.episodes.publish(EpisodeState(phase=EpisodeState.ENDED, episode_id='e1'))
    cell.graph.wait_for(lambda: activate().success, 'the activation')
    cell.graph.wait_for(lambda: cell.states, 'the gripper')
