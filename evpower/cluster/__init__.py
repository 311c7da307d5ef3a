"""Several processes on one database: who holds which station, and commands between them.

Decides which process may speak for a station. The commands themselves belong to the other rooms.
"""
