"""The journal of what stations report, and the reports it takes."""

from __future__ import annotations

from evpower.charging.rows.journal import BootRow, Journal, LeftRow, MeterRow, PresenceRow, StatusRow

__all__ = ["BootRow", "Journal", "LeftRow", "MeterRow", "PresenceRow", "StatusRow"]
