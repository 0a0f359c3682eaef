"""The cell as a Gymnasium environment: `gymnasium.make('chef_cell/Stacking-v0')`.

Importing this module registers it. Nothing here is seen by a robot: the same `SimCell`,
controller and `Observer` stand behind the ROS graph, and give the same numbers.
"""

from typing import Any, ClassVar

import gymnasium
import numpy as np

from chef_cell.core import rewards
from chef_cell.core.act import INITIAL_ACTION, clip_action, to_command
from chef_cell.core.observe import (
    IMAGE_PREFIX,
    STATE_NAMES,
    Observer,
    needed_readings,
    observation_specs,
)
from chef_cell.core.readings import ImageReading
from chef_cell.core.velocity import CartesianController, ControllerSettings
from chef_cell.sim import basket
from chef_cell.sim.benchmark_observation import BenchmarkObserver
from chef_cell.sim.cell import SimCell
from chef_cell.sim.kinematics import ArmKinematics
from chef_cell.sim.scene import DEFAULTS, SimSettings
from chef_trainer.spec import ActionSpec, ObservationSpec

ENVIRONMENT_ID = 'chef_cell/Stacking-v0'
MAX_STEPS = 400
_VIDEO_SIZE = (640, 480)  # pixels
_SEEDS = 2**31


def state_observations(
    names: tuple[str, ...] = STATE_NAMES, history: int = 1
) -> tuple[ObservationSpec, ...]:
    """Return the specs of observations by name, all with the same history."""
    return observation_specs(names, history)


STATE = state_observations()


