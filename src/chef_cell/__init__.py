"""CHEF cell: a ROS 2 robot cell that learns."""
