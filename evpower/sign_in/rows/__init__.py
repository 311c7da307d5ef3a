"""SQL of sign-in."""
