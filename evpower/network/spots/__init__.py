"""May a charge begin at a connector, or may it be kept for one: the checks, and their refusals."""
