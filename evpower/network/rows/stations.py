"""Rows of `stations` and `connectors`, as starts and the public see them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from evpower.cluster.connections import ME
from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.identifiers import ClientId, ConnectorId, SessionId, StationId
from evpower.network.spots.evses import EACH_ITS_OWN, EvsePlace, Evses
from evpower.network.spots.evses_sql import ON_EVSE, PLACES, SIBLINGS
from evpower.network.station import Admission
from evpower.network.station_view import RunningSession
from evpower.network.status import AdminStatus
from evpower.network.status_sql import SAID, STORED

# Each way to a station has its own index; a single OR would have none once there are many identities.
ADMIT = f"""
WITH asked AS (SELECT unnest(%(identities)s::text[]) AS identity),
     named AS (SELECT a.identity, s.id, 1 AS rank FROM asked a JOIN public.stations s ON s.id = a.identity
               UNION ALL
               SELECT a.identity, s.id, 2 FROM asked a JOIN public.stations s ON s.serial_number = a.identity)
SELECT DISTINCT ON (n.identity) n.identity, s.id AS station_id, s.status AS admin_status, s.serial_number,
       c.password_hash, c.pending_hash, coalesce(t.profile_seen, 0) AS profile_seen,
       t.certificates_ended_at IS NOT NULL AS some_ended,
       ARRAY(SELECT o.connector_number FROM public.connectors o WHERE o.station_id = s.id ORDER BY 1) AS connector_ids,
       {PLACES} AS evses
FROM named n JOIN public.stations s ON s.id = n.id
LEFT JOIN evpower.station_credentials c ON c.station_id = s.id
LEFT JOIN evpower.station_trust t ON t.station_id = s.id
ORDER BY n.identity, n.rank
"""

READ_FOR_START = f"""
SELECT s.status AS admin_status, s.last_heartbeat_at, o.status AS whole_status,
       c.connector_number IS NOT NULL AS exists, c.is_enabled, {SAID} AS ocpp_status,
       r.id AS running_session, r.user_id AS running_client, k.client_id AS kept_for, k.starts_at AS kept_from,
       EXISTS (SELECT FROM evpower.kept_connectors v WHERE v.station_id = s.id) AS station_keeps
FROM public.stations s
LEFT JOIN evpower.ocpp_station_status o ON o.station_id = s.id
LEFT JOIN public.connectors c ON c.station_id = s.id AND c.connector_number = %(connector_id)s
LEFT JOIN public.charging_sessions r ON r.station_id = s.id AND r.connector_id IN {SIBLINGS}
     AND r.status = 'started'
LEFT JOIN evpower.kept_connectors k ON k.station_id = s.id AND k.connector_id = %(connector_id)s
WHERE s.id = %(station_id)s ORDER BY r.connector_id = %(connector_id)s DESC NULLS LAST, k.starts_at LIMIT 1
"""

# Only starts and reservations take it, before any row, so no other lock waits for it.
TAKE_SPOT = "SELECT pg_advisory_xact_lock(hashtextextended(%(station_id)s, %(connector_id)s))"

READ_NAMED = """
SELECT id, location_id, firmware_version, status = 'inactive' AS is_inactive FROM public.stations
WHERE id = %(name)s OR serial_number = %(name)s
ORDER BY id <> %(name)s LIMIT 1
"""

READ_CONNECTORS = """
SELECT c.connector_number, c.error_code, r.id AS session_id, r.user_id AS client_id, r.start_time,
       (coalesce(r.energy, 0) * 1000)::bigint AS energy_wh, r.limit_type
FROM public.connectors c
LEFT JOIN public.charging_sessions r ON r.station_id = c.station_id AND r.connector_id = c.connector_number
     AND r.status = 'started'
WHERE c.station_id = %(station_id)s ORDER BY c.connector_number
"""

# A running session makes its connector occupied whatever the station says; afterwards its last status counts, except
# that Charging and Suspended* mean Finishing until the station speaks again (contract/ocpp-behaviour §4); but a station
# that has not reported the end may well go on charging, and its last status stays (field ruling 4.1).
REFRESH_CONNECTOR = f"""
UPDATE public.connectors c
SET ocpp_status = CASE WHEN r.id IS NULL AND c.ocpp_status IN ('Charging', 'SuspendedEV', 'SuspendedEVSE')
                            AND NOT EXISTS (SELECT FROM evpower.ocpp_transactions t
                                            WHERE t.station_id = c.station_id AND t.connector_id = c.connector_number
                                              AND t.status = 'Started')
                       THEN 'Finishing' ELSE c.ocpp_status END,
    status = {STORED},
    updated_at = %(at)s
