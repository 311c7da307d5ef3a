"""Rows of `push_outbox` as an event writes them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from evpower.db.batches import batch, batch_table
from evpower.db.connection import Conn
from evpower.identifiers import ClientId
from evpower.push.events import LOW_BALANCE_TYIYN, PushEvent

# Nothing in these can fail the event they belong to: no reference, no CHECK, a key that is there is a success, and none
# is longer than an index takes.
# There is no row for people who have no device or have switched the kind off: for them an event costs one look-up.
_INSERT = """
INSERT INTO evpower.push_outbox (event_key, owner_type, owner_id, event, payload, queued_at, due_at, expires_at)
"""
_WANTED = """
EXISTS (SELECT FROM evpower.push_targets t
        WHERE t.owner_id = {id} AND t.owner_type = {type} AND t.ended_at IS NULL)
AND NOT EXISTS (SELECT FROM evpower.push_preferences p
                WHERE p.owner_type = {type} AND p.owner_id = {id}
                  AND NOT CASE {preference} WHEN 'charging_updates' THEN p.charging_updates
                                            WHEN 'payment_alerts' THEN p.payment_alerts
                                            WHEN 'system_alerts' THEN p.system_alerts ELSE true END)
"""
_EVENT = """key text, event text, owner_type text, owner_id text, session_id text, station_id text, facts jsonb,
    preference text, expires_at timestamptz"""
# Whose a location is: its owner and its administrator, who may be one person.
ENQUEUE = f"""
{_INSERT}
SELECT left(CASE WHEN e.owner_id IS NULL AND e.owner_type = 'owner' THEN e.key || ':' || r.id ELSE e.key END, 600),
       e.owner_type, r.id, e.event,
       e.facts || jsonb_strip_nulls(jsonb_build_object(
           'session_id', e.session_id, 'station_id', e.station_id,
           'place', (SELECT l.name FROM public.stations s JOIN public.locations l ON l.id = s.location_id
                     WHERE s.id = e.station_id))),
       %(at)s, %(at)s, e.expires_at
FROM {batch_table(_EVENT)} e
CROSS JOIN LATERAL (
    SELECT e.owner_id AS id
    UNION SELECT c.user_id FROM public.charging_sessions c
          WHERE e.owner_id IS NULL AND e.owner_type = 'client' AND c.id = e.session_id
    UNION SELECT unnest(ARRAY[l.user_id, l.admin_id])
          FROM public.stations s JOIN public.locations l ON l.id = s.location_id
          WHERE e.owner_id IS NULL AND e.owner_type = 'owner' AND s.id = e.station_id) r
WHERE r.id IS NOT NULL AND {_WANTED.format(id="r.id", type="e.owner_type", preference="e.preference")}
ON CONFLICT (event_key) DO NOTHING
"""
# The client's row is locked, so a fall through the limit is seen by the one that makes it. What is reserved counts as
# there: a start alone is no fall (§3).
WARN_OF_LOW_BALANCE = f"""
{_INSERT}
SELECT left(%(key)s, 600), 'client', m.id, 'low_balance_warning', jsonb_build_object('balance_tyiyn', m.balance),
       %(at)s, %(at)s, %(expires_at)s
FROM (SELECT c.id, (c.balance * 100)::bigint AS balance,
             (SELECT coalesce(sum(s.reserved_amount) * 100, 0)::bigint FROM public.charging_sessions s
              WHERE s.user_id = c.id AND s.settled_at IS NULL) - %(resolved)s AS reserved
      FROM public.clients c WHERE c.id = %(client_id)s) m
WHERE m.balance + m.reserved < {LOW_BALANCE_TYIYN} AND m.balance + m.reserved + %(taken)s >= {LOW_BALANCE_TYIYN}
  AND {_WANTED.format(id="m.id", type="'client'", preference="'payment_alerts'")}
ON CONFLICT (event_key) DO NOTHING
"""


async def enqueue(conn: Conn, events: Sequence[PushEvent], at: datetime) -> int:
    """Write the events' rows; how many there are."""
    rows = [_row_of(event, at) for event in events]
    return (await conn.execute(ENQUEUE, {**batch(rows), "at": at})).rowcount


def _row_of(event: PushEvent, at: datetime) -> dict[str, object]:
    kind, recipient = event.kind, event.recipient
    return {
        "key": event.key,
        "event": event.name,
        "owner_type": kind.to if recipient is None else recipient.owner_type,
        "owner_id": None if recipient is None else recipient.owner_id,
        "session_id": event.session_id,
        "station_id": event.station_id,
        "facts": dict(event.facts),
        "preference": kind.preference,
        "expires_at": at + kind.worth,
    }


async def warn_of_low_balance(
    conn: Conn, client_id: ClientId, key: str, at: datetime, worth: timedelta, *, taken_tyiyn: int, resolved_tyiyn: int
) -> int:
    """Write a warning if the client's money has fallen through the limit by what was taken; how many rows it is."""
    parameters = {
        "key": key,
        "client_id": client_id,
        "taken": taken_tyiyn,
        "resolved": resolved_tyiyn,
        "at": at,
        "expires_at": at + worth,
    }
    return (await conn.execute(WARN_OF_LOW_BALANCE, parameters)).rowcount
