"""Hardware and accelerators behind the cell's ports: no ROS, no training framework."""
