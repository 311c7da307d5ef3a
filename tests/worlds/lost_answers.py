"""Requests whose process died between their effect and their answer."""

from evpower.idempotency.claim import RUNS_AT_MOST_S

#: So long ago that a repeat waits for no answer any more.
LOSE_ANSWERS = f"""
UPDATE evpower.idempotency_keys SET status_code = NULL, response = NULL,
                                    created_at = created_at - interval '{RUNS_AT_MOST_S} s'
"""
