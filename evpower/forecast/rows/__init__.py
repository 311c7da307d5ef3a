"""SQL of what was observed and of what is forecast."""
