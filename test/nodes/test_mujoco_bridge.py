"""The simulated cell in lockstep over real DDS: time, scenes and images."""

import math

import numpy as np
import pytest
from sensor_msgs.msg import CameraInfo, Image

from chef_cell.nodes import camera_info, messages, ros
from chef_cell.sim.cell import SimCell
from chef_cell.testing.bridge_probe import STEADY, LockstepProbe
from chef_cell.testing.ros_harness import Graph

PERIOD = 10_000_000  # ns


@pytest.fixture(scope='module')
def cell():
    with Graph.open() as graph:
        yield LockstepProbe(graph)


def stamps(inbox):
    return [ros.nanoseconds(message.header.stamp) for message in inbox]


def test_each_joint_command_lets_one_joint_period_pass(cell):
    cell.finish(cell.run(max_steps=2))
    start = stamps(cell.ticks)[0]
    assert start > 0
    assert stamps(cell.ticks) == [start + PERIOD * n for n in range(11)]
    assert [(tick.step, tick.command_due) for tick in cell.ticks] == [
        (n // 5, n in (0, 5)) for n in range(11)
    ]
    assert stamps(cell.joints) == stamps(cell.wrenches) == stamps(cell.ticks)
    assert stamps(cell.grippers) == stamps(cell.objects) == stamps(cell.ticks)[::5]


def test_only_the_answer_to_the_present_instant_moves_time(cell):
    ignored = cell.counts()['commands ignored']
    tick = cell.answer(cell.run())
    now = ros.nanoseconds(tick.header.stamp)
    for wrong in (0, now - PERIOD, now + PERIOD, now + 1):
        cell.drive(stamp=ros.to_stamp(wrong))
    cell.close_gripper(1.0, tick.header.stamp)  # not due here
    tick = cell.answer(tick)
    assert ros.nanoseconds(tick.header.stamp) == now + PERIOD
    for _ in range(3):
        cell.drive(stamp=cell.ticks[-2].header.stamp)
    cell.answer(tick)
    assert stamps(cell.ticks) == [now + PERIOD * n for n in (-1, 0, 1, 2)]
    assert cell.counts()['commands ignored'] - ignored == 8


def test_the_end_of_an_episode_stands_still(cell):
    last = cell.finish(cell.run(max_steps=1))
    assert not last.command_due
    cell.drive(stamp=last.header.stamp)
    # A round trip through the same process shows that the command has been and gone.
    assert not cell.reset(triplet='6').success
    assert len(cell.ticks) == 6


def test_stamps_never_go_back_from_episode_to_episode(cell):
    first = cell.finish(cell.run('a', max_steps=1))
    second = cell.run('b', max_steps=1)
    assert ros.nanoseconds(second.header.stamp) > ros.nanoseconds(first.header.stamp)


def motion(cell, seed):
    """Joint positions of an episode that a fixed rule drives, (n, 7)."""
    tick = cell.run(max_steps=2, seed=seed)
    for count in range(10):
        tick = cell.answer(tick, STEADY * math.sin(count), gripper=0.5)
    return cell.positions()


def test_equal_seeds_give_equal_motion_to_the_last_bit(cell):
    first, second, other = motion(cell, 3), motion(cell, 3), motion(cell, 4)
    assert first.tobytes() == second.tobytes()
    assert first.tobytes() != other.tobytes()


def test_motion_over_ros_equals_motion_in_one_process(cell):
    over_ros = motion(cell, 5)
    direct = SimCell('1')
    direct.reset(5)
    positions = [direct.arm.read().position]
    for count in range(10):
        direct.step_joint(STEADY * math.sin(count), 0.5)
        positions.append(direct.arm.read().position)
    assert over_ros.tobytes() == np.array(positions).tobytes()
    got = messages.objects_from_message(cell.objects[-1])
    for colour, pose in direct.tracker.read().poses.items():
        assert got.poses[colour].tobytes() == pose.tobytes()
    got = messages.gripper_from_message(cell.grippers[-1])
    assert (got.position, got.velocity) == (
        direct.gripper.read().position, direct.gripper.read().velocity,
    )  # fmt: skip


def test_a_running_scene_is_not_reset(cell):
    cell.run('busy')
    answer = cell.reset(episode='next')
    assert not answer.success
    assert answer.message == "episode 'busy' is running"


@pytest.mark.parametrize('triplet', ['6', 'red,green', 'nonsense'])
def test_an_unknown_triplet_is_refused_and_the_scene_stays_usable(cell, triplet):
    cell.halt()
    answer = cell.reset(triplet=triplet)
    assert not answer.success
    assert triplet in answer.message
    cell.answer(cell.run())


def test_a_scene_names_its_objects_and_its_first_stamp(cell):
    cell.halt()
    answer = cell.reset(episode='c', triplet='3')
    assert answer.success
    assert list(answer.objects) == list(SimCell('3').objects)
    cell.ticks.forget()
    cell.announce('c')
    cell.graph.wait_for(lambda: cell.ticks, 'the first tick')
    assert cell.ticks[0].header.stamp == answer.stamp
    assert cell.ticks[0].episode_id == 'c'


def test_an_episode_without_its_scene_does_not_start(cell):
    cell.halt()
    cell.reset(episode='made')
    cell.ticks.forget()
    cell.announce('other')
    cell.graph.wait_for(lambda: "scene is for 'made'" in cell.process.output(), 'an error')
    assert not cell.ticks


def test_images_of_an_instant_come_with_it():
    names = ('basket_front_left', 'basket_back_left')
    with Graph.open() as graph:
        images = {name: graph.collect(Image, f'camera/{name}/device/image_raw') for name in names}
        infos = {
            name: graph.collect(CameraInfo, f'camera/{name}/device/camera_info', ros.STATE_QOS)
            for name in names
        }
        cell = LockstepProbe(graph, cameras=f'[{", ".join(names)}]', image_size=96)
        cell.finish(cell.run(max_steps=1, seed=7))
        graph.wait_for(lambda: all(len(inbox) == 2 for inbox in images.values()), 'images')
        graph.wait_for(lambda: all(infos.values()), 'camera info')
        direct = SimCell('1', cameras=names)
        direct.reset(7)
        for name in names:
            assert stamps(images[name]) == stamps(cell.ticks)[::5]
            got = messages.image_from_message(images[name][0]).pixels
            assert (got == direct.render(name, 96, 96)).all()
            assert images[name][0].header.frame_id == f'{name}_optical_frame'
        left = camera_info.from_message(infos['basket_front_left'][0])
        assert left.fy == pytest.approx(48 / math.tan(math.radians(17.5)))
        direct.close()


def test_an_unknown_camera_ends_the_process_with_the_reason():
    with Graph.open() as graph:
        process = graph.start('mujoco_bridge', {'cameras': '[nowhere]'})
        graph.wait_for(lambda: not process.alive, 'its end')
        assert process.process.returncode == 1
        assert "cameras ['nowhere'], allowed: ['basket_front_left'" in process.output()
