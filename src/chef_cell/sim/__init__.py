"""The simulated cell: MuJoCo behind the ports of `chef_cell.core`."""
