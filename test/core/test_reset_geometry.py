"""Solids in the basket, the hand beside them, ways to grasp them, and places to put them."""

import itertools

import numpy as np
import pytest

from chef_cell.core.reset.grasps import grasps, nudges
from chef_cell.core.reset.hand import OPENING, SINK, HandPose, heading_of, room
from chef_cell.core.reset.places import draw_place, draw_tool, unfair
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.core.reset.solids import FLAT, SLOPE, UP, Solid, cut, gap, surface
from chef_cell.core.rewards import FLOOR

SETTINGS = ResetSettings()
CORNERS = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))


def block(x=0.6, y=0.0, size=(0.05, 0.05, 0.05), yaw=0.0, z=None):
    """A block that stands on the floor, or whose middle is at height z."""
    z = FLOOR + 0.5 * size[2] if z is None else z
    turn = np.array((np.cos(yaw / 2), 0.0, 0.0, np.sin(yaw / 2)))
    return Solid.of(0.5 * CORNERS * size).at(np.array((x, y, z, *turn)))


def anywhere(_):
    return True


def test_a_block_has_six_faces_and_is_where_its_pose_says():
    solid = block(0.7, 0.1, (0.02, 0.04, 0.06), yaw=np.pi / 2)
    assert len(solid.normals) == 6
    assert solid.centre == pytest.approx((0.7, 0.1, FLOOR + 0.03))
    assert (solid.top, solid.bottom) == pytest.approx((FLOOR + 0.06, FLOOR))
    assert np.ptp(solid.plan, axis=0) == pytest.approx((0.04, 0.02))
    assert solid.above_ground == pytest.approx(0.0)


def test_corners_in_a_plane_are_no_solid():
    with pytest.raises(ValueError, match='not a solid'):
        Solid.of(CORNERS * (1.0, 1.0, 0.0))


def test_a_pyramid_is_cut_and_pierced_where_it_is():
    base = np.array([(-1, -1, 0), (1, -1, 0), (1, 1, 0), (-1, 1, 0), (0, 0, 2)], float)
    solid = Solid.of(base)
    assert len(solid.normals) == 5
    assert np.abs(solid.slice(1.0)).max() == pytest.approx(0.5)
    assert np.abs(solid.above(1.5)).max() == pytest.approx(0.25)
    assert len(solid.slice(3.0)) == 0
    ins, outs = solid.pierced(np.array([(0.0, 0.0, 1.0), (0.0, 0.0, 3.0)]), np.array((1.0, 0, 0)))
    assert (ins[0], outs[0]) == pytest.approx((-0.5, 0.5))
    assert ins[1] > outs[1]  # a miss


def test_a_solid_is_cut_between_two_planes():
    slab = block(size=(0.04, 0.06, 0.08)).between(np.array((1.0, 0.0, 0.0)), 0.59, 0.63)
    assert (slab[:, 0].min(), slab[:, 0].max()) == pytest.approx((0.59, 0.62))
    assert np.ptp(slab[:, 1:], axis=0) == pytest.approx((0.06, 0.08))
    assert np.ptp(cut(slab, UP, FLOOR + 0.04)[:, :2], axis=0) == pytest.approx((0.03, 0.06))
    assert not len(block().between(np.array((1.0, 0.0, 0.0)), 0.7, 0.8))


def test_the_walls_rise_outside_the_flat_floor():
    points = np.array([(0.6, 0.0), (0.6 + FLAT, 0.0), (0.6, -FLAT - 0.1)])
    heights = surface(points)
    assert heights[:2] == pytest.approx(FLOOR)
    assert heights[2] == pytest.approx(FLOOR + 0.1 * np.tan(0.44506), abs=1e-4)


def test_gaps_are_those_of_the_outlines():
    assert gap(block(0.6).plan, block(0.7).plan) == pytest.approx(0.05)
    assert gap(block(0.6).plan, block(0.63).plan) < 0.0


@pytest.mark.parametrize('heading', [-2.0, -0.3, 0.0, 1.2])
def test_the_heading_is_that_of_the_tools_x_axis(heading):
    # Pointing down: half a turn about the axis halfway to the heading.
    half = heading / 2
    assert heading_of(np.array((0, 0, 0, 0, np.cos(half), np.sin(half), 0))) == pytest.approx(
        heading
    )
    assert HandPose(np.zeros(3), heading).axes @ (np.cos(heading), np.sin(heading)) == (
        pytest.approx((1.0, 0.0))
    )


