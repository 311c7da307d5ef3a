"""May a charge begin at a connector, or may it be kept for one: the checks, their refusals, and which EVSE it is of."""
