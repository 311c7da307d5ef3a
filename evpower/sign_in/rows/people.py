"""People who sign in, as `users` and `clients` have them."""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import PhoneNumber
from evpower.identity.identity import Kind
from evpower.sign_in.people import Person

STAFF = "SELECT id, 'staff' AS kind, phone, created_at, role, email, is_active FROM public.users"
CLIENT = """
SELECT id, 'client' AS kind, phone, created_at, status, name, (balance * 100)::bigint AS balance_tyiyn
FROM public.clients
"""
STAFF_OF_PHONE = f"{STAFF} WHERE phone = %(phone)s ORDER BY is_active DESC, created_at, id LIMIT 1"
#: A phone may have two ids that were never merged: the one that is used, then the older one.
CLIENT_OF_PHONE = f"{CLIENT} WHERE phone = %(phone)s ORDER BY status <> 'active', created_at, id LIMIT 1"
ONE_STAFF, ONE_CLIENT = f"{STAFF} WHERE id = %(id)s", f"{CLIENT} WHERE id = %(id)s"

INSERT_CLIENT = """
INSERT INTO public.clients (id, phone, balance, status, created_at, updated_at)
VALUES (%(id)s, %(phone)s, 0, 'active', %(at)s, %(at)s)
"""


async def person_of_phone(conn: Conn, phone: PhoneNumber) -> Person | None:
    """Staff first: a phone present in `users` signs in as staff (contract/rest-api §7.1)."""
    for query in (STAFF_OF_PHONE, CLIENT_OF_PHONE):
        row = await (await conn.execute(query, {"phone": phone})).fetchone()
        if row is not None:
            return Person(**row)
    return None


async def create_client(conn: Conn, client_id: str, phone: PhoneNumber, at: datetime) -> Person:
    """A client who has signed in for the first time."""
    await conn.execute(INSERT_CLIENT, {"id": client_id, "phone": phone, "at": at})
    return Person(client_id, "client", phone, at, status="active", balance_tyiyn=0)


async def read_person(conn: Conn, kind: Kind, person_id: str) -> Person | None:
    """The person's row; None when there is none any more."""
    query = ONE_STAFF if kind == "staff" else ONE_CLIENT
    row = await (await conn.execute(query, {"id": person_id})).fetchone()
    return None if row is None else Person(**row)
