"""Which method makes the most of a sub-optimal teacher's episodes? A table, measured here."""
