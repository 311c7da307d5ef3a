"""What a station that connects is taken up for: starts to ask again, stops to repeat; and which doubts it casts."""

from __future__ import annotations

from evpower.charging.rows.due_sessions import TakenUp, to_take_up
from evpower.charging.rows.twins import mark_twin

__all__ = ["TakenUp", "mark_twin", "to_take_up"]
