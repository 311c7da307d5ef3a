"""People who sign in, as `users` and `clients` have them."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ClientId, PhoneNumber
from evpower.identity.identity import Kind
from evpower.sign_in.people import Person

STAFF = "SELECT id, 'staff' AS kind, phone, created_at, role, email, is_active FROM public.users"
CLIENT = """
SELECT c.id, 'client' AS kind, c.phone, c.created_at, c.status, c.name, (c.balance * 100)::bigint AS balance_tyiyn,
       u.client_id IS NULL AS has_verified_phone
FROM public.clients c LEFT JOIN evpower.unverified_phones u ON u.client_id = c.id
"""
STAFF_OF_PHONE = f"{STAFF} WHERE phone = %(phone)s ORDER BY is_active DESC, created_at, id LIMIT 1"
CLIENT_OF_PHONE = f"{CLIENT} WHERE c.phone = %(phone)s AND u.client_id IS NULL"
ONE_STAFF = f"{STAFF} WHERE id = %(id)s"
ONE_CLIENT = f"{CLIENT} WHERE c.id = (SELECT coalesce(a.merged_into, a.id) FROM public.clients a WHERE a.id = %(id)s)"
TAKE_UNVERIFIED = "SELECT evpower.take_unverified_phone(%(phone)s, %(taker)s) AS holder"

INSERT_CLIENT = """
INSERT INTO public.clients (id, phone, balance, status, created_at, updated_at)
VALUES (%(id)s, %(phone)s, 0, 'active', %(at)s, %(at)s) ON CONFLICT (phone) DO NOTHING RETURNING id
"""


async def person_of_phone(conn: Conn, phone: PhoneNumber) -> Person | None:
    """Staff first: a phone present in `users` signs in as staff (contract/rest-api §7.1).

    A number that nobody vouched for finds no client: whoever reaches the table as a client can write any (0046).
    """
    for query in (STAFF_OF_PHONE, CLIENT_OF_PHONE):
        row = await (await conn.execute(query, {"phone": phone})).fetchone()
        if row is not None:
            return Person(**row)
    return None


async def take_unverified_phone(conn: Conn, phone: PhoneNumber, taker: str) -> ClientId | None:
    """Take the number for `taker` from a client who wrote it and whom nobody vouched for; that client, if there is one.

    An operator finds it among the displaced phones.
    """
    row = await (await conn.execute(TAKE_UNVERIFIED, {"phone": phone, "taker": taker})).fetchone()
    assert row is not None
    return None if row["holder"] is None else ClientId(row["holder"])


async def create_client(conn: Conn, client_id: str, phone: PhoneNumber, at: datetime) -> Person | None:
    """A client who has signed in for the first time; None: a client with this phone was written meanwhile."""
    row = await (await conn.execute(INSERT_CLIENT, {"id": client_id, "phone": phone, "at": at})).fetchone()
    return None if row is None else Person(client_id, "client", phone, at, status="active", balance_tyiyn=0)


async def read_person(conn: Conn, kind: Kind, person_id: str) -> Person | None:
    """The person's row, the survivor's for an id that was merged; None when there is none any more."""
    query = ONE_STAFF if kind == "staff" else ONE_CLIENT
    row = await (await conn.execute(query, {"id": person_id})).fetchone()
    return None if row is None else Person(**row)
