"""What learns: data in, updates, checkpoints out."""
