"""Attempts as stored."""
