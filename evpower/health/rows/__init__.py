"""Health as stored, and the rows it is computed from."""
