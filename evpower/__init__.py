"""EvPower: one process that runs a network of EV chargers."""

__version__ = "1.0.0"
