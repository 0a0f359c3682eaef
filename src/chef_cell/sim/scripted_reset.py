"""The scripted reset in the simulated cell without a graph: through the same controller."""

from collections.abc import Iterator

import numpy as np

from chef_cell.core.ports import Kinematics
from chef_cell.core.readings import COLOURS, TaskCommand
from chef_cell.core.reset.pilot import ResetView
from chef_cell.core.reset.script import ScriptedReset
from chef_cell.core.reset.settings import ResetSettings
from chef_cell.core.reset.solids import Solid
from chef_cell.core.velocity import CartesianController, ControllerSettings
from chef_cell.sim import objects
from chef_cell.sim.cell import SimCell


def solids(ids: tuple[str, str, str]) -> dict[str, Solid]:
    """Return the objects `ids` (red, green, blue) in their own frames.

    Raises:
        UnknownObjectError: no such object.
    """
    return {
        colour: Solid.of(objects.shape(name).vertices)
        for colour, name in zip(COLOURS, ids, strict=True)
    }


def script(cell: SimCell, seed: int, settings: ResetSettings | None = None) -> ScriptedReset:
    """Return a reset of the objects that lie in `cell`; `seed` draws where they are put."""
    rng = np.random.default_rng(seed)
    return ScriptedReset(solids(cell.objects), settings or ResetSettings(), rng)


def play(
    cell: SimCell, reset: ScriptedReset, kinematics: Kinematics
) -> Iterator[tuple[ResetView, TaskCommand]]:
    """Play a reset; yield what it sees and commands, control period by control period."""
    period = cell.settings.joint_period
    controller = CartesianController(kinematics, ControllerSettings(), period)
    controller.reset(cell.arm.position)
    cell.take_force_peak()
    while not reset.done:
        view = ResetView(
            cell.time,
            cell.tracker.read(),
            kinematics.tool_pose(cell.arm.position),
            float(cell.arm.position[6]),
            cell.gripper.read(),
            cell.take_force_peak(),
        )
        command = reset.step(view)
        yield view, command
        for _ in range(round(cell.settings.control_period / period)):
            output = controller.step(cell.arm.position, command)
            cell.step_joint(output.joint_velocity, command.gripper)
