"""Losses as pure functions of tensors: no state, no randomness, no files."""
