"""A Robotiq FT 300 force-torque sensor behind the port of a cell."""
