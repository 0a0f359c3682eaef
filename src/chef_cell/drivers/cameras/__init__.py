"""Cameras of a real cell: Basler through pylon, and whatever OpenCV opens."""
