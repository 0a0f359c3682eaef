"""What holds for every test: ROS stays on this machine and uses the cell's DDS profile."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Before any test imports rclpy, and for every node that a test starts.
for name in ('FASTDDS_DEFAULT_PROFILES_FILE', 'FASTRTPS_DEFAULT_PROFILES_FILE'):
    os.environ[name] = str(ROOT / 'config' / 'fastdds.xml')
os.environ['ROS_AUTOMATIC_DISCOVERY_RANGE'] = 'LOCALHOST'
