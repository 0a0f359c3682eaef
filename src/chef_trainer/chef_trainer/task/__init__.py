"""The stacking task as cell and trainer both see it: readings, observations, actions, rewards."""
