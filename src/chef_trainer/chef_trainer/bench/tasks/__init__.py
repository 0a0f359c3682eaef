"""The methods on tasks that others wrote: Meta-World, PointMaze, the DeepMind Control Suite."""
