"""Commands about sites, reservations and other systems of the operator, and about what was done and seen."""
