"""Availability of stations."""
