"""The basket, its cameras, floor and light, as in the benchmark.

Sources: `dm_robotics` 0.10.0, manipulation/standard_cell/rgb_basket.py and
moma/models/arenas/empty.py; `rgb_stacking/task.py`.
"""

import xml.etree.ElementTree as ElementTree

import mujoco

from chef_cell.sim import wheels

BASKET_XML = 'dm_robotics/manipulation/standard_cell/rgb_basket_assets/rgb_basket.xml'
POSITION = (0.6, 0.0, 0.0498)  # m, of the centre of the basket's floor in the arm's base frame
FLOOR = POSITION[2]  # m
CAMERAS = ('basket_front_left', 'basket_front_right', 'basket_back_left')
VIDEO_CAMERA = 'main_camera'

# In the frame of the basket's reference body, which is the arm's base raised by the floor.
_CAMERA_POSES = {
    'basket_front_left': ((0.970, -0.375, 0.235), (0.7815, 0.4900, 0.2050, 0.3272), 35.0),
    'basket_front_right': ((0.970, 0.375, 0.235), (0.3272, 0.2050, 0.4900, 0.7815), 35.0),
    'basket_back_left': ((0.060, -0.260, 0.390), (0.754, 0.373, -0.250, -0.480), 30.0),
}
_SLOPE, _COUNTER_SLOPE = 0.44506, 2.69653  # rad: 25.5 and 154.5 degrees
# name: position, half size, axis and angle of the box
_SURFACES = {
    'floor': ((0.0, 0.0, -0.02), (0.25, 0.25, 0.02), (0.0, 0.0, 1.0, 0.0)),
    'slope_right': ((-0.28, 0.0, 0.07), (0.2, 0.4, 0.005), (0.0, 1.0, 0.0, _SLOPE)),
    'slope_left': ((0.28, 0.0, 0.07), (0.2, 0.4, 0.005), (0.0, 1.0, 0.0, _COUNTER_SLOPE)),
    'slope_front': ((0.0, -0.28, 0.07), (0.4, 0.2, 0.005), (1.0, 0.0, 0.0, _COUNTER_SLOPE)),
    'slope_back': ((0.0, 0.28, 0.07), (0.4, 0.2, 0.005), (1.0, 0.0, 0.0, _SLOPE)),
}


def add_basket(scene: mujoco.MjSpec) -> None:
    """Attach the basket with its collision surfaces and three cameras to `scene`."""
    root = wheels.read_xml(wheels.locate(wheels.MANIPULATION, BASKET_XML))
    for asset in root.findall('asset'):
        for texture in asset.findall('texture'):  # the scene has its own sky
            asset.remove(texture)
    default = ElementTree.SubElement(root, 'default')
    ElementTree.SubElement(default, 'geom', {'contype': '0', 'conaffinity': '0'})
    basket = wheels.to_spec(root)
    reference = basket.body('rgb_basket').add_body(
        name='camera_reference', pos=[0.0, 0.6, 0.0], quat=[0.707, 0.0, 0.0, -0.707]
    )
    for name, (position, quaternion, fovy) in _CAMERA_POSES.items():
        reference.add_camera(name=name, pos=position, quat=quaternion, fovy=fovy)
    surfaces = basket.worldbody.add_body(name='surfaces', quat=[0.707, 0.0, 0.0, 0.707])
    for name, (position, size, axis_angle) in _SURFACES.items():
        surfaces.add_geom(
            name=name,
            type=mujoco.mjtGeom.mjGEOM_BOX,
            pos=position,
            size=size,
            axisangle=axis_angle,
            contype=1,
            conaffinity=1,
            group=5,
        )
    scene.attach(basket, prefix='basket/', frame=scene.worldbody.add_frame(pos=POSITION))


def add_surroundings(scene: mujoco.MjSpec, reflections: bool) -> None:
    """Add floor, sky, light and the video camera to `scene`."""
    scene.add_texture(
        name='sky',
        type=mujoco.mjtTexture.mjTEXTURE_SKYBOX,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_GRADIENT,
        rgb1=[0.4, 0.6, 0.8],
        rgb2=[0.0, 0.0, 0.0],
        width=100,
        height=100,
    )
    _add_ground(scene, reflections)
    scene.worldbody.add_light(
        pos=[0.0, 0.0, 1.5],
        dir=[0.0, 0.0, -1.0],
        diffuse=[0.7, 0.7, 0.7],
        specular=[0.3, 0.3, 0.3],
        type=mujoco.mjtLightType.mjLIGHT_SPOT,
        castshadow=True,
    )
    scene.worldbody.add_camera(
        name=VIDEO_CAMERA, pos=[1.4, 0.0, 0.45], quat=[0.541, 0.455, 0.456, 0.541], fovy=45.0
    )


def _add_ground(scene: mujoco.MjSpec, reflections: bool) -> None:
    scene.add_texture(
        name='ground',
        type=mujoco.mjtTexture.mjTEXTURE_2D,
        builtin=mujoco.mjtBuiltin.mjBUILTIN_CHECKER,
        rgb1=[0.2, 0.3, 0.4],
        rgb2=[0.1, 0.2, 0.3],
        width=300,
        height=300,
        mark=mujoco.mjtMark.mjMARK_EDGE,
        markrgb=[0.8, 0.8, 0.8],
    )
    ground = scene.add_material(
        name='ground', texrepeat=[5, 5], texuniform=True, reflectance=0.2 if reflections else 0.0
    )
    ground.textures[mujoco.mjtTextureRole.mjTEXROLE_RGB] = 'ground'
    scene.worldbody.add_geom(
        name='ground',
        type=mujoco.mjtGeom.mjGEOM_PLANE,
        size=[2.0, 2.0, 2.0],
        material='ground',
        friction=[0.4, 0.005, 0.0001],
    )
