"""Several processes on one database: who holds which charger, and commands between them.

Decides which process may speak for a charger. The commands themselves belong to the other rooms.
"""
