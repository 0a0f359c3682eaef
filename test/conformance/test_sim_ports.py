"""The simulated devices keep the laws of their ports."""

import pytest

from chef_cell.sim.cell import SimCell
from chef_cell.testing.conformance import (
    ArmLaws,
    CameraLaws,
    GripperLaws,
    ObjectTrackerLaws,
    Rig,
    WristLaws,
)

CAMERA = 'basket_front_left'


@pytest.fixture(scope='module')
def cell():
    made = SimCell('1', cameras=(CAMERA,))
    yield made
    made.close()


class SimulatedCell:
    """Brings one cell to its start and picks a port of it."""

    @pytest.fixture(autouse=True)
    def _cell(self, cell):
        self.cell = cell

    def rig(self):
        cell = self.cell
        cell.reset(0)

        def let_pass(seconds):
            for _ in range(round(seconds / cell.settings.joint_period)):
                # The command in force, as a device would hold it.
                cell.step_joint(cell.data.ctrl[cell.addresses.arm_control].copy(), None)

        return Rig(self.port(), let_pass)


class TestSimArm(SimulatedCell, ArmLaws):
    def port(self):
        return self.cell.arm


class TestSimGripper(SimulatedCell, GripperLaws):
    def port(self):
        return self.cell.gripper


class TestSimWrist(SimulatedCell, WristLaws):
    def port(self):
        return self.cell.wrist


class TestSimTracker(SimulatedCell, ObjectTrackerLaws):
    def port(self):
        return self.cell.tracker


class TestSimCamera(SimulatedCell, CameraLaws):
    def port(self):
        return self.cell.camera(CAMERA)
