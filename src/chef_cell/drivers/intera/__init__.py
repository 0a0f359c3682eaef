"""A Sawyer behind the ports of a cell, spoken to over its own ROS 1 interface."""
