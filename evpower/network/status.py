"""A station and its connectors: statuses, and what the public reads from them (contract/ocpp-behaviour §4, §6)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from evpower.identifiers import ConnectorId

StoredStatus = Literal["available", "occupied", "faulted", "unavailable"]
AdminStatus = Literal["active", "inactive", "maintenance"]
PublicStatus = Literal["available", "occupied", "offline", "maintenance"]
LocationStatus = Literal["available", "occupied", "offline", "maintenance", "partial"]

#: OCPP connector status → the coarse status the database's readers compare with. Anything else is `unavailable`.
STORED_STATUS: dict[str, StoredStatus] = {
    "Available": "available",
    "Preparing": "occupied",
    "Charging": "occupied",
    "SuspendedEVSE": "occupied",
    "SuspendedEV": "occupied",
    "Finishing": "occupied",
    "Reserved": "occupied",
    "Unavailable": "unavailable",
    "Faulted": "faulted",
}
#: Kept for somebody, by the station's word or by ours.
RESERVED = "Reserved"
#: A charge may begin only from these statuses; a plugged cable (Preparing) is the normal case.
STARTABLE = frozenset({"Available", "Preparing"})


@dataclass(frozen=True)
class StatusReport:
    """StatusNotification as a domain value; connector 0 is the station itself (OCPP 1.6 §4.9)."""

    connector_id: ConnectorId
    status: str
    error_code: str
    reported_at: datetime | None = None
    info: str | None = None
    vendor_id: str | None = None
    vendor_error_code: str | None = None


def stored_status(ocpp_status: str | None) -> StoredStatus:
    """The coarse status for an OCPP status; a connector that never reported is unavailable (design §9.22)."""
    return STORED_STATUS.get(ocpp_status or "", "unavailable")


def effective_status(ocpp_status: str | None, whole_status: str | None) -> str:
    """The connector's status; while connector 0 is Faulted or Unavailable every connector is treated as that.

    A status that is not OCPP's, or never came, is Unavailable.
    """
    if whole_status in ("Faulted", "Unavailable"):
        return whole_status
    return ocpp_status if ocpp_status in STORED_STATUS else "Unavailable"


def connector_status(ocpp_status: str | None, whole_status: str | None, *, busy: bool) -> StoredStatus:
    """The coarse status the public counts by; a running session occupies its connector, whatever the station says."""
    return "occupied" if busy else stored_status(effective_status(ocpp_status, whole_status))


def is_online(last_seen_at: datetime | None, now: datetime, timeout_s: float) -> bool:
    """Exactly `timeout_s` seconds of silence is still online (contract/ocpp-behaviour §2)."""
    return last_seen_at is not None and now - last_seen_at <= timedelta(seconds=timeout_s)


def public_status(admin: AdminStatus, online: bool, connectors: Sequence[StoredStatus]) -> PublicStatus:
    """The station's public status (contract/ocpp-behaviour §6, in its order)."""
    if admin == "maintenance":
        return "maintenance"
    if not online:
        return "offline"
    if "available" in connectors:
        return "available"
    if "occupied" in connectors:
        return "occupied"
    return "offline"


def location_status(stations: Iterable[PublicStatus]) -> LocationStatus:
    """The location's status, by the seed's exact priority; a location without stations is offline."""
    statuses = set(stations)
    if not statuses or "offline" in statuses:
        return "offline"
    if "maintenance" in statuses:
        return "maintenance"
    if statuses == {"occupied"}:
        return "occupied"
    if statuses == {"available"}:
        return "available"
    return "partial"
