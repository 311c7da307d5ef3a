"""Connectors that are kept for a client: what that costs, how it ends, and what stations know of it."""
