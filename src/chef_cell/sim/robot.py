"""Sawyer arm, FTS-300 wrist sensor and 2F-85 gripper, with the parameters of the benchmark.

Sources: `dm_robotics` 0.10.0, moma/models/{robots/robot_arms/sawyer, end_effectors/wrist_sensors/
robotiq_fts300, end_effectors/robot_hands/robotiq_2f85}.py, composed as in
`rgb_stacking/task.py` (Lee et al., 2021).
"""

import xml.etree.ElementTree as ElementTree
from typing import Any

import mujoco

from chef_cell.core.limits import SAWYER
from chef_cell.sim import wheels

MODELS = 'dm_robotics/moma/models/'
ARM_XML = MODELS + 'vendor/rethink/sawyer_description/mjcf/sawyer.xml'
SENSOR_XML = MODELS + 'end_effectors/wrist_sensors/robotiq_fts300.xml'
GRIPPER_XML = MODELS + 'vendor/robotiq_beta_robots/mujoco/robotiq_2f85_v2.xml'

JOINTS = tuple(f'arm/right_j{index}' for index in range(7))
ARM_ACTUATORS = tuple(f'arm/j{index}' for index in range(7))
TORQUE_SENSORS = tuple(f'arm/j{index}_torque' for index in range(7))
WRIST_SITE = 'arm/wrist_site'
FORCE_SENSOR = 'fts300/ft_sensor_force'
TORQUE_SENSOR = 'fts300/ft_sensor_torque'
TOOL_SITE = 'gripper/pinch_site'
GRIPPER_ACTUATOR = 'gripper/fingers_actuator'
GRIPPER_JOINT = 'gripper/left_driver_joint'
FINGERTIPS = ('gripper/reinforced_right_fingertip_geom', 'gripper/reinforced_left_fingertip_geom')
PREFIXES = ('arm/', 'fts300/', 'gripper/')

EFFORT = (80.0, 80.0, 40.0, 40.0, 9.0, 9.0, 9.0)  # N m
STIFFNESS = 500.0  # N m/rad, of the integrated-velocity actuators of the arm
DAMPING = 50.0  # N m s/rad, of the same
GRIPPER_STIFFNESS = 100.0  # N m/rad
GRIPPER_ANGLE = 0.8  # rad of the driver joint from open to closed
GRIPPER_COUNTS = 255.0  # the same in counts

_FRICTION_LOSS = {'large_joint': '0.3', 'medium_joint': '0.3', 'small_joint': '0.1'}  # N m
_FINGERTIP = {
    'friction': '0.5 0.1 0.01',
    'solimp': '0.9 0.95 0.001 0.01 2',
    'solref': '-30000 -200',
}
_SPHERE, _BOX, _MESH = (
    mujoco.mjtGeom.mjGEOM_SPHERE,
    mujoco.mjtGeom.mjGEOM_BOX,
    mujoco.mjtGeom.mjGEOM_MESH,
)


def add_robot(scene: mujoco.MjSpec, kinematics_only: bool = False) -> None:
    """Attach arm, wrist sensor and gripper to `scene`, the arm's base at its origin.

    Args:
        scene: the editable model to add to.
        kinematics_only: leave out geoms, meshes, sensors, actuators and the fingers.
    """
    parts = (_arm(), _wrist_sensor(), _gripper())
    if kinematics_only:
        for part in parts:
            _strip(part)
    sites = (None, 'arm/flange', 'fts300/ft_sensor_attachment_site')
    for part, prefix, site in zip(parts, PREFIXES, sites, strict=True):
        if site is None:
            scene.attach(part, prefix=prefix, frame=scene.worldbody.add_frame())
        else:
            scene.attach(part, prefix=prefix, site=scene.site(site))


