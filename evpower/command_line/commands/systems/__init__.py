"""Commands about what other systems of the operator get."""
