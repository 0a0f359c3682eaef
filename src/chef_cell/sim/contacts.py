"""What touches what."""

import math

import mujoco

from chef_cell.core.readings import Grasp
from chef_cell.sim.addresses import Addresses

TOUCH = 1e-8  # m, contacts with a larger gap do not count

_MOVING = 2.0  # counts/s: below this command the gripper is taken to stand still
_STACK_OFFSET = 0.05  # m, largest horizontal distance of red and blue
_STACK_HEIGHT = 0.02  # m, smallest height of red above blue


def touching_pairs(data: mujoco.MjData) -> list[list[int]]:
    """Return the pairs of geoms that touch."""
    contact = data.contact
    return contact.geom[contact.dist <= TOUCH].tolist()


def grasp(data: mujoco.MjData, addresses: Addresses) -> Grasp:
    """Return what the gripper's object detection says.

    As in the benchmark: both fingertips touch something other than each other (be it the table)
    while the fingers are commanded to move.
    """
    command = data.ctrl.item(addresses.gripper_control)
    if abs(command) < _MOVING:
        return Grasp.NONE
    fingertips = set(addresses.fingertips)
    touched = set()
    for first, second in touching_pairs(data):
        if (first in fingertips) != (second in fingertips):
            touched.add(first if first in fingertips else second)
    if touched != fingertips:
        return Grasp.NONE
    return Grasp.INWARD if command > 0.0 else Grasp.OUTWARD


def sparse_stack(data: mujoco.MjData, addresses: Addresses) -> bool:
    """Return whether red rests on blue, free of the robot: the benchmark's sparse success.

    `rgb_stacking/reward_functions.py`, SparseStack; its test against the ground names geoms that
    do not exist and is left out.
    """
    red = data.qpos[addresses.object_position['red']]
    blue = data.qpos[addresses.object_position['blue']]
    x, y, z = (red[:3] - blue[:3]).tolist()
    if math.hypot(x, y) >= _STACK_OFFSET or z <= _STACK_HEIGHT:
        return False
    red_geom, blue_geom = addresses.object_geom['red'], addresses.object_geom['blue']
    neighbours = {
        second if first == red_geom else first
        for first, second in touching_pairs(data)
        if red_geom in (first, second)
    }
    return blue_geom in neighbours and not neighbours & addresses.robot_geoms
