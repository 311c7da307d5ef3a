"""Charges at the administrators' door: lists, one, a stop, and the figures of the network."""