FROM (SELECT 1) one
LEFT JOIN public.charging_sessions r
       ON r.station_id = %(station_id)s AND r.connector_id = %(connector_id)s AND r.status = 'started'
WHERE c.station_id = %(station_id)s AND c.connector_number = %(connector_id)s
"""

# Presence in groups: the live value is in memory (design §9.20). A statement that writes many stations locks them in
# the order of their ids: when all stations come back at once, two such statements meet, and must not deadlock.
# A process that has lost the station to another no longer writes its presence; looked up one by one, because a join is
# planned badly while thousands have just come and the table's statistics are old (seconds for 5,000).
FLUSH_PRESENCE = f"""
WITH old AS MATERIALIZED (
    SELECT s.id, s.is_available, r.at
    FROM {batch_table("id text, at timestamptz")} r JOIN public.stations s ON s.id = r.id
    ORDER BY s.id FOR NO KEY UPDATE OF s)
UPDATE public.stations s SET last_heartbeat_at = old.at, is_available = true FROM old
WHERE s.id = old.id AND (s.last_heartbeat_at IS NULL OR s.last_heartbeat_at < old.at)
      AND NOT coalesce((SELECT c.process_id <> {ME} FROM evpower.charger_connections c WHERE c.station_id = old.id),
                        false)
RETURNING s.id, NOT old.is_available AS was_away
"""

FIND_SILENT = """
WITH silent AS MATERIALIZED (
    SELECT id FROM public.stations
    WHERE is_available AND (last_heartbeat_at IS NULL OR last_heartbeat_at < %(before)s)
    ORDER BY id FOR NO KEY UPDATE)
UPDATE public.stations s SET is_available = false FROM silent WHERE s.id = silent.id RETURNING s.id
"""


@dataclass(frozen=True)
class StartSpot:
    """A connector a driver wants to start at, with everything the checks need."""

    admin_status: AdminStatus
    last_heartbeat_at: datetime | None
    #: The station's own status (connector 0), which overrides its connectors.
    whole_status: str | None
    exists: bool
    #: Set by an administrator; None where there is no connector.
    is_enabled: bool | None
    ocpp_status: str | None
    running_session: SessionId | None
    running_client: ClientId | None
    #: Whose reservation keeps it now, and when that starts.
    kept_for: ClientId | None
    kept_from: datetime | None
    #: Whether a reservation keeps any connector of its station now.
    station_keeps: bool

    def is_kept_for(self, client_id: ClientId | None) -> bool:
        return self.kept_for is not None and self.kept_for == client_id

    def is_kept_from(self, client_id: ClientId | None) -> bool:
        """Whether it is kept for somebody else."""
        return self.kept_for is not None and self.kept_for != client_id


@dataclass(frozen=True)
class NamedStation:
    """The station somebody named, and what the list does not show of it."""

    id: StationId
    location_id: str
    firmware_version: str | None
    is_inactive: bool


@dataclass(frozen=True)
class ConnectorDetails:
    """What the list does not show of a connector; `error_code` is OCPP's."""

    connector_id: ConnectorId
    error_code: str
    running: RunningSession | None


async def admissions(conn: Conn, identities: Sequence[str]) -> dict[str, Admission]:
    """The stations sockets name: by their id, or by their unique serial number when no id matches."""
    rows = await (await conn.execute(ADMIT, {"identities": list(identities)})).fetchall()
    return {row.pop("identity"): _admission(**row) for row in rows}


def _admission(*, connector_ids: list[ConnectorId], evses: list[list[Any]], **row: Any) -> Admission:
    places = tuple((ConnectorId(connector_id), EvsePlace(*place)) for connector_id, *place in evses)
    return Admission(**row, connector_ids=tuple(connector_ids), evses=Evses(places) if places else EACH_ITS_OWN)


async def admit(conn: Conn, identity: str) -> Admission | None:
    """The one station an identity names."""
    return (await admissions(conn, [identity])).get(identity)


async def read_start_spot(conn: Conn, station_id: StationId, connector_id: ConnectorId) -> StartSpot | None:
    """The connector, or None when there is no such station."""
    parameters = {"station_id": station_id, "connector_id": connector_id}
    row = await (await conn.execute(READ_FOR_START, parameters)).fetchone()
    return None if row is None else StartSpot(**row)


async def take_spots(conn: Conn, station_id: StationId, *connector_ids: ConnectorId) -> None:
    """One start or reservation of a connector at a time: the first lock of its unit of work, before the client's.

    A station's two sockets may bring the same start; a driver may reserve where another begins.
    """
    for connector_id in sorted(connector_ids):
        await conn.later(TAKE_SPOT, {"station_id": station_id, "connector_id": connector_id})


