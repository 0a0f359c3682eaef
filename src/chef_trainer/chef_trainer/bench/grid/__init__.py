"""What benches share that fill a grid of cells for hours: reading it, filling it, times."""
