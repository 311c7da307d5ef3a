"""Rows of `ocpp_local_lists`, and the cards that belong into them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import msgspec
from psycopg import AsyncConnection
from psycopg.types.json import Jsonb

from evpower.identifiers import StationId
from evpower.link.commands import ListEntry
from evpower.tags.cards import IdTagRow

READ_LIST = "SELECT version, entries FROM evpower.ocpp_local_lists WHERE station_id = %(station_id)s"

STORE_LIST = """
INSERT INTO evpower.ocpp_local_lists (station_id, version, entries, synced_at)
VALUES (%(station_id)s, %(version)s, %(entries)s, %(at)s)
ON CONFLICT (station_id) DO UPDATE
SET version = excluded.version, entries = excluded.entries, synced_at = excluded.synced_at
"""

READ_CARDS = """
SELECT a.id_tag, a.tag_type, a.parent_id_tag, a.expiry_date, a.status, a.client_id, c.status AS client_status,
       p.status AS parent_status, p.expiry_date AS parent_expiry_date
FROM evpower.ocpp_authorization a JOIN public.clients c ON c.id = a.client_id
LEFT JOIN evpower.ocpp_authorization p ON lower(p.id_tag) = lower(a.parent_id_tag) AND p.id_tag <> a.id_tag
WHERE a.tag_type IS DISTINCT FROM 'app' AND length(a.id_tag) <= %(length_max)s ORDER BY a.id_tag
"""


@dataclass(frozen=True)
class KnownList:
    """The list a station took last; version 0 when that is not known."""

    version: int
    entries: dict[str, ListEntry]


async def read_list(conn: AsyncConnection[Any], station_id: StationId) -> KnownList | None:
    """What the station took last, None when nothing was ever sent."""
    row = await (await conn.execute(READ_LIST, {"station_id": station_id})).fetchone()
    if row is None:
        return None
    return KnownList(row["version"], msgspec.convert(row["entries"], dict[str, ListEntry]))


async def store_list(
    conn: AsyncConnection[Any], station_id: StationId, version: int, entries: Mapping[str, ListEntry], at: datetime
) -> None:
    """Store what the station has now."""
    parameters = {
        "station_id": station_id,
        "version": version,
        "entries": Jsonb(msgspec.to_builtins(entries)),
        "at": at,
    }
    await conn.execute(STORE_LIST, parameters)


async def read_cards(conn: AsyncConnection[Any], length_max: int) -> list[IdTagRow]:
    """Every card of a client that a station can hold."""
    rows = await (await conn.execute(READ_CARDS, {"length_max": length_max})).fetchall()
    return [IdTagRow(**row) for row in rows]
