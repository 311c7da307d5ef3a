"""Doors by which operators set up what other systems of theirs get."""
