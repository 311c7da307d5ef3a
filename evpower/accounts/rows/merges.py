"""Two ids that become one: what moves, in its order. Who stores something new of a client adds a line here.

Postings and lines of the statement are never changed: the old id's end at zero, and the entries of the merge say where
its money went.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ClientId

SURVIVORS = "SELECT id, coalesce(merged_into, id) AS client_id FROM public.clients WHERE id = ANY(%(ids)s)"
ALIASES = "SELECT id, merged_into FROM public.clients WHERE merged_into IS NOT NULL"
UNDER_WAY = """
SELECT EXISTS (SELECT FROM public.charging_sessions WHERE user_id = ANY(%(ids)s) AND settled_at IS NULL)
    OR EXISTS (SELECT FROM evpower.reservations WHERE client_id = ANY(%(ids)s) AND ended_at IS NULL) AS charge,
       EXISTS (SELECT FROM evpower.top_up_orders o JOIN public.balance_topups t ON t.id = o.topup_id
               WHERE t.client_id = ANY(%(ids)s) AND o.phase IN ('created', 'processing'))
    OR EXISTS (SELECT FROM evpower.top_up_refunds r JOIN public.balance_topups t ON t.id = r.topup_id
               WHERE t.client_id = ANY(%(ids)s) AND r.state = 'open') AS payment
"""
MOVE: dict[str, str] = {
    # What happens to a charge or a payment later (a correction, a debt paid, a late payment) is the survivor's.
    "charges": "UPDATE public.charging_sessions SET user_id = %(into)s WHERE user_id = %(old)s",
    "reservations": "UPDATE evpower.reservations SET client_id = %(into)s WHERE client_id = %(old)s",
    "top-ups": "UPDATE public.balance_topups SET client_id = %(into)s WHERE client_id = %(old)s",
    "tags": "UPDATE evpower.ocpp_authorization SET client_id = %(into)s WHERE client_id = %(old)s",
    "agreements": "UPDATE public.client_tariffs SET client_id = %(into)s WHERE client_id = %(old)s",
    "favorites": """
        INSERT INTO public.user_favorites (user_id, location_id, created_at, updated_at)
        SELECT %(into)s, location_id, created_at, updated_at FROM public.user_favorites WHERE user_id = %(old)s
        ON CONFLICT (user_id, location_id) DO NOTHING""",
    "favorites both had": "DELETE FROM public.user_favorites WHERE user_id = %(old)s",
    "devices": """
        UPDATE evpower.push_targets SET owner_id = %(into)s WHERE owner_type = 'client' AND owner_id = %(old)s""",
    "messages to devices": """
        UPDATE evpower.push_outbox SET owner_id = %(into)s WHERE owner_type = 'client' AND owner_id = %(old)s""",
    "which messages are wanted": """
        UPDATE evpower.push_preferences p SET owner_id = %(into)s WHERE owner_type = 'client' AND owner_id = %(old)s
        AND NOT EXISTS (SELECT FROM evpower.push_preferences t
                        WHERE t.owner_type = 'client' AND t.owner_id = %(into)s)""",
    "which messages both wanted": """
        DELETE FROM evpower.push_preferences WHERE owner_type = 'client' AND owner_id = %(old)s""",
    "watches": """
        UPDATE evpower.favorite_watches w SET client_id = %(into)s WHERE client_id = %(old)s AND NOT EXISTS (
            SELECT FROM evpower.favorite_watches t WHERE t.client_id = %(into)s AND t.location_id = w.location_id)""",
    "watches both had": "DELETE FROM evpower.favorite_watches WHERE client_id = %(old)s",
    "birthday": """
        INSERT INTO evpower.client_profiles (client_id, birthday, updated_at)
        SELECT %(into)s, birthday, updated_at FROM evpower.client_profiles WHERE client_id = %(old)s
        ON CONFLICT (client_id) DO NOTHING""",
    "birthday both had": "DELETE FROM evpower.client_profiles WHERE client_id = %(old)s",
    # A phone that asks again after the merge has the answer it had.
    "idempotency keys": """
        UPDATE evpower.idempotency_keys k SET client_id = %(into)s WHERE client_id = %(old)s
        AND NOT EXISTS (SELECT FROM evpower.idempotency_keys t WHERE t.client_id = %(into)s AND t.key = k.key)""",
    # A phone that is signed in stays so, and its next token names the survivor.
    "sign-ins": "UPDATE evpower.sign_ins SET person_id = %(into)s WHERE person_id = %(old)s AND kind = 'client'",
    "attempts to start": "UPDATE evpower.start_attempts SET client_id = %(into)s WHERE client_id = %(old)s",
    "aliases of the old id": "UPDATE public.clients SET merged_into = %(into)s WHERE merged_into = %(old)s",
}
# The old row first: a phone is of one client.
TAKE_PERSON = """
WITH person AS (
    SELECT c.name, c.phone, c.email, u.client_id IS NOT NULL AS unverified
    FROM public.clients c LEFT JOIN evpower.unverified_phones u ON u.client_id = c.id WHERE c.id = %(old)s)
