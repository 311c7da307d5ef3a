"""SQL of power groups, their members, and grants."""