def _arm() -> mujoco.MjSpec:
    root = wheels.read_xml(wheels.locate(wheels.MOMA, ARM_XML))
    default = _required(root, 'default')
    for name, friction_loss in _FRICTION_LOSS.items():
        joint_class = ElementTree.SubElement(default, 'default', {'class': name})
        ElementTree.SubElement(
            joint_class,
            'joint',
            {'frictionloss': friction_loss, 'armature': '1', 'damping': '0.1'},
        )
    spec = wheels.to_spec(root)
    # The real gripper is mounted turned by 90 degrees about the flange.
    spec.body('hand').add_site(name='flange', quat=[0.70711, 0.0, 0.0, 0.70711])
    for index in range(7):
        spec.add_actuator(
            name=f'j{index}',
            target=f'right_j{index}',
            trntype=mujoco.mjtTrn.mjTRN_JOINT,
            dyntype=mujoco.mjtDyn.mjDYN_INTEGRATOR,
            gaintype=mujoco.mjtGain.mjGAIN_FIXED,
            biastype=mujoco.mjtBias.mjBIAS_AFFINE,
            gainprm=_padded(STIFFNESS),
            biasprm=_padded(0.0, -STIFFNESS, -DAMPING),
            ctrllimited=True,
            ctrlrange=[-SAWYER.velocity[index], SAWYER.velocity[index]],
            forcelimited=True,
            forcerange=[-EFFORT[index], EFFORT[index]],
            # dm_robotics clips the integrated position after every physics step; MuJoCo's own
            # limit on the actuator state does the same.
            actlimited=True,
            actrange=[SAWYER.lower[index], SAWYER.upper[index]],
        )
    return spec


def _wrist_sensor() -> mujoco.MjSpec:
    spec = wheels.to_spec(wheels.read_xml(wheels.locate(wheels.MOMA, SENSOR_XML)))
    _add_mass(spec, 'base_mount', type=_SPHERE, pos=[0.0, 0.0, 0.015], size=[0.05, 0.0, 0.0])
    return spec


def _gripper() -> mujoco.MjSpec:
    root = wheels.read_xml(wheels.locate(wheels.MOMA, GRIPPER_XML))
    _required(root, ".//default[@class='reinforced_fingertip']/geom").attrib.update(_FINGERTIP)
    _required(root, ".//default[@class='spring_link']/joint").set('stiffness', '0.01')
    _required(root, ".//default[@class='driver']/joint").attrib.update(armature='0.1', damping='1')
    for side in ('left', 'right'):
        pad = _required(root, f".//body[@name='{side}_pad']")
        _required(pad, 'geom').set('rgba', '1 1 1 1')
        for number, height in ((1, 0.03), (2, 0.015)):  # two boxes steady the mesh contact
            attributes = {
                'name': f'{side}_collision_box{number}',
                'class': 'reinforced_fingertip',
                'type': 'box',
                'size': '0.007 0.0021575 0.005',
                'pos': f'0 0.0117 {height}',
                'rgba': '0 0 0 0',
            }
            ElementTree.SubElement(pad, 'geom', attributes)
    spec = wheels.to_spec(root)
    for side in ('left', 'right'):
        _add_mass(
            spec, f'{side}_pad', type=_BOX, pos=[0.0, 0.004, 0.019], size=[0.012, 0.01, 0.019]
        )
    fingers = spec.actuator('fingers_actuator')
    fingers.dyntype = mujoco.mjtDyn.mjDYN_INTEGRATOR
    fingers.gainprm = _padded(GRIPPER_STIFFNESS * GRIPPER_ANGLE / GRIPPER_COUNTS)
    fingers.biasprm = _padded(0.0, -GRIPPER_STIFFNESS)
    fingers.ctrlrange = [-GRIPPER_COUNTS, GRIPPER_COUNTS]
    fingers.actlimited = True
    fingers.actrange = [0.0, GRIPPER_COUNTS]
    return spec


def _add_mass(spec: mujoco.MjSpec, body: str, **geom: Any) -> None:
    """Add a geom that never collides, to a body that takes its inertia from its geoms.

    dm_robotics puts such geoms there for its collision avoidance; their mass is part of the
    benchmark's physics.
    """
    spec.body(body).add_geom(name=f'{body}_avoidance', contype=0, conaffinity=0, group=5, **geom)


def _strip(spec: mujoco.MjSpec) -> None:
    """Leave bodies, joints and sites."""
    for name in ('right_driver', 'right_spring_link', 'left_driver', 'left_spring_link'):
        if spec.body(name) is not None:
            spec.delete(spec.body(name))
    kinds = (spec.geoms, spec.meshes, spec.sensors, spec.actuators, spec.excludes, spec.equalities)
    for elements in (*kinds, spec.tendons, spec.materials, spec.cameras):
        for element in elements:
            spec.delete(element)


def _required(root: ElementTree.Element, path: str) -> ElementTree.Element:
    found = root.find(path)
    if found is None:
        raise wheels.ModelFilesError(f'model file has no {path}')
    return found


def _padded(*values: float) -> list[float]:
    return [*values, *[0.0] * (10 - len(values))]
