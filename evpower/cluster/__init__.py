"""Several processes on one database: who holds which charger, and commands between them.

Decides which process may speak for a charger. What is said is the rooms'.
"""
