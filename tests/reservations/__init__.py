"""Connectors kept for a client."""
