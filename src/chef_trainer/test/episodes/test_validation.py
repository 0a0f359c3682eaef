"""Every kind of bad episode gets a line with file, field and remedy; the rest of the set loads."""

import contextlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from mcap.writer import Writer
from recorded_cell import START_NS, STEP_NS, Script, record

from chef_trainer.episodes import EpisodeFileError, EpisodeReader, EpisodeWriter, Label, add_label
from chef_trainer.episodes.discovery import find_episodes
from chef_trainer.episodes.steps import align
from chef_trainer.episodes.validation import check_episode, check_set, check_unfinished
from chef_trainer.replay import Dataset
from chef_trainer.task.observe import observation_specs

CAMERAS = ('back', 'front')


def lines(path: Path) -> list[str]:
    findings, _ = check_episode(path)
    assert all(finding.path.is_relative_to(path.parent) for finding in findings)
    return [
        f'{finding.field}: {finding.problem}; {finding.remedy}'.replace(str(path.parent), '')
        for finding in findings
    ]


def test_a_sound_episode_has_no_findings(tmp_path: Path) -> None:
    path = record(tmp_path, Script(cameras=CAMERAS))
    findings, steps = check_episode(path)
    assert findings == []
    assert steps is not None
    assert len(steps) == 12


def without_arm_between(topic: str, fields: dict, stamp: int) -> dict | None:
    gap = START_NS + STEP_NS < stamp < START_NS + 9 * STEP_NS
    return None if gap and 'joint_states' in topic else fields


def with_gap(topic: str, fields: dict, stamp: int) -> dict | None:
    gap = START_NS + 4 * STEP_NS < stamp < START_NS + 7 * STEP_NS
    return None if gap and topic == '/cell/command' else fields


def with_late_clock(topic: str, fields: dict, stamp: int) -> dict:
    late = 3_500_000_000 if topic == '/cell/wrist/wrench' else 1_000_000
    return {**fields, 'log_time': stamp + late}


def with_nan_action(topic: str, fields: dict, stamp: int) -> dict:
    if topic == '/cell/command' and stamp == START_NS + 2 * STEP_NS:
        fields['yaw_rate'] = float('nan')
    return fields


def camera_from(step: int) -> Callable[[str, dict, int], dict | None]:
    return lambda topic, fields, stamp: (
        None if 'front' in topic and stamp < START_NS + step * STEP_NS else fields
    )


@pytest.mark.parametrize(
    ('script', 'expected'),
    [
        (
            Script(cameras=CAMERAS, change=without_arm_between),
            'joint_position, joint_velocity, joint_torque, tool_pose, wrist_pose, wrist_twist: '
            'nan, old or invalid in 3 of 13 steps, first in step 6; these steps are left out of '
            'replay',
        ),
        (
            Script(cameras=CAMERAS, change=with_gap),
            'command: 1 gaps, the longest 150 ms; windows do not cross them',
        ),
        (
            Script(cameras=CAMERAS, change=with_gap),
            'steps: 10 commands, the session counted 12; see what was dropped',
        ),
        (
            Script(cameras=CAMERAS, change=with_late_clock, metadata={'clock': 'real time'}),
            '/cell/wrist/wrench: stamps are 3.5 s behind the clock of the recorder; synchronise '
            'the clocks of all machines (chrony)',
        ),
        (
            Script(cameras=CAMERAS, change=with_nan_action),
            'action: nan in 1 of 12 steps; these steps are left out of replay',
        ),
        (
            Script(cameras=CAMERAS, change=camera_from(3)),
            'camera/front: no image in 3 of 13 steps; these steps are left out of replay',
        ),
        (
            Script(),
            'camera/*/image_raw: no camera was recorded; train without images',
        ),
        (
            Script(cameras=CAMERAS, metadata={'return_rewards': {'open': 3.0}}),
            'return_rewards.open: 3 when recorded, 8.73417 in hindsight; replay uses the latter',
        ),
        (
            Script(cameras=CAMERAS, metadata={'triplet': None, 'outcome': None}),
            "metadata: lacks ['triplet', 'outcome']; record it with a session that ends its "
            'episodes',
        ),
        (
            Script(cameras=CAMERAS, metadata={'dropped': 7, 'incomplete': ['/x']}),
            'dropped: 7 messages are missing; see metadata topics for which',
        ),
        (
            Script(cameras=CAMERAS, metadata={'recovered': True}),
            'recovered: the recorder did not finish this file; use it with care',
        ),
    ],
)
def test_each_defect_has_its_line(tmp_path: Path, script: Script, expected: str) -> None:
    assert expected in lines(record(tmp_path, script))


