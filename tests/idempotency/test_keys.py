"""Idempotency keys in PostgreSQL (billing-rules §8): one effect, the first answer, seven days."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import trio

from evpower.db.pool import Pool, open_pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import IdempotencyMismatch
from evpower.idempotency.claim import IdempotencyClaim, StoredAnswer
from evpower.idempotency.keys import KeyRows, claim_key
from evpower.idempotency.rows.keys import find_key, forget_older_than
from evpower.identifiers import ClientId, ProcessId, SessionId
from tests.worlds.by_hand import by_hand

NOON = datetime(2025, 9, 30, 12, tzinfo=UTC)
CLIENT = ClientId("6f1c")
SESSION = SessionId("0b6e")
CLAIM = IdempotencyClaim(CLIENT, "key-1", "POST", "/api/v1/charging/start", "hash")
ANSWER = {"success": True, "reserved_amount": 270, "final_cost": 202.5, "message": "Зарядка ⋅ 15", "stop_time": None}


class Noon:
    def now(self) -> datetime:
        return NOON


@pytest.fixture
def keys(pool: Pool) -> KeyRows:
    return KeyRows(pool, Noon())


async def claimed(pool: Pool, claim: IdempotencyClaim = CLAIM) -> None:
    async with unit_of_work(pool) as uow:
        await claim_key(uow.conn, claim, SESSION, NOON)


async def test_a_key_is_unknown_until_it_is_used(keys: KeyRows) -> None:
    assert await keys.find(CLIENT, "key-1") is None


async def test_a_claimed_key_knows_its_request_and_session_and_has_no_answer(pool: Pool, keys: KeyRows) -> None:
    await claimed(pool)
    assert await keys.find(CLIENT, "key-1") == StoredAnswer(CLAIM, SESSION, None, None, wait_s=5)


@pytest.mark.parametrize(("age_s", "wait_s"), [(-3600, 5), (0, 5), (5, 5), (8, 2), (10, 0), (3600, 0)])
async def test_an_answer_is_waited_for_while_its_request_may_be_running(
    pool: Pool, keys: KeyRows, age_s: int, wait_s: int
) -> None:
    async with unit_of_work(pool) as uow:
        await claim_key(uow.conn, CLAIM, SESSION, NOON - timedelta(seconds=age_s))
    assert await keys.find(CLIENT, "key-1") == StoredAnswer(CLAIM, SESSION, None, None, wait_s=wait_s)


async def test_an_answer_is_waited_for_as_long_as_the_process_that_claims_lives(database_url: str) -> None:
    """A killed process answers nothing more: its twin rebuilds at once. Nor does ours, whose twins were waited for."""
    waits: list[float] = []

    async def look(process_id: ProcessId) -> None:
        async with open_pool(database_url, process_id=process_id) as pool:
            stored = await KeyRows(pool, Noon()).find(CLIENT, "key-1")
            assert stored is not None
            waits.append(stored.wait_s)

    async with open_pool(database_url, process_id=ProcessId("a")) as pool_a:
        await claimed(pool_a)
        await look(ProcessId("a"))
        await look(ProcessId("b"))
    with trio.fail_after(10):  # PostgreSQL notices within moments that its client is gone
        while waits[-1]:
            await look(ProcessId("b"))
    assert waits[:2] == [0, 5]


async def test_an_answer_is_kept_word_for_word(pool: Pool, keys: KeyRows) -> None:
    await claimed(pool)
    await keys.store_answer(CLAIM, ANSWER, 200)
    stored = await keys.find(CLIENT, "key-1")
    assert stored == StoredAnswer(CLAIM, SESSION, 200, ANSWER)
    assert stored.response is not None
    assert list(stored.response) == list(ANSWER)


async def test_a_refusal_is_kept_without_a_claim(keys: KeyRows) -> None:
    await keys.store_answer(CLAIM, {"success": False}, 200)
    assert await keys.find(CLIENT, "key-1") == StoredAnswer(CLAIM, None, 200, {"success": False})


async def test_a_key_keeps_its_first_answer(keys: KeyRows) -> None:
    await keys.store_answer(CLAIM, ANSWER, 200)
    await keys.store_answer(CLAIM, {"success": False}, 409)
    stored = await keys.find(CLIENT, "key-1")
    assert stored is not None
    assert (stored.status_code, stored.response) == (200, ANSWER)


@pytest.mark.parametrize(
    "other", [replace(CLAIM, method="PUT"), replace(CLAIM, path="/other"), replace(CLAIM, body_hash="other")]
)
async def test_another_request_cannot_answer_for_a_key(pool: Pool, keys: KeyRows, other: IdempotencyClaim) -> None:
    await claimed(pool)
    await keys.store_answer(other, ANSWER, 200)
    assert await keys.find(CLIENT, "key-1") == StoredAnswer(CLAIM, SESSION, None, None, wait_s=5)


async def test_a_key_cannot_be_claimed_twice(pool: Pool) -> None:
    await claimed(pool)
    with pytest.raises(IdempotencyMismatch):
        await claimed(pool)


async def test_keys_belong_to_their_client(pool: Pool) -> None:
    await claimed(pool)
    await claimed(pool, IdempotencyClaim(ClientId("other"), "key-1", "POST", "/api/v1/charging/start", "hash"))


async def claimed_and_failed(pool: Pool) -> None:
    async with unit_of_work(pool) as uow:
        await claim_key(uow.conn, CLAIM, SESSION, NOON)
        raise LookupError


async def test_a_claim_goes_with_its_unit_of_work(pool: Pool, keys: KeyRows) -> None:
    with pytest.raises(LookupError):
        await claimed_and_failed(pool)
    assert await keys.find(CLIENT, "key-1") is None


async def test_of_ten_that_claim_at_once_one_wins(pool: Pool) -> None:
    outcomes: list[str] = []

    async def claim() -> None:
        try:
            await claimed(pool)
        except IdempotencyMismatch:
            outcomes.append("lost")
        else:
            outcomes.append("won")

    with trio.fail_after(10):
        async with trio.open_nursery() as claimants:
            for _ in range(10):
                claimants.start_soon(claim)
    assert sorted(outcomes) == ["lost"] * 9 + ["won"]


async def test_old_keys_are_forgotten_and_young_ones_kept(pool: Pool) -> None:
    await claimed(pool)
    async with by_hand(pool) as conn:
        assert await forget_older_than(conn, NOON) == 0
        assert await find_key(conn, CLIENT, "key-1", NOON) is not None
        assert await forget_older_than(conn, NOON + timedelta(seconds=1)) == 1
        assert await find_key(conn, CLIENT, "key-1", NOON) is None
