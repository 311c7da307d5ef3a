"""The peer of the real wire formats: simulated stations, their people, and both payment providers (`providers/`).

For the demo, `evpower simulate`, `evpower sandbox`, tests and benchmarks. Shares no code with the server, so that a
mistake of one is found by the other.
"""