def test_a_block_is_grasped_flush_and_in_the_middle():
    solid = block(0.62, 0.03, (0.03, 0.06, 0.05), yaw=0.3)
    best = grasps(solid, [], anywhere, SETTINGS)[0]
    across = best.pose.axes[1]
    assert np.ptp(solid.plan @ across) == pytest.approx(0.03, abs=0.006)  # the narrow way
    assert best.pose.position[:2] == pytest.approx((0.62, 0.03), abs=1e-3)
    assert SETTINGS.workspace_lower[2] <= best.pose.position[2] < solid.top


def test_what_is_too_wide_or_too_low_has_no_grasp():
    assert not grasps(block(size=(0.09, 0.09, 0.05)), [], anywhere, SETTINGS)
    assert not grasps(block(size=(0.04, 0.04, 0.02)), [], anywhere, SETTINGS)


def test_neighbours_leave_only_the_free_ways():
    neighbours = [block(0.66), block(0.54)]  # 1 cm on both sides along x: no finger fits
    ways = grasps(block(), neighbours, anywhere, SETTINGS)
    assert ways
    for way in ways:
        assert room(way.pose, neighbours) > 0.0
        assert abs(way.pose.axes[1][1]) > 0.8  # fingers along y
    walled = [*neighbours, block(y=0.06), block(y=-0.06)]
    assert not grasps(block(), walled, anywhere, SETTINGS)
    assert grasps(block(), [block(0.66, z=FLOOR + 0.01, size=(0.05, 0.05, 0.02))], anywhere,
                  SETTINGS)  # fmt: skip


def test_only_reachable_grasps_are_returned():
    ways = grasps(block(), [], lambda pose: pose.heading > 0.5, SETTINGS)
    assert ways
    assert all(way.pose.heading > 0.5 for way in ways)


def test_an_object_beyond_the_tools_reach_is_grasped_off_its_middle():
    place = SETTINGS.workspace_upper[1] + 0.012
    best = grasps(block(y=place, size=(0.03, 0.03, 0.06)), [], anywhere, SETTINGS)[0]
    assert best.pose.position[1] <= SETTINGS.workspace_upper[1]
    assert abs(place - best.pose.position[1]) < OPENING


def test_a_stick_whose_middle_is_out_of_reach_is_grasped_at_its_end():
    # It leans on the wall, one end on the floor.
    half = 0.5 * np.arctan(SLOPE)
    lying = np.array((0.43, 0.015, 0.0, np.cos(half), 0.0, np.sin(half), 0.0))
    stick = Solid.of(0.5 * CORNERS * (0.15, 0.029, 0.029)).at(lying)
    lying[2] = -stick.above_ground
    stick = Solid.of(0.5 * CORNERS * (0.15, 0.029, 0.029)).at(lying)
    best = grasps(stick, [], anywhere, SETTINGS)[0].pose
    assert best.position[0] >= SETTINGS.workspace_lower[0] > stick.centre[0] + 0.04
    assert abs(best.axes[1][1]) > 0.9  # fingers along y, one on each side


def test_closing_fingers_stay_above_what_the_object_lies_on():
    below = block()
    stick = block(z=below.top + 0.0145, size=(0.15, 0.029, 0.029))
    best = grasps(stick, [below], anywhere, SETTINGS)[0].pose
    assert best.position[:2] == pytest.approx((0.6, 0.0), abs=1e-3)
    sunk = SINK * (1.0 - 0.0145 / OPENING)  # the tips sink while they close on its 29 mm
    assert below.top < best.position[2] - sunk < stick.top


def test_beside_a_wall_fingers_reach_down_and_clear_it_at_every_opening():
    bar = block(y=0.098, size=(0.15, 0.029, 0.029))
    best = grasps(bar, [], anywhere, SETTINGS)[0].pose
    assert abs(best.axes[1][1]) > 0.9  # fingers along y, one above the wall
    for opening in np.linspace(0.0145, OPENING, 20):
        tip = best.position[2] - SINK * (1.0 - opening / OPENING)
        outer = best.position[:2] + np.array((0.0, opening + 0.0195))
        assert tip > surface(outer) + 0.002
    assert tip < bar.top - 0.005


