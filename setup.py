"""Package chef_cell, for pip, colcon and `ros2 run`."""

from glob import glob

from setuptools import find_packages, setup

NAME = 'chef_cell'
NODES = (
    'camera_driver_node',
    'camera_node',
    'controller_node',
    'ft300_driver_node',
    'intera_driver_node',
    'intera_server_node',
    'mujoco_bridge_node',
    'policy_node',
    'position_kinematics_node',
    'recorder_node',
    'reset_node',
    'robotiq_driver_node',
    'safety_node',
    'session_node',
    'teleop_node',
    'tracker_node',
    'viewer_node',
    'wrist_node',
)
EXECUTABLES = f'lib/{NAME}'


def shared(*patterns: str) -> list[tuple[str, list[str]]]:
    """Return data files that keep their folder below share/chef_cell."""
    files: dict[str, list[str]] = {}
    for path in sorted(path for pattern in patterns for path in glob(pattern)):
        folder = path.rpartition('/')[0]
        files.setdefault(f'share/{NAME}/{folder}'.rstrip('/'), []).append(path)
    return list(files.items())


setup(
    name=NAME,
    version='0.1.0',
    description='A ROS 2 robot cell that stacks objects and learns from every episode.',
    author='CHEF cell maintainers',
    author_email='maintainers@chef-cell.dev',
    license='Apache-2.0',
    python_requires='>=3.11',
    package_dir={'': 'src'},
    packages=find_packages('src', include=[f'{NAME}*']),
    package_data={'': ['*.html', '*.css', '*.j2', '*.xml', '*.json']},
    data_files=[
        ('share/ament_index/resource_index/packages', [f'src/{NAME}/resource/{NAME}']),
        *shared(
            'package.xml',
            'launch/*.launch.py',
            'config/*.*',
            'config/sessions/*',
            'config/sros2/*',
        ),
        *shared('models/*.*', 'models/*/*.*'),
    ],
    # rosdep installs the rest where there is a ROS distribution, `make` where there is none.
    install_requires=['setuptools'],
    extras_require={
        'sim': ['gymnasium', 'mujoco>=4.0', 'pyopengl'],
        # Without this line `colcon test` finds no tests and reports success.
        'test': ['hypothesis', 'pytest', 'pytest-timeout'],
    },
    entry_points={
        'console_scripts': [
            'chef = chef_cell.cli.main:main',
            *(f'{node} = {NAME}.nodes.{node.removesuffix("_node")}:main' for node in NODES),
        ],
    },
    # `ros2 run` looks for executables here.
    options={
        'develop': {'script_dir': f'$base/{EXECUTABLES}'},
        'install': {'install_scripts': f'$base/{EXECUTABLES}'},
    },
    zip_safe=False,
)
