"""What case files read of all rooms' tables."""
