"""Ways to stations."""
