"""A stop of OCPP 1.6 that was parked, read again for the person who knows where it belongs (duty 23)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from evpower.charging.transaction import ParkedStop
from evpower.metering.meter_value import MAX_ENERGY_WH

REASON_CHARS_MAX = 50


def read_stop(action: str, payload: str) -> ParkedStop | None:
    """Register, time and reason; None for another message."""
    if action != "StopTransaction":
        return None
    stop = json.loads(payload)
    if not isinstance(stop, dict):
        return ParkedStop(None, None, "Local")
    meter_wh = stop.get("meterStop")
    believed = isinstance(meter_wh, int) and 0 <= meter_wh <= MAX_ENERGY_WH
    reason = str(stop.get("reason") or "Local")[:REASON_CHARS_MAX]
    return ParkedStop(meter_wh if believed else None, _moment(stop.get("timestamp")), reason)


def _moment(text: Any) -> datetime | None:
    """One without a zone is UTC."""
    try:
        moment = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
