"""Messages to phones: where they go, which a person wants, and how an event becomes one.

The event's unit of work writes a row; delivery is a worker's, and fails nothing (roadmap/history-favorites-push §3).
"""
