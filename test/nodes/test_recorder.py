"""The recorder on a real graph: what was published is in the file, whatever happens."""

import json
import os
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from geometry_msgs.msg import WrenchStamped
from rclpy.qos import QoSProfile
from rosbags.highlevel import AnyReader
from std_msgs.msg import String

from chef_cell.core.readings import WrenchReading
from chef_cell.nodes import messages, ros
from chef_cell.testing.recorder_cell import CAMERA, TICK_NS, RecorderCell, as_yaml, is_heard
from chef_cell.testing.ros_harness import Graph
from chef_interfaces.msg import EpisodeState, SafetyState
from chef_trainer.episodes import EpisodeReader, find_unfinished

NO_WRENCH = WrenchReading(0.0, np.zeros(3), np.zeros(3))


def test_episodes_are_files_with_every_message(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path, limits=as_yaml({'force': 20.0}))
    cell.safety.publish(SafetyState(reason='before'))
    for number in range(2):
        episode = f'e{number}'
        cell.announce(EpisodeState.RESETTING, episode)
        cell.run(episode)
        cell.sense(0, 201)
        state = cell.end(episode, 200 * TICK_NS)
        assert not state.error
        assert state.dropped == 0
        reader = EpisodeReader(state.path)
        assert reader.path == tmp_path / 'session' / f'0000_{episode}' / f'0000_{episode}.mcap'
        assert np.array_equal(
            reader.arrays('wrist/wrench')['wrench.force'][:, 0], np.arange(201.0)
        )
        assert [int(frame[0, 0, 0]) for frame in reader.frames(CAMERA)] == list(range(0, 201, 5))
        assert list(reader.arrays('safety')['reason']) == ['before']
        assert list(reader.arrays('episode')['phase']) == [2, 3]
        assert not reader.find('device/*')
        assert reader.metadata['outcome'] == 'force'
        assert reader.metadata['final_rewards'] == {'lift': 0.25}
        assert reader.metadata['limits'] == {'force': 20.0}
        assert reader.metadata['topics']['/cell/wrist/wrench']['received'] == 201
        assert reader.metadata['topics']['/cell/wrist/wrench']['longest_gap_ms'] == 10.0
        assert reader.metadata['incomplete'] == []
        # In lockstep log times are stamps, so files do not depend on the machine's speed.
        assert np.array_equal(reader.index('wrist/wrench').log_time, np.arange(201) * TICK_NS)
        with AnyReader([reader.path.parent]) as bag:  # as a bag, by somebody else's reader
            counts = {connection.topic: connection.msgcount for connection in bag.connections}
            assert counts == {name: topic.count for name, topic in reader.topics.items()}
            decoded = [bag.deserialize(data, c.msgtype) for c, _, data in bag.messages()]
            assert len(decoded) == sum(counts.values())


def test_samples_that_come_before_or_after_the_news_are_kept(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path)
    cell.sense(0, 10)  # of them 5 .. 9 belong to the episode
    cell.run('e', 5 * TICK_NS)
    cell.announce(EpisodeState.ENDED, 'e', outcome='timeout', end=ros.to_stamp(60 * TICK_NS))
    cell.sense(10, 80)
    state = cell.wait(lambda state: not state.recording and state.path)
    forces = EpisodeReader(state.path).arrays('wrist/wrench')['wrench.force'][:, 0]
    assert np.array_equal(forces, np.arange(5.0, 61.0))


def test_a_silent_sensor_does_not_hold_the_file_for_ever(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path, drain=0.2)
    cell.run('e')
    cell.sense(0, 10)
    state = cell.end('e', 50 * TICK_NS)
    metadata = EpisodeReader(state.path).metadata
    assert metadata['incomplete'] == ['/cell/camera/front/image_raw', '/cell/wrist/wrench']


@pytest.mark.parametrize('number', [signal.SIGINT, signal.SIGTERM])
def test_a_stop_in_mid_episode_finishes_the_file(
    graph: Graph, tmp_path: Path, number: int
) -> None:
    cell = RecorderCell(graph, tmp_path)
    cell.run('e')
    cell.sense(0, 50)
    cell.wait(lambda state: state.messages >= 40)
    assert cell.node.stop(number) == 0
    (path,) = tmp_path.rglob('*.mcap')
    reader = EpisodeReader(path)
    assert reader.topics['/cell/wrist/wrench'].count >= 30
    assert reader.metadata['outcome'] == 'abort'
    assert reader.metadata['reason'] == 'the recorder was stopped'


def test_a_killed_recorder_loses_no_closed_chunk(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path)
    cell.run('e')
    cell.sense(0, 300)
    cell.wait(lambda state: state.messages >= 350)
    cell.node.stop(signal.SIGKILL)
    assert len(find_unfinished(tmp_path)) == 1

    node = cell.start()  # recovers what it finds
    reader = EpisodeReader(tmp_path / 'session' / '0000_e')
    assert reader.topics['/cell/wrist/wrench'].count > 20
    assert reader.metadata['recovered'] is True
    assert 'recovered' in node.output()
    assert not find_unfinished(tmp_path)


