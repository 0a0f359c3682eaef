"""The drivers of the serial devices keep the laws of their ports, on emulated devices."""

import threading

import numpy as np
import pytest

from chef_cell.drivers.ft300.sensor import Ft300, Ft300Settings
from chef_cell.drivers.robotiq.gripper import Robotiq2F85, RobotiqSettings
from chef_cell.testing.conformance import GripperLaws, Rig, WristLaws
from chef_cell.testing.emulated_2f85 import Emulated2F85
from chef_cell.testing.emulated_ft300 import EmulatedFt300
from chef_cell.testing.waiting import wait_until


def let_pass(seconds):
    """These devices run on the clock on the wall."""
    threading.Event().wait(seconds)


class Serial:
    """Ends what a law has started."""

    @pytest.fixture(autouse=True)
    def _bench(self, tmp_path):
        self.folder, self.open = tmp_path, []
        yield
        for item in reversed(self.open):
            item.close()

    def kept(self, item):
        self.open.append(item)
        return item


class TestFt300(Serial, WristLaws):
    def rig(self):
        random = np.random.default_rng(0)
        self.kept(EmulatedFt300(self.folder / 'ft300', lambda: random.normal(size=6)))
        sensor = self.kept(Ft300(Ft300Settings(str(self.folder / 'ft300'))))
        wait_until(lambda: sensor.count, 'the first frame')
        return Rig(sensor, let_pass)


class TestRobotiq2F85(Serial, GripperLaws):
    stroke_time = 1.5

    def rig(self):
        self.kept(Emulated2F85(self.folder / 'robotiq')).fingers.activate_at_once()
        gripper = self.kept(Robotiq2F85(RobotiqSettings(str(self.folder / 'robotiq'))))
        wait_until(lambda: gripper.count, 'the first status')
        return Rig(gripper, let_pass)
