"""What a station that connects is taken up for: starts to ask again, stops to repeat."""

from __future__ import annotations

from evpower.charging.rows.due_sessions import TakenUp, to_take_up

__all__ = ["TakenUp", "to_take_up"]
