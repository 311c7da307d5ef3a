"""Attention: what of the network needs a person, and the network at a glance.

Decides which conditions are raised, how they fold and in which order they are shown; what is done about them is other
rooms'. Everything is read from rows, so that every process shows the same.
"""
