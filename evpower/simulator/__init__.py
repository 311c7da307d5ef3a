"""Simulated chargers that speak the real wire format: for the demo, `evpower simulate`, tests and benchmarks."""
