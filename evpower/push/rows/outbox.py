"""Rows of `push_outbox`: written with the event, claimed by whichever process delivers."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from psycopg.types.json import Jsonb

from evpower.db.connection import Conn
from evpower.identifiers import ClientId
from evpower.push.events import LOW_BALANCE_TYIYN, PushEvent

# Nothing in these can fail the event they belong to: no reference, no CHECK, and a key that is there is a success.
# There is no row for people who have no device or have switched the kind off: for them an event costs one look-up.
_INSERT = """
INSERT INTO evpower.push_outbox (event_key, owner_type, owner_id, event, payload, queued_at, due_at, expires_at)
"""
_WANTED = """
EXISTS (SELECT FROM evpower.push_targets t
        WHERE t.owner_id = {id} AND t.owner_type = {type} AND t.ended_at IS NULL)
AND NOT EXISTS (SELECT FROM evpower.push_preferences p
                WHERE p.owner_type = {type} AND p.owner_id = {id}
                  AND NOT CASE %(preference)s WHEN 'charging_updates' THEN p.charging_updates
                                              WHEN 'payment_alerts' THEN p.payment_alerts
                                              WHEN 'system_alerts' THEN p.system_alerts ELSE true END)
"""
_PAYLOAD = """
%(facts)s || jsonb_strip_nulls(jsonb_build_object('station_id', %(station_id)s::text, 'place',
    (SELECT l.name FROM public.stations s JOIN public.locations l ON l.id = s.location_id WHERE s.id = %(station_id)s)))
"""
ENQUEUE = f"""
{_INSERT}
SELECT %(key)s, %(owner_type)s, %(owner_id)s, %(event)s, {_PAYLOAD}, %(at)s, %(at)s, %(expires_at)s
WHERE {_WANTED.format(id="%(owner_id)s", type="%(owner_type)s")}
ON CONFLICT (event_key) DO NOTHING
"""
# Whose the location is: its owner and its administrator, who may be one person.
ENQUEUE_FOR_OWNERS = f"""
{_INSERT}
SELECT %(key)s || ':' || o.id, 'owner', o.id, %(event)s, {_PAYLOAD}, %(at)s, %(at)s, %(expires_at)s
FROM (SELECT l.user_id AS id FROM public.stations s JOIN public.locations l ON l.id = s.location_id
      WHERE s.id = %(station_id)s
      UNION SELECT l.admin_id FROM public.stations s JOIN public.locations l ON l.id = s.location_id
      WHERE s.id = %(station_id)s) o
WHERE o.id IS NOT NULL AND {_WANTED.format(id="o.id", type="'owner'")}
ON CONFLICT (event_key) DO NOTHING
"""
# The client's row is locked, so a fall through the limit is seen by the one that makes it. What is reserved counts as
# there: a start alone is no fall (§3).
WARN_OF_LOW_BALANCE = f"""
{_INSERT}
SELECT %(key)s, 'client', %(owner_id)s, 'low_balance_warning', jsonb_build_object('balance_tyiyn', m.now),
       %(at)s, %(at)s, %(expires_at)s
FROM (SELECT (c.balance * 100)::bigint AS now, %(before)s::bigint AS before,
             (SELECT coalesce(sum(s.reserved_amount) * 100, 0)::bigint FROM public.charging_sessions s
              WHERE s.user_id = c.id AND s.settled_at IS NULL) - %(own_hold)s::bigint AS reserved
      FROM public.clients c WHERE c.id = %(owner_id)s) m
WHERE m.now + m.reserved < {LOW_BALANCE_TYIYN} AND m.before + %(own_hold)s + m.reserved >= {LOW_BALANCE_TYIYN}
  AND {_WANTED.format(id="%(owner_id)s", type="'client'")}
ON CONFLICT (event_key) DO NOTHING
"""


async def enqueue(conn: Conn, event: PushEvent, at: datetime) -> int:
    """Write the event's rows; how many people get a message."""
    kind = event.kind
    parameters: dict[str, object] = {
        "key": event.key,
        "event": event.name,
        "preference": kind.preference,
        "facts": Jsonb(dict(event.facts)),
        "station_id": event.station_id,
        "at": at,
        "expires_at": at + kind.worth,
    }
    if event.recipient is None:
        return (await conn.execute(ENQUEUE_FOR_OWNERS, parameters)).rowcount
    return (await conn.execute(ENQUEUE, {**parameters, **asdict(event.recipient)})).rowcount


async def warn_of_low_balance(
    conn: Conn, client_id: ClientId, key: str, at: datetime, expires_at: datetime, *, before_tyiyn: int, own_hold: int
) -> int:
    """A warning, when the client's money has just fallen through the limit.

    `before_tyiyn` is the balance before, `own_hold` what this unit of work resolves of what was reserved then.
    """
    parameters = {
        "key": key,
        "owner_id": client_id,
        "preference": "payment_alerts",
        "before": before_tyiyn,
        "own_hold": own_hold,
        "at": at,
        "expires_at": expires_at,
    }
    return (await conn.execute(WARN_OF_LOW_BALANCE, parameters)).rowcount
