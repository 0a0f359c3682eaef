"""Episodes for other frameworks, and theirs for us: LeRobot and Minari data sets."""
