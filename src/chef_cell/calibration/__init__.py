"""Where cameras are and how they see: from pictures of a board to a calibration file."""