def test_an_episode_nobody_ends_is_finished_by_the_next(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path)
    cell.run('lost')
    cell.sense(0, 20)
    cell.wait(lambda state: state.messages >= 24)
    cell.announce(EpisodeState.RUNNING, 'next', index=1)
    cell.wait(lambda state: state.episode_id == 'next')
    cell.end('next', 0)
    metadata = EpisodeReader(tmp_path / 'session' / '0000_lost').metadata
    assert (metadata['outcome'], metadata['reason']) == ('abort', 'its end was not announced')
    assert EpisodeReader(tmp_path / 'session' / '0001_next')


def test_what_the_network_loses_is_counted(graph: Graph, tmp_path: Path) -> None:
    cell = RecorderCell(graph, tmp_path)
    shallow = graph.publisher(WrenchStamped, 'objects', QoSProfile(depth=1))
    cell.graph.wait_for(lambda: is_heard(shallow), 'a subscription')
    cell.run('e')
    ticks = [
        messages.wrench_to_message(NO_WRENCH, ros.to_stamp(t * TICK_NS), '') for t in range(2001)
    ]
    shallow.publish(ticks[0])
    cell.wait(lambda state: state.messages == 2)
    cell.node.freeze()
    for tick in ticks[1:-1]:  # more than can wait anywhere
        shallow.publish(tick)
    cell.node.send_signal(signal.SIGCONT)
    # As long as nothing is taken, the last one is lost like those before it. It would be repeated
    # with the next heartbeat of DDS, after 3 s, and the file is closed after 2.
    cell.wait(lambda state: state.messages > 2)
    shallow.publish(ticks[-1])  # shows the gap
    state = cell.end('e', 2000 * TICK_NS)
    account = EpisodeReader(state.path).metadata['topics']['/cell/objects']
    assert account['missed'] > 0
    assert account['received'] + account['missed'] == 2001
    assert state.dropped == account['missed']


@pytest.mark.skipif(os.geteuid() == 0, reason='root may write everywhere')
def test_an_unwritable_directory_is_said(graph: Graph, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    cell = RecorderCell(graph, tmp_path)
    cell.announce(EpisodeState.RUNNING, 'e')
    state = cell.wait(lambda state: state.error)
    assert 'Permission denied' in state.error
    tmp_path.chmod(0o700)


def test_a_directory_that_is_a_file_is_said_and_the_node_lives(
    graph: Graph, tmp_path: Path
) -> None:
    (tmp_path / 'session').write_text('in the way')
    cell = RecorderCell(graph, tmp_path)
    cell.announce(EpisodeState.RUNNING, 'e')
    state = cell.wait(lambda state: state.error)
    assert state.episode_id == 'e'
    assert not state.recording
    assert 'session' in state.error
    (tmp_path / 'session').unlink()
    cell.run('f')
    assert not cell.states[-1].error


def test_bad_limits_are_refused_at_the_start(graph: Graph, tmp_path: Path) -> None:
    node = graph.start('recorder', {'limits': '"{oops"', 'directory': tmp_path})
    graph.wait_for(lambda: not node.alive, 'the end of the recorder')
    assert node.process.returncode == 1
    assert 'RecorderSettings' in node.output()


def test_a_file_says_where_it_comes_from(graph: Graph, tmp_path: Path) -> None:
    specs = graph.publisher(String, 'policy/spec', ros.STATE_QOS)
    calibration = as_yaml({'tool_mass': 0.9})
    cell = RecorderCell(graph, tmp_path, cell_id='cell_07', calibration=calibration)
    graph.wait_for(lambda: is_heard(specs), 'a subscription')
    specs.publish(String(data='{"name": "stacker"}'))
    cell.run('earlier')
    cell.wait(lambda state: any('spec' in t.topic and t.received for t in state.topics))
    cell.end('earlier', 0)
    schedule = {'triplets': ['3'], 'episodes': 1}
    cell.announce(EpisodeState.RUNNING, 'e', schedule=json.dumps(schedule))
    cell.wait(lambda state: state.recording)
    begun = time.time_ns()
    metadata = EpisodeReader(cell.end('e', 0).path).metadata
    assert metadata['cell_id'] == 'cell_07'
    assert metadata['calibration'] == {'tool_mass': 0.9}
    assert metadata['spec'] == {'name': 'stacker'}
    assert metadata['software']['mcap']
    clock = metadata['host_clock']
    assert 0 < begun - clock['system_ns'] < 60e9
    assert 0 < time.monotonic_ns() - clock['steady_ns'] < 60e9
    assert clock['synchronised'] in (True, False)
    assert clock['max_error_s'] >= 0.0
