"""Aligned episodes hold exactly what was recorded, and say what could not be used."""

from pathlib import Path

import numpy as np
import pytest
from recorded_cell import (
    SCALE,
    START_NS,
    STEP_NS,
    Script,
    force,
    joints,
    make,
    pixels,
    poses,
    record,
    vector,
)

from chef_trainer.episodes import EpisodeFileError, EpisodeReader
from chef_trainer.episodes.steps import STATES, Steps, align
from chef_trainer.task.act import INITIAL_ACTION
from chef_trainer.task.kinematics import SawyerKinematics
from chef_trainer.task.readings import Grasp
from chef_trainer.task.rewards import REWARD_NAMES, TaskState, rewards

CAMERAS = ('back', 'front')
TWIST = 'geometry_msgs/msg/TwistStamped'


def steps_of(tmp_path: Path, script: Script) -> Steps:
    return align(EpisodeReader(record(tmp_path, script)))


def test_every_column_is_what_was_recorded(tmp_path: Path) -> None:
    script = Script(cameras=CAMERAS)
    steps = steps_of(tmp_path, script)
    table, rows = steps.table, np.arange(script.steps + 1)
    assert len(steps) == script.steps
    assert np.array_equal(table['stamp'], START_NS + rows * STEP_NS)
    position = np.array([joints(script, 5 * row) for row in rows])
    assert np.array_equal(table['joint_position'], position.astype(np.float32))
    assert np.array_equal(table['joint_torque'], (2.0 * position).astype(np.float32))
    assert np.array_equal(table['red_pose'][3], poses(script, 3)['red'].astype(np.float32))
    assert np.array_equal(table['gripper_position'][:, 0] * 255, np.float32(10 * rows))
    assert np.array_equal(table['grasp'].argmax(axis=1), rows > 5)
    assert np.array_equal(table['action'][:-1], script.actions.astype(np.float32))
    assert np.array_equal(table['previous_action'][1:], table['action'][:-1])
    assert np.array_equal(table['previous_action'][0], INITIAL_ACTION)
    assert np.array_equal(table['triplet'], np.tile([0, 0, 1, 0, 0], (len(rows), 1)))
    peaks = [np.linalg.norm([force(script, t) for t in range(5 * r - 4, 5 * r + 1)], axis=1).max()
             for r in rows[1:]]  # fmt: skip
    assert np.array_equal(table['force'][1:], np.float32(peaks))
    assert all(np.isfinite(table[spec.name]).all() for spec in STATES)


def test_rewards_are_those_of_the_session(tmp_path: Path) -> None:
    script = Script()
    table = steps_of(tmp_path, script).table
    for row in range(script.steps + 1):
        tool = SawyerKinematics().tool_pose(joints(script, 5 * row))
        grasp = Grasp.INWARD if row > 5 else Grasp.NONE
        state = TaskState(
            **poses(script, row), tool=tool, gripper_position=10.0 * row, grasp=grasp
        )
        expected = np.float32([rewards(state)[name] for name in REWARD_NAMES])
        assert np.array_equal(table['rewards'][row], expected)


def test_images_lie_where_the_index_says(tmp_path: Path) -> None:
    script = Script(cameras=CAMERAS)
    path = record(tmp_path, script)
    steps = align(EpisodeReader(path))
    content = np.fromfile(path, np.uint8)
    assert [camera.name for camera in steps.cameras] == list(CAMERAS)
    for number, camera in enumerate(steps.cameras):
        assert (camera.encoding, camera.shape) == ('rgb8', (128, 128, 3))
        for row, (offset, size) in enumerate(steps.table[f'image/{camera.name}']):
            image = content[offset : offset + size].reshape(camera.shape)
            assert np.array_equal(image, pixels(script, row, number))


def test_in_real_time_a_row_holds_the_newest_readings(tmp_path: Path) -> None:
    def jitter(topic: str, fields: dict, stamp: int) -> dict | None:
        if topic == '/cell/command':  # issued 3 ms after the samples that it answers
            fields['header'].stamp.nanosec += 3_000_000
            after = START_NS + 10 * STEP_NS
            return fields if stamp < after else None
        return fields

    end = START_NS + 8 * STEP_NS + 20_000_000  # a force stopped it in the middle of a step
    metadata = {'end_ns': end, 'outcome': 'force', 'clock': 'real time'}
    table = steps_of(tmp_path, Script(change=jitter, metadata=metadata)).table
    assert len(table) == 10
    assert np.array_equal(table['stamp'][:-1], START_NS + np.arange(9) * STEP_NS + 3_000_000)
    assert table['stamp'][-1] == end
    expected = [joints(Script(), tick) for tick in (*range(0, 45, 5), 42)]
    assert np.array_equal(table['joint_position'], np.float32(expected))


def test_what_is_missing_or_invalid_is_nan_and_the_rest_is_there(tmp_path: Path) -> None:
    def change(topic: str, fields: dict, stamp: int) -> dict | None:
        step = (stamp - START_NS) // STEP_NS
        if topic == '/robot/joint_states':
            fields['effort'] = np.empty(0)
        if topic == '/cell/objects' and step == 4:
            fields['objects'][0].valid = False
        if topic == '/cell/wrist/wrench' and step == 7:
            fields['wrench'].force.x = float('nan')
        if topic == '/cell/gripper/state' and step >= 1:  # silent for long
            return fields if step >= 9 else None
        return fields

    table = steps_of(tmp_path, Script(change=change, cameras=('front',))).table
    assert np.isnan(table['joint_torque']).all()
    assert np.flatnonzero(np.isnan(table['red_pose'][:, 0])).tolist() == [4]
    assert np.isfinite(table['green_pose']).all()
    assert np.flatnonzero(np.isnan(table['wrench'][:, 0])).tolist() == [7]
    assert np.flatnonzero(np.isnan(table['grasp'][:, 0])).tolist() == [5, 6, 7, 8]
    assert np.isfinite(table['joint_position']).all()


