"""What PostgreSQL refuses to write although it answers is known afterwards (money audit B3)."""

from __future__ import annotations

import psycopg
import pytest
from trio.testing import MockClock

from evpower.db.pool import Pool
from evpower.db.refused_writes import NEWS_FOR_S
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import KeyRows
from evpower.identifiers import ClientId
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import SetClock

#: PostgreSQL's SQLSTATEs cannot be had by filling a disk in a test; a trigger raises them as it does.
REFUSE = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION SQLSTATE '{}'; END $$;
CREATE TRIGGER refuse BEFORE INSERT ON evpower.idempotency_keys FOR EACH ROW EXECUTE FUNCTION refuse();
"""
CLAIM = IdempotencyClaim(ClientId("c"), "key", "POST", "/", "hash")


async def refused(pool: Pool, sqlstate: str) -> None:
    async with by_hand(pool) as conn:
        await conn.execute(REFUSE.format(sqlstate).encode())
    with pytest.raises(psycopg.Error):
        await KeyRows(pool, SetClock()).store_answer(CLAIM, {}, 200)


@pytest.mark.parametrize(
    ("sqlstate", "reason"), [("53100", "DiskFull"), ("58030", "IoError"), ("25006", "ReadOnlySqlTransaction")]
)
async def test_a_refused_write_is_known_with_its_room_and_reason(pool: Pool, sqlstate: str, reason: str) -> None:
    await refused(pool, sqlstate)
    last = pool.refused_writes.last
    assert last is not None
    assert (last.room, last.reason) == ("idempotency", reason)


@pytest.mark.parametrize("sqlstate", ["40P01", "23505", "22003"])
async def test_a_conflict_or_a_wrong_value_is_none(pool: Pool, sqlstate: str) -> None:
    await refused(pool, sqlstate)
    assert pool.refused_writes.last is None


async def test_it_is_news_for_a_minute(pool: Pool, mock_clock: MockClock) -> None:
    await refused(pool, "53100")
    mock_clock.jump(NEWS_FOR_S + 1)
    assert pool.refused_writes.last is None