UPDATE public.clients c SET name = NULL, phone = NULL, email = NULL, merged_into = %(into)s, updated_at = %(at)s
FROM person WHERE c.id = %(old)s RETURNING person.*
"""
GIVE_PERSON = """
UPDATE public.clients SET name = coalesce(name, %(name)s), email = coalesce(email, %(email)s), updated_at = %(at)s
WHERE id = %(into)s
"""
# A number that somebody vouches for prevails, then the survivor's own.
GIVE_PHONE = """
UPDATE public.clients c SET phone = %(phone)s
WHERE id = %(into)s AND (phone IS NULL OR NOT %(unverified)s
                         AND EXISTS (SELECT FROM evpower.unverified_phones u WHERE u.client_id = c.id))
"""
# Nobody vouches for a number by merging its client.
KEEP_UNVERIFIED = """
INSERT INTO evpower.unverified_phones
SELECT id FROM public.clients WHERE id = %(into)s AND phone = %(phone)s
"""
INSERT = """
INSERT INTO evpower.client_merges (old_id, into_id, balance_tyiyn, debt_tyiyn, actor, reason, merged_at)
VALUES (%(old_id)s, %(into_id)s, %(balance_tyiyn)s, %(debt_tyiyn)s, %(actor)s, %(reason)s, %(merged_at)s)
"""
READ = """
SELECT old_id, into_id, balance_tyiyn, debt_tyiyn, actor, reason, merged_at FROM evpower.client_merges
WHERE old_id = %(id)s
"""


@dataclass(frozen=True)
class ClientMerge:
    """An id that became an alias, and what it brought along."""

    old_id: ClientId
    into_id: ClientId
    balance_tyiyn: int
    debt_tyiyn: int
    actor: str
    reason: str
    merged_at: datetime


@dataclass(frozen=True)
class UnderWay:
    """What of some clients is not finished; a reservation counts as a charge."""

    charge: bool
    payment: bool


async def survivors(conn: Conn, ids: Iterable[ClientId]) -> dict[ClientId, ClientId]:
    """Whose each id is, itself if nobody else's; unknown ids are left out."""
    rows = await (await conn.execute(SURVIVORS, {"ids": list(ids)})).fetchall()
    return {ClientId(row["id"]): ClientId(row["client_id"]) for row in rows}


async def read_aliases(conn: Conn) -> dict[ClientId, ClientId]:
    """Every alias, and whose it is."""
    rows = await (await conn.execute(ALIASES)).fetchall()
    return {ClientId(row["id"]): ClientId(row["merged_into"]) for row in rows}


async def under_way(conn: Conn, ids: Iterable[ClientId]) -> UnderWay:
    """Of clients whose rows are locked."""
    row = await (await conn.execute(UNDER_WAY, {"ids": list(ids)})).fetchone()
    assert row is not None
    return UnderWay(**row)


async def move_everything(conn: Conn, merge: ClientMerge) -> None:
    """All that is the old id's becomes the survivor's, whose name, e-mail and verified phone prevail."""
    ids = {"old": merge.old_id, "into": merge.into_id}
    for statement in MOVE.values():
        await conn.execute(statement, ids)
    person = await (await conn.execute(TAKE_PERSON, {**ids, "at": merge.merged_at})).fetchone()
    assert person is not None
    given = {**ids, **person, "at": merge.merged_at}
    await conn.execute(GIVE_PERSON, given)
    if person["phone"] is not None:
        await conn.execute(GIVE_PHONE, given)
        if person["unverified"]:
            await conn.execute(KEEP_UNVERIFIED, given)
    await conn.execute(INSERT, vars(merge))


async def read_merge(conn: Conn, old_id: ClientId) -> ClientMerge:
    """The merge of an id that is an alias."""
    row = await (await conn.execute(READ, {"id": old_id})).fetchone()
    assert row is not None, "an alias is made with its merge"
    return ClientMerge(**row)
