"""SQL of places."""
