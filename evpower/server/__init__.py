"""The whole put together, watched and run: the graph of services, the nursery tree, the doors, metrics and the demo.

Decides what is built from which settings and in which order it starts and ends. Holds no rule of a charge or of money.
"""
