"""What operators are shown of a station beside its connectors: what was asked of it and what it holds.

Times are ISO 8601 texts, as PostgreSQL writes them in JSON: they are shown, and nothing is decided by them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evpower.db.connection import Conn
from evpower.identifiers import StationId

STATIONS_AWAITED = """
SELECT station_id FROM evpower.ocpp_availability WHERE state = 'Scheduled'
UNION SELECT station_id FROM evpower.ocpp_reservations WHERE status IN ('Asked', 'Active') AND expires_at > %(at)s
"""

# One row for each fact; a station has few of each. Of transfers the last of each kind, of reservations the last few.
READ_FACTS = """
SELECT station_id, 'availability' AS fact, json_build_object(
    'connector_id', connector_id, 'wanted', wanted, 'state', state, 'requested_at', requested_at, 'done_at', done_at
) AS value FROM evpower.ocpp_availability
UNION ALL
SELECT station_id, 'transfers', json_build_object(
    'id', id, 'kind', kind, 'location', location, 'file_name', file_name, 'status', status, 'steps', steps,
    'requested_at', requested_at, 'status_at', status_at, 'ended_at', ended_at)
FROM (SELECT DISTINCT ON (station_id, kind) * FROM evpower.ocpp_transfers ORDER BY station_id, kind, id DESC) last
UNION ALL
SELECT station_id, 'reservations', json_build_object(
    'reservation_id', id, 'connector_id', connector_id, 'id_tag', id_tag, 'expires_at', expires_at,
    'status', CASE WHEN status IN ('Asked', 'Active') AND expires_at <= %(at)s THEN 'Expired' ELSE status END,
    'ended_at', coalesce(ended_at, CASE WHEN expires_at <= %(at)s THEN expires_at END))
FROM evpower.ocpp_reservations r WHERE expires_at > %(at)s - interval '1 day'
UNION ALL
SELECT station_id, 'charging_profiles', json_build_object(
    'connector_id', connector_id, 'profile_id', profile_id, 'purpose', purpose, 'stack_level', stack_level,
    'profile', profile, 'set_at', set_at)
FROM evpower.ocpp_charging_profiles
UNION ALL
SELECT station_id, 'local_list', json_build_object(
    'version', version, 'entries', (SELECT count(*) FROM jsonb_object_keys(entries)), 'synced_at', synced_at)
FROM evpower.ocpp_local_lists
"""


@dataclass(frozen=True)
class AvailabilityFact:
    """A change of availability that was asked for; connector 0 is the whole station."""

    connector_id: int
    wanted: str
    state: str
    requested_at: str
    done_at: str | None


@dataclass(frozen=True)
class TransferStep:
    """A status that the station reported of a transfer, and when."""

    at: str
    status: str


@dataclass(frozen=True)
class TransferFact:
    """The last transfer of its kind; one that was not requested has no `requested_at`."""

    id: int
    kind: str
    location: str | None
    file_name: str | None
    status: str
    steps: tuple[TransferStep, ...]
    requested_at: str | None
    status_at: str
    ended_at: str | None


@dataclass(frozen=True)
class ReservationFact:
    """A connector kept for a tag; one that ran out is Expired, whatever the row says."""

    reservation_id: int
    connector_id: int
    id_tag: str
    expires_at: str
    status: str
    ended_at: str | None


@dataclass(frozen=True)
class ProfileFact:
    """A lasting charging profile that the station accepted, as it was sent."""

    connector_id: int
    profile_id: int
    purpose: str
    stack_level: int
    profile: Mapping[str, object]
    set_at: str


@dataclass(frozen=True)
class LocalListFact:
    """The local authorization list that the station took last; version 0 may hold anything."""

    version: int
    entries: int
    synced_at: str


@dataclass(frozen=True)
class StationFacts:
    """Everything of one station; of `local_list` there is one at most."""

    availability: tuple[AvailabilityFact, ...] = ()
    transfers: tuple[TransferFact, ...] = ()
    reservations: tuple[ReservationFact, ...] = ()
    charging_profiles: tuple[ProfileFact, ...] = ()
    local_list: tuple[LocalListFact, ...] = ()


def _transfer(*, steps: list[dict[str, str]], **row: Any) -> TransferFact:
    return TransferFact(**row, steps=tuple(TransferStep(**step) for step in steps))


#: What makes a fact of its JSON, by the name it has in READ_FACTS and in StationFacts.
FACTS: Mapping[str, Callable[..., object]] = {
    "availability": AvailabilityFact,
    "transfers": _transfer,
    "reservations": ReservationFact,
    "charging_profiles": ProfileFact,
    "local_list": LocalListFact,
}


async def stations_awaited(conn: Conn, at: datetime) -> frozenset[StationId]:
    """Stations with a change of availability or a reservation that a status can end."""
    rows = await (await conn.execute(STATIONS_AWAITED, {"at": at})).fetchall()
    return frozenset(StationId(row["station_id"]) for row in rows)


async def read_facts(conn: Conn, at: datetime) -> dict[StationId, StationFacts]:
    """By station, those that have any."""
    found: dict[StationId, dict[str, tuple[Any, ...]]] = defaultdict(dict)
    for row in await (await conn.execute(READ_FACTS, {"at": at})).fetchall():
        facts, kind = found[StationId(row["station_id"])], row["fact"]
        facts[kind] = (*facts.get(kind, ()), FACTS[kind](**row["value"]))
    return {station_id: StationFacts(**facts) for station_id, facts in found.items()}
