"""The simulated cell: one scene, its time, and the devices on it."""

import math

import mujoco
import numpy as np

from chef_cell.sim import addresses, basket, contacts, objects, reset, scene
from chef_cell.sim.devices import SimArm, SimCamera, SimGripper, SimTracker, SimWrist
from chef_cell.sim.render import Renderer
from chef_cell.sim.robot import GRIPPER_ANGLE, GRIPPER_COUNTS
from chef_cell.sim.scene import SimSettings

#: s; the benchmark's gripper velocity is the change over this long before an observation. It came
#: about by accident there, but the released policies were trained with it.
GRIPPER_WINDOW = 0.0125
_NANOSECONDS = 1_000_000_000
_RELEASE = -1.0  # gripper command during reset


class SimCell:
    """Sawyer, 2F-85, FTS-300, basket, three objects and three cameras in MuJoCo.

    Simulated time moves only in `step_joint`, one tick of the joint loop at a time. Everything is
    determined by the seed of `reset` and the commands: equal runs are equal to the last bit.

    Args:
        triplet: '1' .. '5' or three object ids joined by commas.
        settings: of the simulation.
        cameras: names of the cameras that will be used, of `basket.CAMERAS`.

    Raises:
        UnknownObjectError: no such triplet or object.
        ValueError: no such camera.
        ModelFilesError: the wheels with the model files are not installed.
    """

    def __init__(
        self,
        triplet: str = '1',
        settings: SimSettings = scene.DEFAULTS,
        cameras: tuple[str, ...] = (),
    ) -> None:
        unknown = sorted(set(cameras) - set(basket.CAMERAS))
        if unknown:
            raise ValueError(f'cameras {unknown}, allowed: {list(basket.CAMERAS)}')
        self.settings = settings
        self.arm = SimArm(self)
        self.gripper = SimGripper(self)
        self.wrist = SimWrist(self)
        self.tracker = SimTracker(self)
        self._cameras = {name: SimCamera(self, name) for name in cameras}
        self._tick_ns = round(settings.joint_period * _NANOSECONDS)
        self._ticks_per_step = round(settings.control_period / settings.joint_period)
        self._substeps = round(settings.joint_period / settings.physics_period)
        self._substeps_per_step = self._ticks_per_step * self._substeps
        self._window = round(GRIPPER_WINDOW / settings.physics_period)
        self.gripper_window = self._window * settings.physics_period
        self._renderer: Renderer | None = None
        self._load(triplet)

    @property
    def time_ns(self) -> int:
        """Simulated time since the reset, ns."""
        return self._ticks * self._tick_ns

    @property
    def time(self) -> float:
        """Simulated time since the reset, s."""
        return self.time_ns / _NANOSECONDS

    @property
    def objects(self) -> tuple[str, str, str]:
        """Ids of the red, green and blue object."""
        return objects.resolve_triplet(self.triplet)

    def camera(self, name: str) -> SimCamera:
        """Return one of the cameras named at construction."""
        if name not in self._cameras:
            raise ValueError(f'camera {name!r}, this cell was built with {sorted(self._cameras)}')
        return self._cameras[name]

    def reset(self, seed: int, triplet: str | None = None) -> None:
        """Place arm and objects anew, as `seed` says, and set the time to zero.

        As in the benchmark, one control period passes with the arm still and the gripper opening
        before time starts.

        Raises:
            UnknownObjectError: no such triplet or object.
        """
        if triplet is not None and triplet != self.triplet:
            self._load(triplet)
        reset.place(self.model, self.data, self.addresses, np.random.default_rng(seed))
        self._ticks = 0
        self._fresh = False
        self.gripper_change = 0.0
        for _ in range(self._ticks_per_step):
            self.step_joint(np.zeros(7), _RELEASE)
        self._ticks = 0
        self.force_peak = self._force()

    def step_joint(self, joint_velocity: np.ndarray, gripper_velocity: float | None) -> None:
        """Advance time by one period of the joint loop.

        Args:
            joint_velocity: rad/s, (7,).
            gripper_velocity: closing speed, -1 .. 1; None keeps the last one.

        Raises:
            ValueError: a command is not finite or out of range.
        """
        self.arm.command_velocity(joint_velocity)
        if gripper_velocity is not None:
            self.gripper.command_velocity(gripper_velocity)
        done = self._ticks % self._ticks_per_step * self._substeps
        mark = self._substeps_per_step - self._window - done
        if 0 < mark <= self._substeps:
            self._advance(mark)
            before = self.gripper_counts()
            self._advance(self._substeps - mark)
            self._window_start = before
        else:
            self._advance(self._substeps)
        self._ticks += 1
        if self._ticks % self._ticks_per_step == 0:
            # Sensors, contacts and poses as of now; without it they lag one physics step.
            mujoco.mj_forward(self.model, self.data)
            self._fresh = True
            self.gripper_change = self.gripper_counts() - self._window_start
        self.force_peak = max(self.force_peak, self._force())

    def gripper_counts(self) -> float:
        """Position of the fingers in whole counts, 0 open .. 255 closed."""
        angle = self.data.qpos.item(self.addresses.gripper_position)
        return float(round(min(max(angle / GRIPPER_ANGLE, 0.0), 1.0) * GRIPPER_COUNTS))

    def take_force_peak(self) -> float:
        """Return the largest wrist force (N) of all ticks since the last call, and start anew."""
        peak, self.force_peak = self.force_peak, 0.0
        return peak

    def sparse_stack(self) -> bool:
        """Return whether red rests on blue, free of the robot (the benchmark's sparse success)."""
        return contacts.sparse_stack(self.data, self.addresses)

    def render(self, camera: str, width: int, height: int) -> np.ndarray:
        """Return an image (height, width, 3), uint8 RGB, of any camera of the scene.

        Raises:
            RenderError: there is no such camera, or no library to render with.
        """
        if self._renderer is None:
            self._renderer = Renderer(self.model, self.settings)
        return self._renderer.render(self.data, camera, width, height)

    def close(self) -> None:
        """Free the renderer."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = None

    def _load(self, triplet: str) -> None:
        self.model = scene.load(triplet, self.settings)
        self.data = mujoco.MjData(self.model)
        self.addresses = addresses.find(self.model)
        self.triplet = triplet
        self.close()
        self._ticks = 0
        self._fresh = False
        self._window_start = 0.0
        self.gripper_change = 0.0
        self.force_peak = 0.0

    def _advance(self, substeps: int) -> None:
        """Do physics steps; of the first one, what `mj_forward` has done is not repeated.

        All actuators integrate their commands, so a new command changes no acceleration of now.
        """
        if substeps and self._fresh:
            mujoco.mj_fwdActuation(self.model, self.data)
            mujoco.mj_Euler(self.model, self.data)
            self._fresh = False
            substeps -= 1
        if substeps:
            mujoco.mj_step(self.model, self.data, substeps)

    def _force(self) -> float:
        force = self.data.sensordata[self.addresses.force]
        return math.sqrt(force.dot(force))