async def read_named(conn: Conn, name: str) -> NamedStation | None:
    """The station of this id or, when no id matches, of this serial number."""
    row = await (await conn.execute(READ_NAMED, {"name": name})).fetchone()
    return None if row is None else NamedStation(**row)


async def read_connectors(conn: Conn, station_id: StationId) -> list[ConnectorDetails]:
    """The error of each connector, by number, and its running session."""
    rows = await (await conn.execute(READ_CONNECTORS, {"station_id": station_id})).fetchall()
    return [ConnectorDetails(row["connector_number"], row["error_code"], _running(row)) for row in rows]


def _running(row: dict[str, Any]) -> RunningSession | None:
    if row["session_id"] is None:
        return None
    return RunningSession(
        row["session_id"],
        row["client_id"],
        row["connector_number"],
        row["start_time"],
        row["energy_wh"],
        row["limit_type"],
    )


async def refresh_connector(conn: Conn, station_id: StationId, connector_id: ConnectorId, at: datetime) -> None:
    """Compute the connector's public status again after its session began or ended."""
    await conn.later(REFRESH_CONNECTOR, {"station_id": station_id, "connector_id": connector_id, "at": at})


async def store_presence(conn: Conn, seen: Mapping[StationId, datetime]) -> list[StationId]:
    """Store when stations were last heard; the stations that were away until now."""
    rows = [{"id": station_id, "at": at} for station_id, at in seen.items()]
    cursor = await conn.execute(FLUSH_PRESENCE, batch(rows))
    return [StationId(row["id"]) for row in await cursor.fetchall() if row["was_away"]]


async def mark_silent(conn: Conn, before: datetime) -> list[StationId]:
    """Mark stations not heard since `before` unavailable; those that were not yet."""
    cursor = await conn.execute(FIND_SILENT, {"before": before})
    return [StationId(row["id"]) for row in await cursor.fetchall()]


# What a station speaks is settled with its socket: it need not boot on it.
WRITE_VERSIONS = f"""
INSERT INTO evpower.ocpp_station_status AS o (station_id, ocpp_version)
SELECT s.id, r.ocpp_version FROM {batch_table("station_id text, ocpp_version text")} r
JOIN public.stations s ON s.id = r.station_id
ON CONFLICT (station_id) DO UPDATE SET ocpp_version = excluded.ocpp_version
WHERE o.ocpp_version IS DISTINCT FROM excluded.ocpp_version
"""
SPOKEN_VERSION = "SELECT ocpp_version FROM evpower.ocpp_station_status WHERE station_id = %(id)s"


async def write_versions(conn: Conn, versions: Mapping[StationId, str]) -> None:
    """Store which version of OCPP stations speak on the sockets they came with; an empty one is not known."""
    rows = [{"station_id": station_id, "ocpp_version": spoken} for station_id, spoken in versions.items() if spoken]
    if rows:
        await conn.execute(WRITE_VERSIONS, batch(rows))


async def spoken_version(conn: Conn, station_id: StationId) -> str | None:
    """Which version of OCPP the station spoke last; None when it has not been here yet."""
    row = await (await conn.execute(SPOKEN_VERSION, {"id": station_id})).fetchone()
    return None if row is None else row["ocpp_version"]


async def station_exists(conn: Conn, station_id: StationId) -> bool:
    """Whether there is such a station, inactive ones included."""
    cursor = await conn.execute("SELECT 1 AS one FROM public.stations WHERE id = %(id)s", {"id": station_id})
    return await cursor.fetchone() is not None


async def connectors_on_evse(conn: Conn, station_id: StationId, evse_id: int) -> list[ConnectorId]:
    """Our connectors that an EVSE has, of which one charges at a time."""
    cursor = await conn.execute(ON_EVSE, {"station_id": station_id, "evse_id": evse_id})
    return [ConnectorId(row["connector_number"]) for row in await cursor.fetchall()]


WITHOUT_CREDENTIALS = """
SELECT s.id FROM public.stations s LEFT JOIN evpower.station_credentials c ON c.station_id = s.id
WHERE s.status <> 'inactive' AND c.password_hash IS NULL AND c.pending_hash IS NULL
  AND NOT EXISTS (SELECT FROM evpower.station_trust t WHERE t.station_id = s.id AND t.profile_seen = 3)
ORDER BY s.id
"""


async def without_credentials(conn: Conn) -> list[StationId]:
    """Stations that could enter anonymously alone: no password, and never seen with a certificate."""
    return [StationId(row["id"]) for row in await (await conn.execute(WITHOUT_CREDENTIALS)).fetchall()]
