"""Idempotency keys and the answers given under them (billing-rules §8, design §9.7).

A key is claimed in the unit of work of its effect, so the effect and the key are there together or not at all; its
answer is stored afterwards, and a key without one means that the answer was lost, or is still being made.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from evpower.db.connection import Conn
from evpower.errors import IdempotencyMismatch
from evpower.idempotency.claim import RUNS_AT_MOST_S, TWIN_WAIT_S, IdempotencyClaim, StoredAnswer
from evpower.identifiers import ClientId, SessionId

# Whoever asks has waited for twins of its own process: a claim of that process without an answer has lost it. So has
# one of a process without a connection (`db/pool.py` names them): it was killed.
FIND_KEY = """
SELECT method, path, body_hash, session_id, order_id, status_code, response, created_at,
       status_code IS NULL AND (process_id IS NULL OR (
           process_id <> coalesce(current_setting('evpower.process_id', true), '')
           AND EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'evpower ' || process_id))) AS may_run
FROM evpower.idempotency_keys WHERE client_id = %(client_id)s AND key = %(key)s
"""

CLAIM_KEY = """
INSERT INTO evpower.idempotency_keys
    (client_id, key, method, path, body_hash, session_id, order_id, created_at)
VALUES (%(client_id)s, %(key)s, %(method)s, %(path)s, %(body_hash)s, %(session_id)s, %(order_id)s, %(at)s)
ON CONFLICT (client_id, key) DO NOTHING
"""

#: A refusal comes without a claim, so its row is made here; a key that has an answer keeps it.
STORE_ANSWER = """
INSERT INTO evpower.idempotency_keys AS k
    (client_id, key, method, path, body_hash, status_code, response, created_at)
VALUES (%(client_id)s, %(key)s, %(method)s, %(path)s, %(body_hash)s, %(status_code)s, %(response)s::json, %(at)s)
ON CONFLICT (client_id, key) DO UPDATE SET status_code = excluded.status_code, response = excluded.response
WHERE k.status_code IS NULL AND (k.method, k.path, k.body_hash) = (excluded.method, excluded.path, excluded.body_hash)
"""

FORGET_KEYS = "DELETE FROM evpower.idempotency_keys WHERE created_at < %(before)s"


async def find_key(conn: Conn, client_id: ClientId, key: str, at: datetime) -> StoredAnswer | None:
    """What is known of a client's key at a moment."""
    row = await (await conn.execute(FIND_KEY, {"client_id": client_id, "key": key})).fetchone()
    if row is None:
        return None
    claim = IdempotencyClaim(client_id, key, row["method"], row["path"], row["body_hash"])
    left_s = RUNS_AT_MOST_S - (at - row["created_at"]).total_seconds() if row["may_run"] else 0
    wait_s = max(0, min(TWIN_WAIT_S, left_s))
    return StoredAnswer(claim, row["session_id"], row["status_code"], row["response"], row["order_id"], wait_s)


async def claim_key(
    conn: Conn,
    claim: IdempotencyClaim,
    session_id: SessionId | None,
    at: datetime,
    *,
    order_id: str | None = None,
) -> None:
    """Bind the key to the session its request made or ended, or the top-up it made, in the same unit of work.

    Waits for another process that is claiming it; IdempotencyMismatch when the key is taken.
    """
    parameters = {**_columns(claim), "session_id": session_id, "order_id": order_id, "at": at}
    cursor = await conn.execute(CLAIM_KEY, parameters)
    if cursor.rowcount == 0:
        raise IdempotencyMismatch


async def store_answer(
    conn: Conn, claim: IdempotencyClaim, answer: Mapping[str, Any], status: int, at: datetime
) -> None:
    """Keep an answer, unchanged, unless the key has one already."""
    response = msgspec.json.encode(answer).decode()
    await conn.execute(STORE_ANSWER, {**_columns(claim), "status_code": status, "response": response, "at": at})


async def forget_older_than(conn: Conn, before: datetime) -> int:
    """Delete keys made before a moment; how many there were."""
    return (await conn.execute(FORGET_KEYS, {"before": before})).rowcount


def _columns(claim: IdempotencyClaim) -> dict[str, Any]:
    return {
        "client_id": claim.client_id,
        "key": claim.key,
        "method": claim.method,
        "path": claim.path,
        "body_hash": claim.body_hash,
    }
