"""What a station was asked and what it answered, for the list operators see."""

from __future__ import annotations

from evpower.stations.rows.station_facts import (
    AvailabilityFact,
    LocalListFact,
    ProfileFact,
    ReservationFact,
    StationFacts,
    TransferFact,
    TransferStep,
    read_facts,
)

__all__ = [
    "AvailabilityFact",
    "LocalListFact",
    "ProfileFact",
    "ReservationFact",
    "StationFacts",
    "TransferFact",
    "TransferStep",
    "read_facts",
]
