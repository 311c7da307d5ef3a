"""What is erased of a person: one list, in its order. Who stores something new of a person adds a line here.

The ledger, the statement, sessions and top-ups stay, under an id that no longer leads to anybody.
"""

from __future__ import annotations

from datetime import datetime

from evpower.db.connection import Conn
from evpower.identifiers import ClientId

# The app's tag is the driver's phone (contract/ocpp-behaviour §5.1), so it is in what chargers reported, and in their
# payloads as a whole string.
TAGS_IN_CHARGES = """
UPDATE evpower.ocpp_transactions t
SET id_tag = 'erased',
    start_payload = replace(start_payload::text, to_json(t.id_tag)::text, '"erased"')::json,
    stop_payload = replace(stop_payload::text, to_json(t.id_tag)::text, '"erased"')::json
FROM public.charging_sessions s
WHERE s.user_id = %(id)s AND t.charging_session_id = s.id AND t.stopped_at IS NOT NULL
"""
ERASE: dict[str, str] = {
    "the tags in charges": TAGS_IN_CHARGES,
    "the tags of sessions": "UPDATE public.charging_sessions SET id_tag = NULL WHERE user_id = %(id)s",
    "the tags of reservations": "UPDATE evpower.reservations SET id_tag = NULL WHERE client_id = %(id)s",
    "cards, the phone as a tag among them": "DELETE FROM evpower.ocpp_authorization WHERE client_id = %(id)s",
    "masks of bank cards": """
        UPDATE evpower.top_up_orders o SET card_mask = NULL, challenge = NULL
        FROM public.balance_topups t WHERE t.id = o.topup_id AND t.client_id = %(id)s
          AND (o.card_mask IS NOT NULL OR o.challenge IS NOT NULL)""",
    "phones that are signed in": """
        UPDATE evpower.sign_ins SET ended_at = %(at)s, end_cause = 'revoked'
        WHERE person_id = %(id)s AND kind = 'client' AND ended_at IS NULL""",
    "favorites": "DELETE FROM public.user_favorites WHERE user_id = %(id)s",
    "devices": "DELETE FROM evpower.push_targets WHERE owner_type = 'client' AND owner_id = %(id)s",
    "messages to devices": "DELETE FROM evpower.push_outbox WHERE owner_type = 'client' AND owner_id = %(id)s",
    "which messages are wanted": """
        DELETE FROM evpower.push_preferences WHERE owner_type = 'client' AND owner_id = %(id)s""",
    "watches": "DELETE FROM evpower.favorite_watches WHERE client_id = %(id)s",
    "birthday": "DELETE FROM evpower.client_profiles WHERE client_id = %(id)s",
    "attempts to start": "UPDATE evpower.start_attempts SET client_id = NULL WHERE client_id = %(id)s",
    # Last: with `anonymized`, what other tables hold of a person beside this list is dropped by their own triggers.
    "name, phone and e-mail": """
        UPDATE public.clients SET name = NULL, phone = NULL, email = NULL, anonymized = true, deleted_at = %(at)s,
               updated_at = %(at)s
        WHERE id = %(id)s""",
}
HAS_OPEN_MONEY = """
SELECT EXISTS (SELECT FROM public.charging_sessions WHERE user_id = %(id)s AND settled_at IS NULL)
    OR EXISTS (SELECT FROM evpower.top_up_refunds r JOIN public.balance_topups t ON t.id = r.topup_id
               WHERE t.client_id = %(id)s AND r.state = 'open')
    OR EXISTS (SELECT FROM evpower.reservations WHERE client_id = %(id)s AND ended_at IS NULL) AS open
"""


async def has_open_money(conn: Conn, client_id: ClientId) -> bool:
    """Whether money of this client is still under way: a charge that is not settled, a refund or a reservation
    without an end."""
    row = await (await conn.execute(HAS_OPEN_MONEY, {"id": client_id})).fetchone()
    return bool(row and row["open"])


async def erase_person(conn: Conn, client_id: ClientId, at: datetime) -> None:
    """Everything on the list; the client's row is locked."""
    for statement in ERASE.values():
        await conn.execute(statement, {"id": client_id, "at": at})
