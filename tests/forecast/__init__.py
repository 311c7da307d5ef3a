"""What was observed of connectors, and what is forecast of it."""
