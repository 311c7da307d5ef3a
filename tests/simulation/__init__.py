"""The whole application under a simulated world: one seed is one history, and the same seed is the same history."""