class StackingEnv(gymnasium.Env[dict[str, np.ndarray], np.ndarray]):
    """Stack the red object on the blue one and leave: 400 steps at 20 Hz.

    Actions are five numbers in [-1, 1] (`chef_trainer.spec.ActionSpec`). The reward is
    `stack_leave`. `info` holds all six sub-task rewards by name, `success`, `sparse_stack` (the
    benchmark's) and `force_max` (N, largest wrist force of the step, sampled at the joint loop).

    Args:
        triplet: '1' .. '5' or three object ids joined by commas.
        observations: what `reset` and `step` return; images are named image/<camera>.
        cameras: rendered besides those that `observations` name.
        max_steps: control steps until the episode is truncated.
        force_limit: N; a larger wrist force terminates the episode. None: no limit.
        settings: of the simulation.
        benchmark_observation: put the released policies' input (292,) into `info`.
        render_mode: 'rgb_array' or None.
    """

    metadata: ClassVar[dict[str, Any]] = {'render_modes': ['rgb_array'], 'render_fps': 20}

    def __init__(
        self,
        triplet: str = '1',
        observations: tuple[ObservationSpec, ...] = STATE,
        cameras: tuple[str, ...] = (),
        max_steps: int = MAX_STEPS,
        force_limit: float | None = 20.0,
        settings: SimSettings = DEFAULTS,
        benchmark_observation: bool = False,
        render_mode: str | None = None,
    ) -> None:
        if render_mode not in (None, 'rgb_array'):
            raise ValueError(f"render_mode {render_mode!r}, allowed: None, 'rgb_array'")
        self.render_mode = render_mode
        self.kinematics = ArmKinematics()
        self._observer = Observer(tuple(observations), self.kinematics, triplet)
        seen = sorted(
            name.removeprefix(IMAGE_PREFIX)
            for name in needed_readings(tuple(observations))
            if name.startswith(IMAGE_PREFIX)
        )
        self._cameras = tuple(dict.fromkeys((*cameras, *seen)))
        self.cell = SimCell(triplet, settings, self._cameras)
        self._controller = CartesianController(
            self.kinematics, ControllerSettings(), settings.joint_period
        )
        self._ticks = round(settings.control_period / settings.joint_period)
        self._benchmark = BenchmarkObserver(self.cell, self.kinematics)
        self._with_benchmark = benchmark_observation
        self._max_steps = max_steps
        self._force_limit = np.inf if force_limit is None else force_limit
        self._action_spec = ActionSpec()
        self.action_space = gymnasium.spaces.Box(-1.0, 1.0, (5,), np.float32)
        self.observation_space = gymnasium.spaces.Dict(
            {spec.name: _space(spec) for spec in observations}
        )

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
        """Start an episode. `seed` fixes the whole start state; without it, it is random.

        Args:
            seed: as `SimCell.reset`.
            options: {'triplet': name} changes the objects.
        """
        super().reset(seed=seed)
        scene = int(self.np_random.integers(_SEEDS)) if seed is None else seed
        unknown = sorted(set(options or {}) - {'triplet'})
        if unknown:
            raise ValueError(f"reset options {unknown}, allowed: ['triplet']")
        self.cell.reset(scene, (options or {}).get('triplet'))
        self.cell.take_force_peak()
        self._controller.reset(self.cell.arm.position)
        self._observer.reset(self.cell.triplet)
        self._steps = 0
        self._previous = INITIAL_ACTION
        benchmark = self._benchmark.reset() if self._with_benchmark else None
        observation, info, _ = self._look(0.0, benchmark)
        return observation, info

    def step(
        self, action: np.ndarray
    ) -> tuple[dict[str, np.ndarray], float, bool, bool, dict[str, Any]]:
        """Hold `action` (5,) for one control period, or until the force limit is passed."""
        self._previous = clip_action(action)
        command = to_command(self._previous, self._action_spec, self.cell.time)
        for _ in range(self._ticks):
            output = self._controller.step(self.cell.arm.position, command)
            self.cell.step_joint(output.joint_velocity, command.gripper)
            if self.cell.force_peak > self._force_limit:
                break
        force = self.cell.take_force_peak()
        self._steps += 1
        benchmark = self._benchmark.observe() if self._with_benchmark else None
        observation, info, reward = self._look(force, benchmark)
        return (
            observation,
            reward,
            force > self._force_limit,
            self._steps >= self._max_steps,
            info,
        )

    def render(self) -> np.ndarray | None:
        """Return the video camera's image (480, 640, 3)."""
        if self.render_mode is None:
            return None
        return self.cell.render(basket.VIDEO_CAMERA, *_VIDEO_SIZE)

    def close(self) -> None:
        """Free the renderer."""
        self.cell.close()

    def _look(
        self, force: float, benchmark: np.ndarray | None
    ) -> tuple[dict[str, np.ndarray], dict[str, Any], float]:
        """Return observation, info and reward of now."""
        cell = self.cell
        arm, gripper, objects = cell.arm.read(), cell.gripper.read(), cell.tracker.read()
        images: dict[str, ImageReading] = {
            name: cell.camera(name).read() for name in self._cameras
        }
        observation = self._observer.observe(
            arm, gripper, cell.wrist.read(), objects, images, self._previous
        )
        values = rewards.rewards(
            rewards.TaskState(
                **objects.poses,
                tool=self.kinematics.tool_pose(arm.position),
                gripper_position=gripper.position,
                grasp=gripper.grasp,
            )
        )
        info: dict[str, Any] = {
            **values,
            'success': rewards.success(values),
            'sparse_stack': cell.sparse_stack(),
            'force_max': force,
        }
        if benchmark is not None:
            info['benchmark_observation'] = benchmark
        return observation, info, values['stack_leave']


def _space(spec: ObservationSpec) -> gymnasium.spaces.Box:
    if spec.dtype == 'uint8':
        return gymnasium.spaces.Box(0, 255, spec.stacked_shape, np.uint8)
    return gymnasium.spaces.Box(-np.inf, np.inf, spec.stacked_shape, np.float32)


gymnasium.register(
    id=ENVIRONMENT_ID, entry_point=StackingEnv, max_episode_steps=None, order_enforce=True
)
