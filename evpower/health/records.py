"""How a connector is, as it is kept and shown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from evpower.identifiers import StationId

#: Starts fail here, or nobody begins here any more.
ConnectorDoubt = Literal["starts_fail", "passed_over"]


@dataclass(frozen=True)
class ConnectorHealth:
    """One connector: of the last `tried` starts that say something `worked` did; `chance` is that the next one does."""

    station_id: StationId
    connector_number: int
    tried: int
    worked: int
    chance: float
    doubt: ConnectorDoubt | None
    doubted_since: datetime | None
