"""Health of connectors."""
