"""SQL of reservations."""
