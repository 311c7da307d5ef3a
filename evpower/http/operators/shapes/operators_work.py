"""What a station gave away, as operators read it."""

from __future__ import annotations

from evpower.charging.free_vend import FreeCharge, StationGifts
from evpower.http.wire.values import Body


def gifts_body(gifts: StationGifts) -> Body:
    """What one station gave away, energy in Wh."""
    return {
        "station_id": gifts.station_id,
        "free_vend": gifts.total.enabled,
        "charges": gifts.total.charges,
        "energy_wh": gifts.total.energy_wh,
        "newest": [_charge(each) for each in gifts.newest],
    }


def _charge(charge: FreeCharge) -> Body:
    return {
        "transaction_id": charge.transaction_id,
        "connector_id": charge.connector_id,
        "id_tag": charge.id_tag,
        "status": charge.status,
        "started_at": charge.started_at,
        "stopped_at": charge.stopped_at,
        "stop_reason": charge.stop_reason,
        "energy_wh": charge.energy_wh,
    }
