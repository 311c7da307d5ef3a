"""`signs.is_failed` in SQL, for rooms that count failed starts: the constants are the rule's, a test compares both."""

from __future__ import annotations

from collections.abc import Mapping

from evpower.health.signs import CHANGED_THEIR_MIND, NOT_THE_CLIENTS

#: Of an attempt `a`.
FAILED = """(
    a.answer = ANY(%(not_the_clients)s) OR lower(a.answer) = 'accepted' AND a.door <> 'card' AND EXISTS (
        SELECT FROM evpower.session_phases p WHERE p.session_id = a.session_id AND p.phase = 'released'
        AND (p.stop_requested_at IS NULL OR p.stop_requested_at - a.attempted_at >= %(changed_their_mind)s))
    AND NOT EXISTS (SELECT FROM evpower.ocpp_transactions t WHERE t.charging_session_id = a.session_id))"""
FAILED_BY: Mapping[str, object] = {
    "not_the_clients": list(NOT_THE_CLIENTS),
    "changed_their_mind": CHANGED_THEIR_MIND,
}
