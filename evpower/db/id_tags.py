"""Rows of `ocpp_authorization`: cards, and the tags of app starts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import AsyncConnection

from evpower.identifiers import ClientId, IdTag, SessionId

#: A tag we made for a start from the app, a phone number included: it opens nothing by itself (design §9.10).
APP_TAG = "app"

READ_TAG = """
SELECT a.id_tag, a.tag_type, a.parent_id_tag, a.expiry_date, a.status, a.client_id, c.status AS client_status
FROM evpower.ocpp_authorization a LEFT JOIN public.clients c ON c.id = a.client_id
WHERE lower(a.id_tag) IN (lower(%(tag)s), lower('+' || %(tag)s), ltrim(lower(%(tag)s), '+'))
ORDER BY lower(a.id_tag) = lower(%(tag)s) DESC LIMIT 1
"""

ENSURE_APP_TAG = """
INSERT INTO evpower.ocpp_authorization (id_tag, tag_type, status, client_id, created_at)
VALUES (%(tag)s, 'app', 'Accepted', %(client_id)s, %(at)s) ON CONFLICT (lower(id_tag)) DO NOTHING
"""

LIVE_RESERVATION = """
SELECT s.id FROM public.charging_sessions s
WHERE s.station_id = %(station_id)s AND s.status = 'started'
  AND ltrim(lower(s.id_tag), '+') = ltrim(lower(%(tag)s), '+') LIMIT 1
"""


@dataclass(frozen=True)
class IdTagRow:
    """A stored tag with its client's status."""

    id_tag: IdTag
    tag_type: str | None
    parent_id_tag: IdTag | None
    expiry_date: datetime | None
    status: str
    client_id: ClientId | None
    client_status: str | None


async def read_id_tag(conn: AsyncConnection[Any], tag: IdTag) -> IdTagRow | None:
    """The stored tag, ignoring case and a leading plus (duty 27; contract/ocpp-behaviour §5.1)."""
    row = await (await conn.execute(READ_TAG, {"tag": tag})).fetchone()
    return None if row is None else IdTagRow(**row)


async def ensure_app_tag(conn: AsyncConnection[Any], tag: IdTag, client_id: ClientId, at: datetime) -> None:
    """The tag of an app start exists before the charger is asked; a card of the same text is left as it is."""
    await conn.execute(ENSURE_APP_TAG, {"tag": tag, "client_id": client_id, "at": at})


async def live_reservation(conn: AsyncConnection[Any], station_id: str, tag: IdTag) -> SessionId | None:
    """A running session at this station that carries the tag."""
    row = await (await conn.execute(LIVE_RESERVATION, {"station_id": station_id, "tag": tag})).fetchone()
    return None if row is None else SessionId(row["id"])
