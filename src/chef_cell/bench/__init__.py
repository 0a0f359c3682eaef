"""Measurements of the simulated cell."""
