"""The simulated cell: repeatable, true to the benchmark's quirks, clear about bad input."""

import hashlib

import mujoco
import numpy as np
import pytest

from chef_cell.core.readings import Grasp, TaskCommand
from chef_cell.core.velocity import CartesianController, ControllerSettings
from chef_cell.sim import contacts
from chef_cell.sim.cell import SimCell
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.sim.objects import UnknownObjectError

STILL = np.zeros(7)


@pytest.fixture(scope='module')
def cell():
    return SimCell('1')


def fingerprint(cell, seed, ticks=60):
    """Everything that a reset and some commands lead to, as one hash."""
    cell.reset(seed)
    controller = CartesianController(
        ArmKinematics(), ControllerSettings(), cell.settings.joint_period
    )
    controller.reset(cell.arm.read().position)
    rng = np.random.default_rng(seed)
    digest = hashlib.sha256()
    for tick in range(ticks):
        if tick % 5 == 0:
            linear, yaw, gripper = rng.uniform(-0.07, 0.07, 3), rng.uniform(-1, 1), rng.choice(2)
            command = TaskCommand(cell.time, linear, yaw, 2.0 * gripper - 1.0)
        output = controller.step(cell.arm.read().position, command)
        cell.step_joint(output.joint_velocity, command.gripper)
        reading = cell.wrist.read()
        digest.update(cell.data.qpos.tobytes() + reading.force.tobytes())
    return digest.hexdigest()


def test_equal_seeds_give_equal_bits_in_the_same_and_in_another_cell(cell):
    first = fingerprint(cell, 7)
    assert fingerprint(cell, 8) != first
    assert fingerprint(cell, 7) == first
    assert fingerprint(SimCell('1'), 7) == first


def test_changing_the_triplet_and_back_changes_nothing(cell):
    first = fingerprint(cell, 3)
    cell.reset(0, triplet='4')
    assert cell.objects == ('s0', 'g5', 'b6')
    cell.reset(0, triplet='1')
    assert fingerprint(cell, 3) == first


def test_reading_the_sensors_does_not_change_the_future(cell):
    cell.reset(5)
    for _ in range(20):
        cell.step_joint(STILL, 1.0)
    quiet = cell.data.qpos.copy()
    cell.reset(5)
    for _ in range(20):
        cell.step_joint(STILL, 1.0)
        for port in (cell.arm, cell.gripper, cell.wrist, cell.tracker):
            port.read()
        cell.sparse_stack()
    np.testing.assert_array_equal(cell.data.qpos, quiet)


@pytest.mark.parametrize('triplet', ['1', '2', '3', '4', '5', 'y56,m5,h37'])
def test_episodes_start_as_in_the_benchmark(triplet):
    kinematics, cell = ArmKinematics(), SimCell(triplet)
    for seed in range(5):
        cell.reset(seed)
        arm, gripper = cell.arm.read(), cell.gripper.read()
        tool = kinematics.tool_pose(arm.position)
        assert cell.time_ns == 0
        assert (tool[:3] > (0.499, -0.141, 0.219)).all()
        assert (tool[:3] < (0.701, 0.141, 0.431)).all()
        assert np.hypot(*tool[4:6]) == pytest.approx(1.0, abs=1e-5)  # pointing down
        assert np.abs(arm.velocity).max() < 0.01
        assert gripper.position == 0.0
        assert gripper.grasp == Grasp.NONE
        for pose in cell.tracker.read().poses.values():
            assert (pose[:3] > (0.3, -0.35, 0.05)).all()
            assert (pose[:3] < (0.9, 0.35, 0.2)).all()


def test_the_wrist_sensor_reads_zero_in_free_space(cell):
    cell.reset(1)
    wrench = cell.wrist.read()
    assert np.abs(wrench.force).max() < 1e-2
    assert np.abs(wrench.torque).max() < 1e-3


def test_time_moves_by_one_joint_period_a_tick(cell):
    cell.reset(2)
    for tick in range(7):
        assert cell.time_ns == tick * 10_000_000
        assert cell.arm.read().stamp == pytest.approx(tick * 0.01)
        cell.step_joint(STILL, None)


def test_a_commanded_joint_moves_with_the_actuators_lag(cell):
    cell.reset(2)
    start = cell.arm.read().position[6]
    velocity = np.array([0, 0, 0, 0, 0, 0, 0.2])
    speeds = []
    for _ in range(50):
        cell.step_joint(velocity, None)
        speeds.append(cell.arm.read().velocity[6])
    assert speeds[9] == pytest.approx(0.2 * (1 - np.exp(-1)), abs=0.03)  # tau 0.1 s
    assert speeds[-1] == pytest.approx(0.2, rel=0.05)
    assert cell.arm.read().position[6] - start == pytest.approx(0.2 * (0.5 - 0.1), rel=0.1)


def test_what_was_known_of_a_step_is_not_computed_again_and_changes_no_bit(cell):
    cell.reset(2)
    whole = mujoco.MjData(cell.model)
    rng = np.random.default_rng(0)
    for _ in range(20):
        velocity, gripper = rng.uniform(-0.3, 0.3, 7), rng.uniform(-1.0, 1.0)
        mujoco.mj_copyData(whole, cell.model, cell.data)
        cell.step_joint(velocity, gripper)
        whole.ctrl[:] = cell.data.ctrl
        mujoco.mj_step2(cell.model, whole)
        mujoco.mj_step(cell.model, whole, 4)
        np.testing.assert_array_equal(cell.data.qpos, whole.qpos)
        np.testing.assert_array_equal(cell.data.qvel, whole.qvel)
        for _ in range(4):
            cell.step_joint(velocity, None)


