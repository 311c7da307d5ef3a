"""Rows of `station_trust`: what a station's socket has shown, and what an operator decided about its certificates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import StationId

SEE_PROFILE = """
INSERT INTO evpower.station_trust (station_id, profile_seen) VALUES (%(station_id)s, %(profile)s)
ON CONFLICT (station_id) DO UPDATE SET profile_seen = greatest(station_trust.profile_seen, excluded.profile_seen)
"""

END_CERTIFICATES = """
INSERT INTO evpower.station_trust (station_id, certificates_ended_at) VALUES (%(station_id)s, %(at)s)
ON CONFLICT (station_id) DO UPDATE SET profile_seen = 0, certificates_ended_at = excluded.certificates_ended_at
"""

ASK_RENEWAL = """
INSERT INTO evpower.station_trust (station_id, renewal_asked_at) VALUES (%(station_id)s, %(at)s)
ON CONFLICT (station_id) DO UPDATE SET renewal_asked_at = excluded.renewal_asked_at
"""

TAKE_RENEWAL = """
UPDATE evpower.station_trust SET renewal_asked_at = NULL
WHERE station_id = %(station_id)s AND renewal_asked_at > %(after)s RETURNING station_id
"""

# A certificate of ours is as old as its signature; any other, and one we have forgotten, as it says itself.
ENDED = """
SELECT 1 AS one FROM evpower.station_trust t
LEFT JOIN evpower.station_certificates c ON c.station_id = t.station_id AND c.serial_number = %(serial_number)s
WHERE t.station_id = %(station_id)s AND coalesce(c.signed_at, %(not_before)s) <= t.certificates_ended_at
"""

ENDED_SINCE = """
SELECT t.station_id FROM evpower.station_trust t
JOIN unnest(%(station_ids)s::text[], %(since)s::timestamptz[]) AS s(station_id, since) ON s.station_id = t.station_id
WHERE t.certificates_ended_at > s.since
"""


async def see_profile(conn: Conn, station_id: StationId, profile: int) -> None:
    """It was on this security profile."""
    await conn.execute(SEE_PROFILE, {"station_id": station_id, "profile": profile})


async def end_certificates(conn: Conn, station_id: StationId, at: datetime) -> None:
    """Every certificate from before is no credential any more, and the station may begin anew with a password."""
    await conn.execute(END_CERTIFICATES, {"station_id": station_id, "at": at})


async def ask_renewal(conn: Conn, station_id: StationId, at: datetime) -> None:
    """An operator wants it to ask for a certificate."""
    await conn.execute(ASK_RENEWAL, {"station_id": station_id, "at": at})


async def take_renewal(conn: Conn, station_id: StationId, after: datetime) -> bool:
    """Whether an operator has asked for it since, and this is the first answer to that."""
    cursor = await conn.execute(TAKE_RENEWAL, {"station_id": station_id, "after": after})
    return await cursor.fetchone() is not None


async def certificate_ended(conn: Conn, station_id: StationId, serial_number: str, not_before: datetime) -> bool:
    """Whether this certificate of the station was ended."""
    parameters = {"station_id": station_id, "serial_number": serial_number, "not_before": not_before}
    return await (await conn.execute(ENDED, parameters)).fetchone() is not None


async def ended_since(conn: Conn, since: Mapping[StationId, datetime]) -> list[StationId]:
    """Those of these stations whose certificates ended after the moment of each."""
    cursor = await conn.execute(ENDED_SINCE, {"station_ids": list(since), "since": list(since.values())})
    return [StationId(row["station_id"]) for row in await cursor.fetchall()]
