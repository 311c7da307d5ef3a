"""Whose a station's socket is, for statements that must write it in the same unit of work."""

from __future__ import annotations

from evpower.cluster.rows.processes import ME, SocketEnd, leave_stations, take_stations

__all__ = ["ME", "SocketEnd", "leave_stations", "take_stations"]
