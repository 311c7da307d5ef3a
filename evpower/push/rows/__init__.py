"""SQL of messages to phones."""
