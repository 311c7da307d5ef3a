"""Who may charge with a tag, and for whom it is free (contract/ocpp-behaviour §3; design §9.10, §9.11)."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import IdTag, StationId
from evpower.tags.id_tag import IdTagVerdict, VerdictStatus
from evpower.tags.rows.free_vend import gives_away
from evpower.tags.rows.id_tags import APP_TAG, IdTagRow, live_reservation, phones_among, read_id_tag


async def judge(conn: Conn, station_id: StationId, tag: IdTag, now: datetime) -> IdTagVerdict:
    """The verdict on a presented tag; an app start's tag counts only for its live reservation at this station."""
    return await judge_read(conn, station_id, tag, await read_id_tag(conn, tag), now)


async def judge_read(
    conn: Conn, station_id: StationId, tag: IdTag, row: IdTagRow | None, now: datetime
) -> IdTagVerdict:
    """The same of a tag whose row was read just now."""
    if row is not None and row.tag_type == APP_TAG:
        live = await live_reservation(conn, station_id, tag) is not None
        return IdTagVerdict("Accepted" if live else "Invalid", language=row.language)
    return await free_verdict(conn, station_id, tag, row, now) or verdict_on_card(row, now)


async def free_verdict(
    conn: Conn, station_id: StationId, tag: IdTag, row: IdTagRow | None, now: datetime
) -> IdTagVerdict | None:
    """Accepted where this station gives energy away to this tag; None when somebody must pay, or may not charge.

    It does to tags without an owner: unknown ones, and cards without a client that are in order. A phone number
    presented as a card opens nothing here either (design §9.10).
    """
    verdict = IdTagVerdict("Accepted") if row is None else verdict_on_card(row, now)
    if verdict.status != "Accepted" or (row is not None and (row.tag_type == APP_TAG or row.client_id is not None)):
        return None
    if not await gives_away(conn, station_id) or (row is None and await phones_among(conn, [tag])):
        return None
    return verdict


def verdict_on_card(row: IdTagRow | None, now: datetime) -> IdTagVerdict:
    """The verdict on a stored card, by its own status, its expiry and its client."""
    if row is None:
        return IdTagVerdict("Invalid")
    return IdTagVerdict(_status(row, now), row.parent_id_tag, row.expiry_date, row.language)


def _status(row: IdTagRow, now: datetime) -> VerdictStatus:
    """Its own row decides together with its group's, when the group has one (OCPP 1.6 §3.10)."""
    statuses = {row.status, row.parent_status or "Accepted"}
    dates = [date for date in (row.expiry_date, row.parent_expiry_date) if date is not None]
    if "Blocked" in statuses or row.client_status in ("blocked", "inactive"):
        return "Blocked"
    if "Expired" in statuses or any(date <= now for date in dates):
        return "Expired"
    return "Accepted" if statuses == {"Accepted"} else "Invalid"
