"""Offline trainer of the CHEF cell: episode files in, policy files out. No ROS."""
