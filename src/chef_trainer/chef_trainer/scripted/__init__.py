"""Policies written by hand, as networks without weights: teachers of known faults."""
