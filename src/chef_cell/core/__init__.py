"""Pure logic of the cell: numpy only; time is an argument; no ROS, clock, files or print."""