def test_the_gripper_closes_in_a_second_and_reports_counts(cell):
    cell.reset(2)
    counts = []
    for _ in range(24):
        for _ in range(5):
            cell.step_joint(STILL, 1.0)
        counts.append(cell.gripper.read())
    assert counts[9].position == pytest.approx(100, abs=25)
    # Over 12.5 ms (12 ms of physics steps) the fingers move about 3 counts.
    assert cell.gripper_window == pytest.approx(0.012)
    assert counts[9].velocity == pytest.approx(255, abs=90)
    assert counts[-1].position > 225
    assert all(c.position == round(c.position) for c in counts)
    for _ in range(110):
        cell.step_joint(STILL, -1.0)
    assert cell.gripper.read().position < 5


def put(cell, colour, position):
    pose = cell.data.qpos[cell.addresses.object_position[colour]]
    pose[:] = (*position, 1.0, 0.0, 0.0, 0.0)


def test_sparse_stack_needs_height_contact_and_a_free_red():
    cell = SimCell('s0,g6,s0')
    cell.reset(0)
    put(cell, 'green', (0.3, 0.3, 0.5))
    put(cell, 'blue', (0.6, 0.0, 0.0748))
    put(cell, 'red', (0.6, 0.01, 0.1247))
    mujoco.mj_forward(cell.model, cell.data)
    assert cell.sparse_stack()
    for position in ((0.6, 0.051, 0.1247), (0.6, 0.0, 0.13), (0.6, 0.0, 0.11)):
        put(cell, 'red', position)
        mujoco.mj_forward(cell.model, cell.data)
        assert cell.sparse_stack() == (position[2] == 0.11)
    touching = SimCell('s0,g6,s0')
    touching.reset(0)
    tool = ArmKinematics().tool_pose(touching.arm.read().position)[:3]
    put(touching, 'green', (0.3, 0.3, 0.5))
    put(touching, 'red', np.add(tool, (0.0, 0.0, 0.045)))  # up against the palm
    put(touching, 'blue', tool)
    mujoco.mj_forward(touching.model, touching.data)
    assert not touching.sparse_stack()


def test_closing_on_an_object_is_an_inward_grasp_and_opening_no_grasp():
    cell = SimCell('s0,g6,b2')
    cell.reset(0)
    tool = ArmKinematics().tool_pose(cell.arm.read().position)
    for tick in range(150):
        if tick < 100:  # hold the object there until the fingers have it
            cell.data.qpos[cell.addresses.object_position['red']] = tool
            cell.data.qvel[cell.addresses.object_velocity['red']] = 0.0
        cell.step_joint(STILL, 1.0)
    assert cell.gripper.read().grasp == Grasp.INWARD
    assert cell.tracker.read().poses['red'][2] == pytest.approx(tool[2], abs=0.01)  # held
    cell.step_joint(STILL, 0.0)
    assert cell.gripper.read().grasp == Grasp.NONE
    for _ in range(100):
        cell.step_joint(STILL, -1.0)
    assert cell.gripper.read().grasp == Grasp.NONE
    assert cell.tracker.read().poses['red'][2] < tool[2] - 0.05  # dropped


def test_force_peak_is_the_largest_of_all_ticks(cell):
    cell.reset(0)
    cell.take_force_peak()
    forces = []
    for _ in range(30):
        cell.step_joint(np.array([0, 0.5, 0, 0, 0, 0, 0]), 1.0)
        forces.append(np.linalg.norm(cell.wrist.read().force))
    assert max(forces) > 0.1
    assert cell.take_force_peak() == pytest.approx(max(forces))
    assert cell.take_force_peak() == 0.0


def test_objects_at_rest_stay_at_rest(cell):
    cell.reset(4)
    before = cell.tracker.read().poses
    for _ in range(200):
        cell.step_joint(STILL, -1.0)
    after = cell.tracker.read().poses
    for colour, pose in before.items():
        np.testing.assert_allclose(after[colour][:3], pose[:3], atol=5e-4)


@pytest.mark.parametrize(
    ('velocity', 'gripper', 'named'),
    [
        (np.full(7, np.nan), None, 'not finite'),
        (np.zeros(6), None, r'shape \(6,\)'),
        (np.zeros(7), 1.5, 'gripper velocity 1.5'),
        (np.zeros(7), np.nan, 'gripper velocity nan'),
    ],
)
def test_bad_commands_are_refused(cell, velocity, gripper, named):
    cell.reset(0)
    with pytest.raises(ValueError, match=named):
        cell.step_joint(velocity, gripper)
    assert cell.time_ns == 0


def test_unknown_names_are_refused(cell):
    with pytest.raises(UnknownObjectError, match='allowed are 1, 2, 3, 4, 5'):
        SimCell('nine')
    with pytest.raises(ValueError, match='basket_front_left'):
        SimCell('1', cameras=('ceiling',))
    with pytest.raises(ValueError, match=r'built with \[\]'):
        cell.camera('basket_front_left')


def test_touching_pairs_lists_what_rests_on_the_floor(cell):
    cell.reset(0)
    pairs = contacts.touching_pairs(cell.data)
    touched = {geom for pair in pairs for geom in pair}
    assert cell.addresses.object_geom['red'] in touched
