"""DAgger: one student learns from the teachers' answers to its own states."""
