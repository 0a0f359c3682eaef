"""Episodes of a simulated environment as files, and data sets of them in memory."""