def test_an_image_that_is_missing_has_no_place(tmp_path: Path) -> None:
    def change(topic: str, fields: dict, stamp: int) -> dict | None:
        late = topic.endswith('image_raw') and stamp < START_NS + 2 * STEP_NS
        return None if late else fields

    table = steps_of(tmp_path, Script(change=change, cameras=('front',))).table
    assert np.flatnonzero(table['image/front'][:, 0] < 0).tolist() == [0, 1]


def test_devices_may_share_the_joint_topic_and_list_joints_in_any_order(tmp_path: Path) -> None:
    def change(topic: str, fields: dict, stamp: int) -> dict:
        if topic == '/robot/joint_states':
            if (stamp - START_NS) % STEP_NS:
                return {**fields, 'name': ['gripper'], 'position': np.ones(1),
                        'velocity': np.ones(1), 'effort': np.ones(1)}  # fmt: skip
            for name in ('name', 'position', 'velocity', 'effort'):
                fields[name] = np.array(fields[name])[::-1].copy()
        return fields

    table = steps_of(tmp_path, Script(change=change)).table
    expected = [joints(Script(), 5 * row) for row in range(13)]
    assert np.array_equal(table['joint_position'], np.float32(expected))


def test_actions_follow_the_spec_of_the_policy_and_intentions_the_schedule(tmp_path: Path) -> None:
    scale = (2 * SCALE).tolist()
    metadata = {
        'spec': {'action': {'scale': scale}, 'tasks': ['lift']},
        'intentions': [[0, 'lift'], [4, 'stack_leave'], [8, 'dance']],
    }
    script = Script(metadata=metadata)
    table = steps_of(tmp_path, script).table
    assert np.array_equal(table['action'][:-1, 0], np.float32(script.actions[:, 0] / 2))
    assert table['intention'].tolist() == [2] * 4 + [5] * 4 + [-1] * 5
    assert set(steps_of(tmp_path / 'other', Script()).table['intention']) == {5}


def leave_out(topic: str) -> Script:
    return Script(change=lambda name, fields, stamp: None if name == topic else fields)


def twice(topic: str, fields: dict, stamp: int) -> dict:
    if topic == '/cell/command' and stamp == START_NS + 5 * STEP_NS:
        fields['header'].stamp.nanosec -= STEP_NS
    return fields


def other_names(topic: str, fields: dict, stamp: int) -> dict:
    if topic == '/cell/objects':
        fields['objects'][0].name = 'purple'
    return fields


def with_twist(topic: str, fields: dict, stamp: int) -> dict:
    if topic == '/cell/wrist/wrench':
        zero = vector(np.zeros(3))
        fields['twist'] = make('geometry_msgs/msg/Twist', linear=zero, angular=zero)
    return fields


def shrinking(topic: str, fields: dict, stamp: int) -> dict:
    if topic.endswith('image_raw') and stamp > START_NS:
        fields |= {'height': 64, 'data': fields['data'][: 64 * 384]}
    return fields


@pytest.mark.parametrize(
    ('script', 'words'),
    [
        (leave_out('/robot/joint_states'), 'arm: not one message was recorded; record its topic'),
        (leave_out('/cell/command'), 'command: not one message was recorded'),
        (
            Script(types={'/cell/wrist/wrench': TWIST}, change=with_twist),
            f'wrench: is of type {TWIST}, expected geometry_msgs/msg/WrenchStamped',
        ),
        (
            Script(metadata={'start_ns': 5 * START_NS, 'end_ns': 6 * START_NS}),
            r'command: stamps 1000000000 .. 1550000000 ns, the episode 5000000000 .* synchronise',
        ),
        (Script(change=twice), 'command: two commands at 1200000000 ns; let one node command'),
        (Script(change=other_names), 'objects: does not hold red once in every message'),
        (
            Script(change=shrinking, cameras=('front',)),
            'camera/front/image_raw: changes its format within the episode',
        ),
        (Script(metadata={'spec': {'action': {'scale': [1, 2]}}}), r'spec.action.scale: \[1, 2\]'),
        (Script(metadata={'intentions': 'lift'}), 'intentions: .*lift'),
    ],
)  # fmt: skip
def test_what_cannot_be_aligned_says_why(tmp_path: Path, script: Script, words: str) -> None:
    path = record(tmp_path, script)
    with pytest.raises(EpisodeFileError, match=words) as caught:
        align(EpisodeReader(path))
    assert str(path) in str(caught.value)


def test_a_hand_that_let_go_still_means_what_it_asked_of_the_gripper(tmp_path: Path) -> None:
    asked = [0.0, -1.0, 0.0, 1.0, 0.0, 0.0, -1.0, 0.0]

    def let_go(topic: str, fields: dict, stamp: int) -> dict:
        if topic.endswith('command'):
            fields['gripper_velocity'] = asked[(stamp - START_NS) // STEP_NS]
        return fields

    meant = {'human': [-1, -1, -1, 1, 1, 1, -1, -1], 'policy': asked}
    for index, (source, expected) in enumerate(meant.items()):
        script = Script(index, len(asked), metadata={'source': source}, change=let_go)
        action = align(EpisodeReader(record(tmp_path, script))).table['action'][:-1, 4]
        assert action.tolist() == expected
