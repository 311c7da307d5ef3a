"""Stations nobody has configured yet, as operators read them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Literal, TypedDict

from evpower.administration.provisioning import Accepted, SeenStranger


class StrangerBody(TypedDict):
    """One that came: what it reported of itself, and what was decided."""

    identity: str
    status: Literal["pending", "rejected"]
    vendor: str
    model: str
    firmware_version: str | None
    serial_number: str | None
    address: str
    boots: int
    first_seen_at: datetime
    last_seen_at: datetime
    decided_at: datetime | None
    decided_by: str | None
    connected: bool


def stranger_body(stranger: SeenStranger) -> StrangerBody:
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


class AcceptedBody(TypedDict):
    """One that is a station now."""

    station_id: str
    location_id: str
    connected: bool
    created: Mapping[str, int]
    warnings: tuple[str, ...]


def accepted_body(accepted: Accepted) -> AcceptedBody:
    """One that is a station now."""
    return {
        "station_id": accepted.station_id,
        "location_id": accepted.location_id,
        "connected": accepted.connected,
        "created": accepted.created,
        "warnings": accepted.warnings,
    }
