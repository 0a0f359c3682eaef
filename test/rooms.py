"""The rooms: who may import whom. `test_rooms.py` holds everybody to it."""

#: Parts of the standard library that give core a clock, files, threads or processes.
OUTSIDE_WORLD = {
    'asyncio', 'datetime', 'glob', 'io', 'logging', 'multiprocessing', 'os', 'pathlib',
    'random', 'shutil', 'signal', 'socket', 'subprocess', 'tempfile', 'threading', 'time',
}  # fmt: skip
ROS = {
    'ament_index_python', 'builtin_interfaces', 'chef_interfaces', 'diagnostic_msgs',
    'geometry_msgs', 'intera_core_msgs', 'lifecycle_msgs', 'rcl_interfaces', 'rclpy',
    'rosgraph_msgs', 'rosidl_runtime_py', 'sensor_msgs', 'std_msgs', 'std_srvs',
}  # fmt: skip
REPORT = {'av', 'jinja2', 'matplotlib', 'PIL', 'rich'}

#: room -> what it may import beside the standard library and itself. The longest room wins.
MAY_IMPORT = {
    'chef_cell': set(),
    'chef_cell.core': {'numpy', 'chef_trainer.spec', 'chef_trainer.task'},
    'chef_cell.drivers': {'numpy', 'chef_cell.core', 'chef_trainer.spec'},
    'chef_cell.drivers.onnx_runner': {
        'numpy', 'onnxruntime', 'chef_cell.core',
        'chef_trainer.policy_file', 'chef_trainer.spec',
    },
    # Each is imported only when its device is asked for.
    'chef_cell.drivers.gamepad': {'evdev', 'chef_cell.core'},
    'chef_cell.drivers.spacemouse': {'hid', 'chef_cell.core'},
    'chef_cell.drivers.cameras': {'numpy', 'cv2', 'pypylon', 'chef_cell.core'},
    **{
        f'chef_cell.drivers.{device}': {
            'numpy', 'pymodbus', 'serial', 'chef_cell.core', 'chef_cell.drivers.serial_link',
        }
        for device in ('ft300', 'robotiq')
    },
    'chef_cell.drivers.ros1': set(),
    'chef_cell.drivers.intera': {'numpy', 'chef_cell.core', 'chef_cell.drivers.ros1'},
    'chef_cell.sim': {
        'numpy', 'mujoco', 'OpenGL', 'gymnasium', 'dm_robotics',
        'chef_cell.core', 'chef_trainer.spec',
    },
    'chef_cell.nodes': {
        'numpy', 'PIL', 'yaml', 'chef_cell.calibration.file', 'chef_cell.core',
        'chef_cell.drivers', 'chef_cell.session_folder', 'chef_cell.sim', 'chef_cell.tracking',
        'chef_trainer.spec', *ROS,
    },
    **{
        f'chef_cell.nodes.{module}': {
            'numpy', 'chef_cell.core', 'chef_cell.nodes', 'chef_trainer.episodes', *ROS,
        }
        for module in ('recorder', 'recorder_services', 'recording', 'recordings', 'topic_watch')
    },
    'chef_cell.nodes.image_treatment': {
        'numpy', 'PIL', 'chef_cell.core', 'chef_cell.nodes', 'chef_trainer.episodes', *ROS,
    },
    'chef_cell.nodes.definitions': {'chef_trainer.episodes', *ROS},
    'chef_cell.intera_interface': {
        'chef_cell.drivers.intera.interface', 'chef_cell.nodes.wire', *ROS,
    },
    'chef_cell.calibration': {'numpy', 'cv2', 'yaml', 'chef_cell.core', *REPORT},
    'chef_cell.tracking': {'numpy', 'cv2', 'chef_cell.core'},
    'chef_cell.graph': {'yaml', 'chef_cell.core'},
    'chef_cell.session_folder': set(),
    'chef_cell.report': {
        'numpy', 'chef_cell.core', 'chef_cell.sim.kinematics', 'chef_trainer.episodes', *REPORT,
    },
    'chef_cell.bench': {
        'numpy', 'cv2', 'matplotlib', 'mujoco', 'gymnasium', 'rich', 'chef_cell.calibration',
        'chef_cell.core', 'chef_cell.drivers', 'chef_cell.sim', 'chef_cell.tracking',
        'chef_trainer.spec',
    },
    **{
        f'chef_cell.bench.{module}': {
            'numpy', 'matplotlib', 'rich', 'chef_cell.bench', 'chef_cell.cli', 'chef_cell.core',
            'chef_cell.graph', 'chef_cell.nodes', 'chef_trainer.episodes', *ROS,
        }
        for module in ('live', 'reaction', 'soak')
    },
    'chef_cell.bench.intera': {
        'numpy', 'rich', 'chef_cell.cli', 'chef_cell.core', 'chef_cell.drivers',
        'chef_cell.nodes', *ROS,
    },
    'chef_cell.bench.recording': {
        'numpy', 'rich', 'chef_cell.cli', 'chef_cell.core', 'chef_cell.nodes',
        'chef_trainer.episodes', *ROS,
    },
    'chef_cell.doctor': {
        'numpy', 'yaml', 'OpenGL', 'chef_cell.core', 'chef_cell.drivers', 'chef_cell.graph',
        'chef_cell.nodes.bystander', 'chef_cell.nodes.ros', 'chef_cell.sim', *ROS,
    },
    'chef_cell.cli': {
        'numpy', 'yaml', 'rich', 'chef_cell.calibration', 'chef_cell.core', 'chef_cell.doctor',
        'chef_cell.graph', 'chef_cell.nodes.bystander', 'chef_cell.nodes.messages',
        'chef_cell.nodes.ros', 'chef_cell.nodes.transport', 'chef_cell.report',
        'chef_cell.session_folder',
        'chef_trainer.spec', 'chef_trainer.policy_file', 'chef_trainer.task', *ROS,
    },
    **{
        f'chef_cell.cli.{module}': {
            'numpy', 'rich', 'yaml', 'chef_cell.cli', 'chef_cell.core', 'chef_cell.graph',
            'chef_cell.intera_interface', 'chef_cell.nodes', 'chef_cell.sim.kinematics', *ROS,
        }
        for module in ('calibrate_wrist', 'wrist_samples')
    },
    'chef_cell.testing': {
        'numpy', 'cv2', 'pymodbus', 'pytest', 'onnx', 'domain_coordinator', 'chef_cell',
        'chef_trainer', *ROS,
    },
    'chef_trainer': {
        'numpy', 'scipy', 'torch', 'safetensors', 'onnx', 'onnxruntime', 'mcap', 'yaml',
        'rich', 'gymnasium',
    },
    # Pure functions of tensors; state lives in the learner.
    'chef_trainer.losses': {'torch', 'chef_trainer.networks.distributions'},
    'chef_trainer.methods': {'numpy'},
    'chef_trainer.networks': {'numpy', 'torch', 'chef_trainer.methods', 'chef_trainer.spec'},
    'chef_trainer.scripted': {
        'torch', 'chef_trainer.networks', 'chef_trainer.spec', 'chef_trainer.task',
    },
    'chef_trainer.evaluation.plot': {
        'matplotlib', 'chef_trainer.evaluation', 'chef_trainer.policy_file',
    },
    'chef_trainer.learner.plots': {'matplotlib', 'tensorboardX', 'chef_trainer.policy_file'},
    'chef_trainer.data': {
        'numpy', 'rich', 'chef_trainer.episodes', 'chef_trainer.exchange', 'chef_trainer.spec',
        'chef_trainer.interrupt', 'chef_trainer.remote', 'chef_trainer.task', 'chef_trainer.view',
    },
    'chef_trainer.remote': {'fsspec', 'chef_trainer.episodes', 'chef_trainer.exchange'},
    'chef_trainer.view': {
        'numpy', 'cycler', 'jinja2', 'matplotlib', 'PIL', 'rerun', 'chef_trainer.episodes',
        'chef_trainer.exchange', 'chef_trainer.spec', 'chef_trainer.task',
    },
    'chef_trainer.exchange': {
        'numpy', 'av', 'gymnasium', 'minari', 'PIL', 'pyarrow', 'rosbags', 'chef_trainer.episodes',
        'chef_trainer.spec', 'chef_trainer.task',
    },
    # The peers that the loader is measured beside are imported where they are installed.
    'chef_trainer.bench': {
        'numpy', 'PIL', 'rich', 'torch', 'h5py', 'lerobot', 'tensordict', 'torchrl',
        'chef_trainer.episodes', 'chef_trainer.replay', 'chef_trainer.task',
    },
    **{
        f'chef_trainer.bench.{module}': {
            'numpy', 'gymnasium', 'rich', 'torch', 'd3rlpy', 'stable_baselines3', 'tensordict',
            'torchrl', 'chef_trainer.bench', 'chef_trainer.learner', 'chef_trainer.methods',
            'chef_trainer.rollouts', 'chef_trainer.spec',
        }
        for module in ('learning', 'learning_peers', 'learning_torchrl')
    },
    **{
        f'chef_trainer.bench.{module}': {
            'numpy', 'onnxruntime', 'rich', 'torch', 'chef_trainer.export', 'chef_trainer.learner',
            'chef_trainer.methods', 'chef_trainer.networks', 'chef_trainer.policy_file',
            'chef_trainer.spec', 'chef_trainer.task',
        }
        for module in ('latency', 'pixels')
    },
    **{
        f'chef_trainer.bench.{package}': {
            'chef_trainer.learner', 'chef_trainer.policy_file', 'dm_control', 'chef_trainer.spec',
            'chef_trainer.rollouts', 'chef_trainer.progress', 'yaml', 'scipy', 'gymnasium',
            'chef_trainer.task', 'chef_trainer.run_directory', 'chef_trainer.methods', 'metaworld',
            'chef_trainer.networks.deployed', *REPORT, 'chef_trainer.errors', 'gymnasium_robotics',
            'chef_trainer.evaluation', 'chef_trainer.bench.grid', 'numpy', 'chef_trainer.export',
            'chef_trainer.scripted', 'chef_trainer.interrupt',
        }
        for package in ('grid', 'results', 'tasks')
    },
    'chef_trainer.replay': {
        'numpy', 'PIL', 'chef_trainer.episodes', 'chef_trainer.spec', 'chef_trainer.task',
    },
    # The doors that the cell uses stay light.
    'chef_trainer.spec': {'numpy'},
    'chef_trainer.task': {'numpy', 'chef_trainer.spec'},
    'chef_trainer.policy_file': {'numpy', 'onnxruntime', 'chef_trainer.spec'},
    'chef_trainer.episodes': {'numpy', 'mcap', 'chef_trainer.spec', 'chef_trainer.task'},
}  # fmt: skip

#: Nodes talk by message and never import each other. The rest of their room is for sharing.
NODES = {
    'camera', 'camera_driver', 'controller', 'intera_driver', 'intera_server', 'mujoco_bridge',
    'ft300_driver', 'policy', 'robotiq_driver', 'position_kinematics', 'recorder', 'reset',
    'safety', 'session', 'teleop', 'tracker', 'viewer', 'wrist',
}  # fmt: skip
