"""Keys as stored."""
