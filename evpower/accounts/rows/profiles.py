"""What a client says of itself: name and e-mail in `clients`, the rest beside it; to write, its row is locked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from evpower.db.connection import Conn
from evpower.identifiers import ClientId

READ = """
SELECT c.id AS client_id, c.name, c.email, c.phone, (c.balance * 100)::bigint AS balance_tyiyn, c.status, p.birthday
FROM public.clients c LEFT JOIN evpower.client_profiles p ON p.client_id = c.id WHERE c.id = %(id)s
"""
CHANGE = """
UPDATE public.clients SET name = coalesce(%(name)s, name), email = coalesce(%(email)s, email), updated_at = %(at)s
WHERE id = %(id)s
"""
SET_BIRTHDAY = """
INSERT INTO evpower.client_profiles (client_id, birthday, updated_at) VALUES (%(id)s, %(birthday)s, %(at)s)
ON CONFLICT (client_id) DO UPDATE SET birthday = excluded.birthday, updated_at = excluded.updated_at
"""


@dataclass(frozen=True)
class Profile:
    """A client as it is now; what nobody has said is None."""

    client_id: ClientId
    name: str | None
    email: str | None
    phone: str | None
    balance_tyiyn: int
    status: str
    birthday: date | None


async def read_profile(conn: Conn, client_id: ClientId) -> Profile | None:
    """The client's, if there is such a client."""
    row = await (await conn.execute(READ, {"id": client_id})).fetchone()
    return None if row is None else Profile(**row)


async def change_profile(
    conn: Conn, client_id: ClientId, name: str | None, email: str | None, birthday: date | None, at: datetime
) -> None:
    """Write what is given; None leaves what is there."""
    await conn.execute(CHANGE, {"id": client_id, "name": name, "email": email, "at": at})
    if birthday is not None:
        await conn.execute(SET_BIRTHDAY, {"id": client_id, "birthday": birthday, "at": at})
