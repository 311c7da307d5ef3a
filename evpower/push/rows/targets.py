"""Rows of `push_targets` and `push_preferences`."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from evpower.db.connection import Conn
from evpower.push.recipient import TARGETS_MOST, Device, Preferences, Recipient

# Phones change hands: an address belongs to the person who registered it last, who has been reached by it never yet.
REGISTER = """
INSERT INTO evpower.push_targets AS t
    (owner_type, owner_id, kind, address, p256dh, auth, platform, app_version, locale, sign_in_id, registered_at)
VALUES (%(owner_type)s, %(owner_id)s, %(kind)s, %(address)s, %(p256dh)s, %(auth)s, %(platform)s, %(app_version)s,
        %(locale)s, %(sign_in_id)s, %(at)s)
ON CONFLICT (address) DO UPDATE SET
    owner_type = excluded.owner_type, owner_id = excluded.owner_id, kind = excluded.kind, p256dh = excluded.p256dh,
    auth = excluded.auth, platform = excluded.platform, app_version = excluded.app_version, locale = excluded.locale,
    sign_in_id = excluded.sign_in_id, registered_at = excluded.registered_at, failures = 0, ended_at = NULL,
    end_reason = NULL,
    last_ok_at = CASE WHEN (t.owner_type, t.owner_id) = (excluded.owner_type, excluded.owner_id) THEN t.last_ok_at END
RETURNING id
"""
END_SURPLUS = """
UPDATE evpower.push_targets SET ended_at = %(at)s, end_reason = 'too_many'
WHERE id IN (SELECT id FROM evpower.push_targets
             WHERE owner_id = %(owner_id)s AND owner_type = %(owner_type)s AND ended_at IS NULL AND id <> %(id)s
             ORDER BY last_ok_at DESC NULLS LAST, registered_at DESC, id DESC OFFSET %(others)s)
"""
DROP = """
DELETE FROM evpower.push_targets
WHERE address = %(address)s AND owner_type = %(owner_type)s AND owner_id = %(owner_id)s
"""
DROP_OF_SIGN_IN = "DELETE FROM evpower.push_targets WHERE sign_in_id = %(sign_in_id)s"
DROP_OF_PERSON = "DELETE FROM evpower.push_targets WHERE owner_type = %(owner_type)s AND owner_id = %(owner_id)s"
COUNT = """
SELECT count(*) AS number FROM evpower.push_targets
WHERE owner_id = %(owner_id)s AND owner_type = %(owner_type)s AND ended_at IS NULL
"""
READ_PREFERENCES = """
SELECT charging_updates, payment_alerts, promotions, system_alerts FROM evpower.push_preferences
WHERE owner_type = %(owner_type)s AND owner_id = %(owner_id)s
"""
STORE_PREFERENCES = """
INSERT INTO evpower.push_preferences
    (owner_type, owner_id, charging_updates, payment_alerts, promotions, system_alerts)
VALUES (%(owner_type)s, %(owner_id)s, %(charging_updates)s, %(payment_alerts)s, %(promotions)s, %(system_alerts)s)
ON CONFLICT (owner_type, owner_id) DO UPDATE SET
    charging_updates = excluded.charging_updates, payment_alerts = excluded.payment_alerts,
    promotions = excluded.promotions, system_alerts = excluded.system_alerts
"""


async def register(conn: Conn, recipient: Recipient, device: Device, at: datetime) -> int:
    """The target's id; beyond the most a person may have, the least recently reached of the others end."""
    parameters = {**asdict(recipient), **asdict(device), "at": at}
    row = await (await conn.execute(REGISTER, parameters)).fetchone()
    assert row is not None
    await conn.execute(END_SURPLUS, {**parameters, "id": row["id"], "others": TARGETS_MOST - 1})
    return int(row["id"])


async def drop_target(conn: Conn, recipient: Recipient, address: str) -> bool:
    """Whether the person had it."""
    return (await conn.execute(DROP, {**asdict(recipient), "address": address})).rowcount == 1


async def drop_of_sign_in(conn: Conn, sign_in_id: str) -> None:
    await conn.execute(DROP_OF_SIGN_IN, {"sign_in_id": sign_in_id})


async def drop_of_person(conn: Conn, recipient: Recipient) -> None:
    await conn.execute(DROP_OF_PERSON, asdict(recipient))


async def count_targets(conn: Conn, recipient: Recipient) -> int:
    """Devices that have not ended."""
    row = await (await conn.execute(COUNT, asdict(recipient))).fetchone()
    assert row is not None
    return int(row["number"])


async def read_preferences(conn: Conn, recipient: Recipient) -> Preferences:
    """As the person chose, else the defaults."""
    row = await (await conn.execute(READ_PREFERENCES, asdict(recipient))).fetchone()
    return Preferences() if row is None else Preferences(**row)


async def store_preferences(conn: Conn, recipient: Recipient, preferences: Preferences) -> None:
    await conn.execute(STORE_PREFERENCES, {**asdict(recipient), **asdict(preferences)})
