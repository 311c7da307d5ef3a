"""EvPower: one process that runs a network of EV chargers."""
