"""What stations were asked to be and what they reported of it."""
