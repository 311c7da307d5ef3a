"""Locations that a client keeps at hand, and for which of them it waits until a connector is free.

Decides what is a favorite and when a watch ends. What is free is decided in `network`.
"""
