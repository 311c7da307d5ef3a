"""What a text may be the beginning of: each kind has an index of its beginnings (0057)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from evpower.db.connection import Conn

FoundKind = Literal["charge", "client", "payment", "station", "card"]
#: More of a kind are no answer.
MOST_OF_A_KIND = 20

FIND = r"""
(SELECT 'charge' AS kind, s.id, s.station_id || '/' || s.connector_id AS note FROM public.charging_sessions s
 WHERE s.id LIKE %(begins)s ORDER BY s.created_at DESC LIMIT %(most)s)
UNION ALL
(SELECT 'charge', t.charging_session_id, t.station_id || '/' || t.connector_id FROM evpower.ocpp_transactions t
 WHERE t.wire_transaction_id = %(text)s AND t.charging_session_id IS NOT NULL ORDER BY t.id DESC LIMIT %(most)s)
UNION ALL
(SELECT 'charge', a.session_id, a.correlation_id FROM evpower.start_attempts a
 WHERE a.correlation_id = %(text)s AND a.session_id IS NOT NULL LIMIT 1)
UNION ALL
(SELECT 'client', c.id, coalesce(c.name, '') FROM public.clients c
 WHERE c.id LIKE %(begins)s OR c.phone LIKE %(begins)s OR c.phone LIKE %(phone)s LIMIT %(most)s)
UNION ALL
(SELECT 'client', c.id, coalesce(c.name, '') FROM public.clients c
 WHERE %(ends)s <> '' AND c.phone LIKE %(ends)s OR %(name)s <> '' AND c.name ILIKE %(name)s
 ORDER BY c.created_at DESC LIMIT %(most)s)
UNION ALL
(SELECT 'payment', b.client_id, b.order_id || ' ' || b.invoice_id FROM public.balance_topups b
 WHERE b.invoice_id LIKE %(begins)s OR b.order_id LIKE %(begins)s ORDER BY b.id DESC LIMIT %(most)s)
UNION ALL
(SELECT 'station', s.id, s.serial_number FROM public.stations s
 WHERE s.id ILIKE %(begins)s OR s.serial_number ILIKE %(begins)s ORDER BY s.id LIMIT %(most)s)
UNION ALL
(SELECT 'card', coalesce(a.client_id, ''), a.id_tag FROM evpower.ocpp_authorization a
 WHERE lower(a.id_tag) = lower(%(text)s) LIMIT 1)
"""

# Places that agree from the left and from the right: one wrong character costs two of them, one too many or too few as
# many as stand behind it on one side, and none on the other.
NEAREST_STATIONS = """
SELECT 'station' AS kind, s.id, s.serial_number AS note FROM public.stations s
CROSS JOIN LATERAL (SELECT max(agree) AS agree FROM (
    SELECT (SELECT count(*) FROM generate_series(1, length(name)) i
            WHERE substr(name, i, 1) = substr(lower(%(text)s), i, 1))
         + (SELECT count(*) FROM generate_series(1, length(name)) i
            WHERE substr(reverse(name), i, 1) = substr(reverse(lower(%(text)s)), i, 1)) AS agree
    FROM unnest(ARRAY[lower(s.id), lower(s.serial_number)]) name
    WHERE abs(length(name) - length(%(text)s)) <= 2) names) near
WHERE near.agree >= length(%(text)s) - 1 ORDER BY near.agree DESC, s.id LIMIT %(most)s
"""


@dataclass(frozen=True)
class FoundRow:
    """A row that a text leads to; `id` is the client's for a payment and a card."""

    kind: FoundKind
    id: str
    note: str


async def find(conn: Conn, text: str, phone: str, last_digits: str) -> list[FoundRow]:
    """Rows whose ids begin with the text, or that have it as theirs."""
    plain = text
    for special in ("\\", "%", "_"):
        plain = plain.replace(special, f"\\{special}")
    parameters = {
        "text": text,
        "begins": f"{plain}%",
        "phone": f"{phone}%" if phone else "",
        "ends": f"%{last_digits}" if last_digits else "",
        "name": f"%{plain}%" if (plain.isprintable() and not plain.isascii()) or plain.isalpha() else "",
        "most": MOST_OF_A_KIND,
    }
    rows = await (await conn.execute(FIND, parameters)).fetchall()
    return list(dict.fromkeys(FoundRow(**row) for row in rows))


async def nearest_stations(conn: Conn, text: str, most: int) -> list[FoundRow]:
    """Stations whose id or serial number is the text but for a character or two, the most alike first."""
    cursor = await conn.execute(NEAREST_STATIONS, {"text": text, "most": most})
    return [FoundRow(**row) for row in await cursor.fetchall()]
