"""The settings of sites with a limit, and of connectors that are kept."""

from __future__ import annotations

from dataclasses import dataclass

from evpower.settings.values import Flag, setting


@dataclass(frozen=True)
class PowerSettings:
    """Smart charging (roadmap/smart-charging)."""

    enabled: bool = setting(True, Flag())


@dataclass(frozen=True)
class ReservationSettings:
    """Connectors kept for a client (roadmap/reservations)."""

    enabled: bool = setting(True, Flag())