def test_labels_show_in_the_findings(tmp_path: Path) -> None:
    path = record(tmp_path, Script(cameras=CAMERAS))
    add_label(path, Label(author='tester', marks=('blurred',)))
    assert lines(path) == ["marks: ['blurred']; look at it, then: chef-data relabel --clear-marks"]


def test_a_renamed_file_still_loads(tmp_path: Path) -> None:
    path = record(tmp_path, Script(cameras=CAMERAS))
    renamed = path.rename(path.with_name('holiday.mcap'))
    assert lines(renamed) == [
        "file name: is not that of episode 'episode0': renamed?; rename it back",
        'metadata.yaml: does not name holiday.mcap; ros2 bag reindex',
    ]
    assert len(Dataset.open(renamed)) == 12
    renamed.with_name('metadata.yaml').unlink()
    assert lines(renamed)[1].startswith('metadata.yaml: is missing')


def test_a_flipped_bit_is_found(tmp_path: Path) -> None:
    path = record(tmp_path, Script(cameras=CAMERAS))
    offset = int(EpisodeReader(path).index('camera/front/image_raw').offset[3]) + 300
    with path.open('r+b') as stream:
        stream.seek(offset)
        stream.write(b'\x77')
    (line,) = lines(path)
    assert 'checksum does not match' in line


def test_foreign_files_of_the_same_format_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / 'drive.mcap'
    with path.open('wb') as stream:
        writer = Writer(stream)
        writer.start(profile='', library='a car')
        schema = writer.register_schema('Pose', 'protobuf', b'\x01\x02')
        channel = writer.register_channel('/pose', 'protobuf', schema)
        writer.add_message(channel, 1, b'\x00', 1)
        writer.finish()
    assert lines(path) == [
        'chef_episode: metadata record is missing; only files of the CHEF recorder hold episodes'
    ]


def test_a_set_is_checked_as_a_whole(tmp_path: Path) -> None:
    for index in range(4):
        record(tmp_path, Script(index, cameras=CAMERAS))
    record(tmp_path, Script(5, cameras=CAMERAS[:1]))
    record(tmp_path / 'copy', Script(0, cameras=CAMERAS))
    seen: list[tuple[int, int]] = []
    findings = list(check_set(list(find_episodes((tmp_path,))), lambda *count: seen.append(count)))
    assert seen[-1] == (6, 6)
    assert [(finding.field, finding.error) for finding in findings] == [
        ('episode_id', True), ('cameras', False)
    ]  # fmt: skip
    assert "('back',), while 5 others have ('back', 'front')" in findings[1].problem


def test_what_a_crash_left_is_reported(tmp_path: Path) -> None:
    writer = EpisodeWriter(tmp_path, 'e', {})
    (finding,) = check_unfinished(tmp_path)
    assert finding.path == writer.active_path
    assert 'chef-data recover' in finding.remedy
    assert list(find_episodes((tmp_path,))) == []
    writer.discard()


@settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.data())
def test_no_mutation_of_a_file_raises_anything_else(tmp_path: Path, data: st.DataObject) -> None:
    whole = tmp_path / 'whole'
    if not whole.exists():
        path = record(tmp_path, Script(steps=3, cameras=('front',)))
        whole.write_bytes(path.read_bytes())
        path.unlink()
    content = bytearray(whole.read_bytes())
    if data.draw(st.integers(0, 9)) == 0:
        content = content[: data.draw(st.integers(0, len(content)))]
    for _ in range(data.draw(st.integers(1, 5))):
        # Most of the file is pixels: aim at the ends, where the structure lies.
        at = data.draw(st.integers(0, 12000)) % max(len(content), 1)
        at = at if data.draw(st.booleans()) else len(content) - 1 - at
        if content:
            content[at] = data.draw(st.integers(0, 255))
    path = tmp_path / 'mutated.mcap'
    path.write_bytes(content)
    findings, _ = check_episode(path)
    assert all(str(finding).startswith(str(tmp_path)) for finding in findings)
    usable: Any = None
    with contextlib.suppress(EpisodeFileError):
        usable = align(EpisodeReader(path))
    dataset = Dataset.open(path, observation_specs(('wrench', 'image/front')))
    assert len(dataset.episodes) + len(dataset.refused) == 1
    assert usable is not None or dataset.refused
    assert path.read_bytes() == bytes(content)
