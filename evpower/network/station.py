"""A station that connects: how it boots, and what admits it (contract/ocpp-behaviour §1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evpower.identifiers import ConnectorId
from evpower.network.spots.evses import EACH_ITS_OWN, Evses
from evpower.network.status import AdminStatus


@dataclass(frozen=True)
class Boot:
    """BootNotification as a domain value (OCPP 1.6 §4.2, 2.0.1 B01)."""

    vendor: str
    model: str
    firmware_version: str | None = None
    serial_number: str | None = None
    #: Which version of OCPP it came in.
    ocpp_version: str = "1.6"


@dataclass(frozen=True)
class BootVerdict:
    """Our answer to a boot; `interval_s` is the heartbeat interval, or the retry wait when not Accepted."""

    status: Literal["Accepted", "Pending", "Rejected"]
    interval_s: int


@dataclass(frozen=True)
class Admission:
    """A station that may open a socket: its id, its admin status, and the salted hash of its password if it has one.

    `connector_ids` are its configured connectors: those that stay silent are asked for their status.
    """

    station_id: str
    admin_status: AdminStatus
    password_hash: str | None
    connector_ids: tuple[ConnectorId, ...] = ()
    serial_number: str | None = None
    #: A password on its way to the station; it opens too, and a login with it ends the old one.
    pending_hash: str | None = None
    #: The highest security profile it was seen on: below 2 it does not matter, otherwise nothing below it opens.
    profile_seen: int = 0
    #: Whether any of its certificates was ended, so that one it shows must be looked up.
    some_ended: bool = False
    evses: Evses = EACH_ITS_OWN
