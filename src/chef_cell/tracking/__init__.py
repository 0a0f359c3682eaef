"""Where the objects are, from the calibrated cameras: for rewards and reset, never a policy."""
