"""A Robotiq 2F-85 gripper behind the port of a cell."""
