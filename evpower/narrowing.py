"""Which rows of a list an operator wants, and may see: the same question at every list, decided in SQL."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from evpower.identifiers import ClientId, StationId

#: More rows are unreadable on a terminal.
ROWS_MAX = 500


@dataclass(frozen=True)
class Narrowing:
    """None asks nothing; `of_stations` are those that may be seen, None: all. `limit` counts what is left of it all."""

    station_id: StationId | None = None
    client_id: ClientId | None = None
    since: datetime | None = None
    phase: str | None = None
    limit: int = ROWS_MAX
    of_stations: Collection[StationId] | None = None

    @property
    def parameters(self) -> dict[str, object]:
        """By the names that the fields have."""
        return {**vars(self), "of_stations": None if self.of_stations is None else list(self.of_stations)}


#: The newest rows there are.
ALL_OF_IT = Narrowing()
