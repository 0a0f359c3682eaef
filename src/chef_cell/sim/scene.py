"""The whole scene as one compiled MuJoCo model, and its settings."""

import dataclasses

import mujoco

from chef_cell.core.settings import SettingsError
from chef_cell.sim import basket, cache, decimate, objects, robot


def _multiple(name: str, value: float, unit_name: str, unit: float) -> None:
    if value < unit or abs(value / unit - round(value / unit)) > 1e-9:
        raise SettingsError(f'{name} {value} s, must be a multiple of {unit_name} {unit} s')


@dataclasses.dataclass(frozen=True)
class SimSettings:
    """Settings of the simulated cell."""

    physics_period: float = 0.002  # s, one physics step
    joint_period: float = 0.01  # s, one tick of the joint loop; 0.05 in the benchmark
    control_period: float = 0.05  # s, one action of the policy
    impratio: float = 10.0  # 1, stiffness of friction against contact; 1 in the benchmark
    noslip_iterations: int = 0  # 1; 5 in the benchmark
    full_meshes: bool = False  # render the housings with all their faces
    reflections: bool = False  # render the mirror image in the floor
    shadows: bool = False  # render shadows
    multisampling: int = 0  # 1, samples per pixel against jagged edges

    def __post_init__(self) -> None:
        if not 0.0 < self.physics_period <= 0.0025:
            # Measured: at 4 ms and above the gripper loses the objects.
            raise SettingsError(
                f'physics_period {self.physics_period} s, allowed: above 0, at most 0.0025'
            )
        _multiple('joint_period', self.joint_period, 'physics_period', self.physics_period)
        _multiple('control_period', self.control_period, 'joint_period', self.joint_period)


DEFAULTS = SimSettings()


def load(triplet: str, settings: SimSettings) -> mujoco.MjModel:
    """Return the compiled scene for `triplet`, from the cache where it was compiled before.

    Raises:
        UnknownObjectError: no such triplet or object.
        ModelFilesError: the wheels with the model files are not installed.
    """
    ids = objects.resolve_triplet(triplet)
    key = f'{ids} {settings.full_meshes} {settings.reflections}'
    model = cache.model(key, lambda: compose(ids, settings).compile())
    model.opt.timestep = settings.physics_period
    model.opt.impratio = settings.impratio
    model.opt.noslip_iterations = settings.noslip_iterations
    model.vis.quality.offsamples = settings.multisampling
    return model


def compose(ids: tuple[str, str, str], settings: SimSettings) -> mujoco.MjSpec:
    """Return the scene of the red, green and blue object as a specification, to add to."""
    scene = mujoco.MjSpec()
    scene.modelname = 'chef_cell'
    scene.compiler.degree = False
    scene.compiler.boundmass = 1e-5
    scene.compiler.boundinertia = 1e-11
    scene.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    scene.option.integrator = mujoco.mjtIntegrator.mjINT_EULER
    scene.stat.center = [0.0, 0.0, 0.0]
    scene.visual.map.znear = 0.01
    scene.visual.headlight.ambient = [0.3, 0.3, 0.3]
    scene.visual.headlight.diffuse = [0.6, 0.6, 0.6]
    scene.visual.headlight.specular = [0.0, 0.0, 0.0]
    basket.add_surroundings(scene, settings.reflections)
    basket.add_basket(scene)
    robot.add_robot(scene)
    decimate.lighten(scene, settings.full_meshes)
    objects.add_objects(scene, ids)
    return scene
