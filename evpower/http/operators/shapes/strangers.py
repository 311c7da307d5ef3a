"""Stations nobody has configured yet, as operators read them."""

from __future__ import annotations

from evpower.administration.provisioning import Accepted, SeenStranger
from evpower.http.wire.values import Body


def stranger_body(stranger: SeenStranger) -> Body:
    """One that came: what it reported of itself, and what was decided."""
    record = stranger.record
    return {
        "identity": record.identity,
        "status": record.status,
        "vendor": record.vendor,
        "model": record.model,
        "firmware_version": record.firmware_version,
        "serial_number": record.serial_number,
        "address": record.address,
        "boots": record.boots,
        "first_seen_at": record.first_seen_at,
        "last_seen_at": record.last_seen_at,
        "decided_at": record.decided_at,
        "decided_by": record.decided_by,
        "connected": stranger.connected,
    }


def accepted_body(accepted: Accepted) -> Body:
    """One that is a station now."""
    return {
        "station_id": accepted.station_id,
        "location_id": accepted.location_id,
        "connected": accepted.connected,
        "created": accepted.created,
        "warnings": accepted.warnings,
    }
