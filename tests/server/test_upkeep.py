"""Days made ahead and dropped whole, and idempotency keys forgotten (design §9.14, billing-rules §8)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import pytest
import trio
from trio.testing import MockClock

from evpower.clock import ClockWatch
from evpower.db import partitions as partitions_module
from evpower.db.partitions import maintain_partitions
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.idempotency.claim import IdempotencyClaim
from evpower.idempotency.keys import claim_key
from evpower.identifiers import ClientId, SessionId
from evpower.server.upkeep import Upkeep, follow_clock
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import NOON, SetClock

TODAY = NOON.date()
KEEP = {"ocpp_meter_values": 30, "ocpp_frames": 2}
PARTITIONS = """
SELECT c.relname AS name FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid WHERE c.relkind = 'r' ORDER BY 1
"""
METER_VALUE = """
INSERT INTO evpower.ocpp_meter_values (station_id, connector_id, measured_at, received_at, sampled_values)
VALUES ('s', 1, %(at)s, %(at)s, '[]') RETURNING tableoid::regclass::text AS partition
"""


@dataclass(frozen=True)
class Days:
    meter_value_retention_days: int = 30
    frame_retention_days: int = 2


@pytest.fixture
async def made(pool: Pool) -> Pool:
    """A database with the partitions of today."""
    async with by_hand(pool) as conn:
        await maintain_partitions(conn, TODAY, KEEP)
    return pool


async def maintain(pool: Pool, today: date) -> tuple[list[str], list[str]]:
    async with by_hand(pool) as conn:
        return await maintain_partitions(conn, today, KEEP)


async def partitions(pool: Pool) -> list[str]:
    async with by_hand(pool) as conn:
        return [row["name"] for row in await (await conn.execute(PARTITIONS)).fetchall()]


async def partition_of(pool: Pool, at: datetime) -> str:
    async with by_hand(pool) as conn:
        row = await (await conn.execute(METER_VALUE, {"at": at})).fetchone()
    assert row is not None
    return str(row["partition"])


async def test_today_and_three_days_are_made_ahead(pool: Pool) -> None:
    made, dropped = await maintain(pool, TODAY)
    days = ["20261123", "20261124", "20261125", "20261126"]
    assert sorted(made) == [f"ocpp_frames_{day}" for day in days] + [f"ocpp_meter_values_{day}" for day in days]
    assert dropped == []


async def test_a_second_time_nothing_is_left_to_do(made: Pool) -> None:
    assert await maintain(made, TODAY) == ([], [])


async def test_the_next_day_makes_one_more(made: Pool) -> None:
    assert await maintain(made, TODAY + timedelta(days=1)) == (
        ["ocpp_meter_values_20261127", "ocpp_frames_20261127"],
        [],
    )


async def test_a_day_is_dropped_when_it_is_past_its_own_tables_retention(made: Pool) -> None:
    assert (await maintain(made, TODAY + timedelta(days=2)))[1] == []
    assert (await maintain(made, TODAY + timedelta(days=3)))[1] == ["ocpp_frames_20261123"]
    assert (await maintain(made, TODAY + timedelta(days=31)))[1][:1] == ["ocpp_meter_values_20261123"]


async def test_the_default_partitions_are_never_dropped(made: Pool) -> None:
    await maintain(made, TODAY + timedelta(days=4000))
    assert {"ocpp_frames_default", "ocpp_meter_values_default"} <= set(await partitions(made))


@pytest.mark.parametrize(
    ("at", "partition"),
    [
        (datetime(2026, 11, 23, 0, 0, tzinfo=UTC), "evpower.ocpp_meter_values_20261123"),
        (datetime(2026, 11, 23, 23, 59, 59, 999999, tzinfo=UTC), "evpower.ocpp_meter_values_20261123"),
        (datetime(2026, 11, 24, 0, 0, tzinfo=UTC), "evpower.ocpp_meter_values_20261124"),
        (datetime(2026, 11, 22, 12, 0, tzinfo=UTC), "evpower.ocpp_meter_values_default"),
        (datetime(2026, 12, 22, 12, 0, tzinfo=UTC), "evpower.ocpp_meter_values_default"),
    ],
)
async def test_rows_go_to_their_utc_day_and_strays_to_the_default(made: Pool, at: datetime, partition: str) -> None:
    assert await partition_of(made, at) == partition


async def test_rows_that_arrived_before_their_day_was_made_move_into_it(pool: Pool) -> None:
    """Maintenance was away for longer than the days made ahead: it must not fail ever after."""
    assert await partition_of(pool, NOON) == "evpower.ocpp_meter_values_default"
    made, _ = await maintain(pool, TODAY)
    assert "ocpp_meter_values_20261123" in made
    async with by_hand(pool) as conn:
        cursor = await conn.execute("SELECT tableoid::regclass::text AS partition FROM evpower.ocpp_meter_values")
        assert await cursor.fetchall() == [{"partition": "evpower.ocpp_meter_values_20261123"}]


async def test_a_table_that_somebody_holds_for_long_is_left_for_the_next_time(
    made: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A backup reads every table for hours; whoever waited behind it would make the chargers' writer wait too."""
    monkeypatch.setattr(partitions_module, "BRIEFLY", "SET LOCAL lock_timeout = '50ms'")
    async with unit_of_work(made) as backup:
        await backup.conn.execute("LOCK TABLE evpower.ocpp_frames IN ACCESS SHARE MODE")
        assert (await maintain(made, TODAY + timedelta(days=3)))[1] == []
    assert (await maintain(made, TODAY + timedelta(days=3)))[1] == ["ocpp_frames_20261123"]


async def test_two_processes_at_once_make_each_day_once(pool: Pool) -> None:
    made: list[str] = []

    async def work() -> None:
        made.extend((await maintain(pool, TODAY))[0])

    async with trio.open_nursery() as processes:
        for _ in range(4):
            processes.start_soon(work)
    assert (len(made), len(set(made))) == (8, 8)


async def test_idempotency_keys_are_forgotten_after_seven_days(pool: Pool) -> None:
    clock = SetClock()
    upkeep = Upkeep(pool, ClockWatch(clock), Days(), 7)
    async with by_hand(pool) as conn:
        for key, age in (("old", timedelta(days=7, seconds=1)), ("kept", timedelta(days=6, hours=23))):
            claim = IdempotencyClaim(ClientId("c"), key, "POST", "/", "hash")
            await claim_key(conn, claim, SessionId("s"), NOON - age)
        await upkeep.work()
        cursor = await conn.execute("SELECT key FROM evpower.idempotency_keys")
        assert await cursor.fetchall() == [{"key": "kept"}]


async def test_upkeep_makes_the_days_before_it_is_ready(pool: Pool) -> None:
    async with trio.open_nursery() as workers:
        await workers.start(Upkeep(pool, ClockWatch(SetClock()), Days(), 7).run)
        assert "ocpp_meter_values_20261123" in await partitions(pool)
        workers.cancel_scope.cancel()


async def test_what_a_jump_asks_for_is_repeated_until_it_succeeds(autojump_clock: MockClock) -> None:
    """Money audit B2: the database may be away when the clock jumps."""
    clock, asked = SetClock(), 0
    done = trio.Event()

    async def on_jump() -> None:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise OSError
        done.set()

    async with trio.open_nursery() as workers:
        workers.start_soon(follow_clock, ClockWatch(clock, clock.steady_s), on_jump)
        await trio.sleep(10)
        assert asked == 0
        clock.jump(3600)
        await done.wait()
        await trio.sleep(10)
        assert asked == 2
        workers.cancel_scope.cancel()
