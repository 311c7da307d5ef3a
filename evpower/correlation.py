"""What a line of the log belongs to: the request, or the message of a station, that the present task works for.

Tasks that are started for it inherit it; a worker's own rounds have none.
"""

from __future__ import annotations

from contextvars import ContextVar

#: Given by a phone in its header, else made by us; of a station, the unique id of its message.
correlation_id: ContextVar[str | None] = ContextVar("correlation_id", default=None)
