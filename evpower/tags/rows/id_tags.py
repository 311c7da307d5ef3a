"""Rows of `ocpp_authorization`: cards, and the tags of app starts."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Literal

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, IdTag, SessionId

#: A tag we made for a start from the app, a phone number included: it opens nothing by itself (design §9.10).
APP_TAG = "app"

# The spellings are worked out once, not for each row that is looked at.
READ_TAG = """
SELECT a.id_tag, a.tag_type, a.parent_id_tag, a.expiry_date, a.status, a.client_id, c.status AS client_status,
       p.status AS parent_status, p.expiry_date AS parent_expiry_date,
       (SELECT t.locale FROM evpower.push_targets t
        WHERE t.owner_id = a.client_id AND t.owner_type = 'client' AND t.ended_at IS NULL
        ORDER BY t.registered_at DESC, t.id DESC LIMIT 1) AS language
FROM evpower.ocpp_authorization a LEFT JOIN public.clients c ON c.id = a.client_id
LEFT JOIN evpower.ocpp_authorization p ON lower(p.id_tag) = lower(a.parent_id_tag) AND p.id_tag <> a.id_tag
WHERE lower(a.id_tag) = ANY ((SELECT ARRAY[lower(%(tag)s), lower('+' || %(tag)s), ltrim(lower(%(tag)s), '+')])::text[])
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

# A number of a client, or any in E.164's writing.
PHONES_AMONG = r"""
SELECT t.tag FROM unnest(%(tags)s::text[]) AS t (tag)
WHERE t.tag ~ '^\+[0-9]{7,15}$' OR EXISTS (SELECT FROM public.clients WHERE phone = '+' || ltrim(t.tag, '+'))
"""
APP_TAGS_AMONG = """
SELECT lower(id_tag) AS id_tag, client_id FROM evpower.ocpp_authorization
WHERE tag_type = 'app' AND lower(id_tag) IN (SELECT lower(t.tag) FROM unnest(%(tags)s::text[]) AS t (tag))
"""

CARD = "SELECT id_tag, status, expiry_date, parent_id_tag, client_id, created_at FROM evpower.ocpp_authorization"
LIST_CARDS = f"{CARD} WHERE tag_type IS DISTINCT FROM 'app' ORDER BY lower(id_tag)"
READ_CARD = f"{CARD} WHERE tag_type IS DISTINCT FROM 'app' AND lower(id_tag) = lower(%(tag)s)"
PUT_CARD = """
INSERT INTO evpower.ocpp_authorization AS a (id_tag, status, expiry_date, parent_id_tag, client_id, created_at)
VALUES (%(id_tag)s, %(status)s, %(expiry_date)s, %(parent_id_tag)s, %(client_id)s, %(at)s)
ON CONFLICT (lower(id_tag)) DO UPDATE SET status = excluded.status, expiry_date = excluded.expiry_date,
    parent_id_tag = excluded.parent_id_tag, client_id = excluded.client_id
WHERE a.tag_type IS DISTINCT FROM 'app' RETURNING id_tag
"""
SET_STATUS = """
UPDATE evpower.ocpp_authorization SET status = %(status)s
WHERE tag_type IS DISTINCT FROM 'app' AND lower(id_tag) = lower(%(tag)s) RETURNING id_tag
"""
DELETE_CARD = """
DELETE FROM evpower.ocpp_authorization
WHERE tag_type IS DISTINCT FROM 'app' AND lower(id_tag) = lower(%(tag)s) RETURNING id_tag
"""

KNOWN_CLIENT = "SELECT coalesce(merged_into, id) AS id FROM public.clients WHERE id = %(id)s"

CardStatus = Literal["Accepted", "Blocked", "Expired", "Invalid"]


@dataclass(frozen=True)
class Card:
    """A card as an operator sets it."""

    id_tag: IdTag
    status: CardStatus
    parent_id_tag: IdTag | None
    expiry_date: datetime | None
    client_id: ClientId | None


@dataclass(frozen=True)
class CardRecord(Card):
    """A card as it is stored."""

    created_at: datetime


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
    #: Of the group's own row, when it has one.
    parent_status: str | None
    parent_expiry_date: datetime | None
    #: Its client's, as the app on the phone registered last has it.
    language: str | None = None


async def read_id_tag(conn: Conn, tag: IdTag) -> IdTagRow | None:
    """The stored tag, ignoring case and a leading plus (duty 27; contract/ocpp-behaviour §5.1)."""
    row = await (await conn.execute(READ_TAG, {"tag": tag})).fetchone()
    return None if row is None else IdTagRow(**row)


async def ensure_app_tag(conn: Conn, tag: IdTag, client_id: ClientId, at: datetime) -> None:
    """The tag of an app start exists before the station is asked; a card of the same text is left as it is."""
    await conn.execute(ENSURE_APP_TAG, {"tag": tag, "client_id": client_id, "at": at})


async def live_reservation(conn: Conn, station_id: str, tag: IdTag) -> SessionId | None:
    """A running session at this station that carries the tag."""
    row = await (await conn.execute(LIVE_RESERVATION, {"station_id": station_id, "tag": tag})).fetchone()
    return None if row is None else SessionId(row["id"])


async def phones_among(conn: Conn, tags: Iterable[str]) -> list[IdTag]:
    """Those of these tags whose text is a phone number: such a number is no secret, and may be no card."""
    cursor = await conn.execute(PHONES_AMONG, {"tags": list(tags)})
    return [IdTag(row["tag"]) for row in await cursor.fetchall()]


async def app_tags_among(conn: Conn, tags: Iterable[str]) -> dict[str, ClientId]:
    """The client of each of these tags that was made for a start from the app, by the tag in small letters."""
    cursor = await conn.execute(APP_TAGS_AMONG, {"tags": list(tags)})
    return {row["id_tag"]: ClientId(row["client_id"]) for row in await cursor.fetchall()}


async def list_cards(conn: Conn) -> list[CardRecord]:
    """Every card, by its text."""
    return [CardRecord(**row) for row in await (await conn.execute(LIST_CARDS)).fetchall()]


async def read_card(conn: Conn, tag: IdTag) -> CardRecord | None:
    """A card by its text in any case."""
    row = await (await conn.execute(READ_CARD, {"tag": tag})).fetchone()
    return None if row is None else CardRecord(**row)


async def put_card(conn: Conn, card: Card, at: datetime) -> bool:
    """Make or change a card; False when the text is a tag of an app start."""
    return await (await conn.execute(PUT_CARD, {**asdict(card), "at": at})).fetchone() is not None


async def set_card_status(conn: Conn, tag: IdTag, status: CardStatus) -> bool:
    """Change the status alone; False when there is no such card."""
    return await (await conn.execute(SET_STATUS, {"tag": tag, "status": status})).fetchone() is not None


async def delete_card(conn: Conn, tag: IdTag) -> bool:
    """Forget a card; False when there is none."""
    return await (await conn.execute(DELETE_CARD, {"tag": tag})).fetchone() is not None


async def known_client(conn: Conn, client_id: ClientId) -> ClientId | None:
    """Who acts under this id, if there is such a client."""
    row = await (await conn.execute(KNOWN_CLIENT, {"id": client_id})).fetchone()
    return None if row is None else ClientId(row["id"])
