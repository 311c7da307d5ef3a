"""EvPower: one process that runs a network of EV stations."""

__version__ = "1.0.0"
