"""The policy of a station that charges strangers' cards for free."""

from __future__ import annotations

from evpower.tags.rows.free_vend import gives_away, set_free_vend

__all__ = ["gives_away", "set_free_vend"]
