"""Policies in a simulated cell: who acts, one episode, many episodes, and what they amount to."""