@pytest.mark.parametrize('place', list(itertools.product((0.49, 0.6, 0.71), (-0.11, 0.0, 0.11))))
def test_no_nudge_pushes_outwards(place):
    solid, middle = block(*place), np.array((0.6, 0.0))
    for way in nudges(solid, [], anywhere, SETTINGS):
        start, end = (pose.position[:2] for pose in (way.pose, way.end))
        push = (end - start) * (1.0 - 0.012 / np.linalg.norm(end - start))
        after = np.linalg.norm(solid.centre[:2] + push - middle)
        assert after <= max(np.linalg.norm(solid.centre[:2] - middle), 0.06) + 1e-9


def test_a_nudge_pushes_towards_the_middle():
    solid = block(0.68, 0.08)
    way = nudges(solid, [], anywhere, SETTINGS)[0]
    assert way.end is not None
    start, end = way.pose.position[:2], way.end.position[:2]
    assert np.linalg.norm(end - (0.6, 0.0)) < np.linalg.norm(start - (0.6, 0.0))
    assert room(way.pose, [solid], closed=True) > 0.0
    assert room(way.end, [solid], closed=True) < 0.0


def test_places_are_uniform_apart_and_within_reach():
    rng = np.random.default_rng(0)
    held, other = block(0.6, 0.0, z=FLOOR + 0.1), block(0.65, 0.05)
    hand = HandPose(np.array((0.6, 0.0, FLOOR + 0.1)), 0.2)
    places = []
    for _ in range(150):
        goal = draw_place(held, hand, [other], anywhere, SETTINGS, rng)
        assert goal is not None
        put = held.moved(hand.position, goal.heading - hand.heading, goal.position)
        assert gap(put.plan, other.plan) >= SETTINGS.separation
        assert 0.0 < put.above_ground < 0.006
        places.append(put.centre[:2])
    places = np.array(places)
    assert (places >= SETTINGS.place_lower).all()
    assert (places <= SETTINGS.place_upper).all()
    halves = (places < (0.6, 0.0)).mean(axis=0)
    assert ((halves > 0.45) & (halves < 0.75)).all()  # the other object takes room beyond


def test_without_room_there_is_no_place():
    held = block(z=FLOOR + 0.1)
    slab = block(size=(0.3, 0.3, 0.02))
    hand = HandPose(np.array((0.6, 0.0, FLOOR + 0.1)), 0.0)
    assert draw_place(held, hand, [slab], anywhere, SETTINGS, np.random.default_rng(0)) is None


def test_the_last_tool_pose_is_the_benchmarks_within_the_controllers_box():
    rng = np.random.default_rng(0)
    poses = [draw_tool(anywhere, SETTINGS, rng) for _ in range(50)]
    positions = np.array([pose.position for pose in poses])
    assert (positions >= SETTINGS.tool_lower).all()
    assert (positions <= SETTINGS.tool_upper).all()
    assert max(abs(pose.heading) for pose in poses) <= SETTINGS.tool_yaw


@pytest.mark.parametrize(
    ('solid', 'words'),
    [
        (block(0.6, 0.0, z=FLOOR + 0.075), 'rests on another object'),
        (block(0.6, 0.16), 'outside the workspace'),
        (block(0.652, 0.0), 'touches another object'),
    ],
)
def test_unfair_starts_are_named(solid, words):
    around = {'green': block(0.6, 0.0), 'blue': block(0.55, -0.08)}
    assert words in unfair({'red': solid, **around}, SETTINGS)['red']
    assert not unfair({'red': block(0.68, 0.0), **around}, SETTINGS)


@pytest.mark.parametrize(
    ('wrong', 'words'),
    [
        ({'time_budget': 0.0}, 'time_budget = 0.0'),
        ({'contact_force': float('nan')}, 'contact_force = nan'),
        ({'place_lower': (0.8, -0.1)}, 'place_lower'),
        ({'tool_upper': (0.7, 0.12)}, 'tool_lower'),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong, words):
    with pytest.raises(ValueError, match=words):
        ResetSettings(**wrong)
