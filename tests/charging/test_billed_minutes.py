"""Minutes are billed by a clock that cannot run ahead of the charge (money-audit A13; safe by default §6)."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from evpower.charging.transaction import TransactionStart, TransactionStop
from evpower.identifiers import SessionId, WireTransactionId
from tests.charging.test_estimates import PRICE_PER_MINUTE
from tests.worlds.charging import ONE, STATION, World


async def begun(world: World, fast_s: float = 0, after_s: float = 60) -> tuple[SessionId, WireTransactionId]:
    """A charge at 10 som a kWh and 2 som a minute, that began `after_s` after its order by our clock; the station's is
    so much fast."""
    await world.give(5000_00)
    await world.sql(PRICE_PER_MINUTE)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    world.clock.advance(after_s)
    at = world.clock.now() + timedelta(seconds=fast_s)
    start = TransactionStart(ONE, await world.tag_of(session_id), 1_000, at, b"{}")
    return session_id, (await world.app.reports.begin_transaction(STATION, start)).wire_transaction_id


async def stop(world: World, transaction_id: WireTransactionId, at: datetime) -> None:
    """The stop after 2 kWh, at this time of the station."""
    report = TransactionStop(transaction_id, 3_000, at, "Local", None, (), b"{}", "StopTransaction")
    await world.app.reports.end_transaction(STATION, report)
    await world.app.settler.work_due()


async def doubts(world: World) -> list[tuple[str, int, int]]:
    rows = await world.sql("SELECT kind, latest_figure, bound FROM evpower.doubts")
    return [(row["kind"], row["latest_figure"], row["bound"]) for row in rows]


async def test_a_clock_corrected_by_six_hours_in_mid_charge_does_not_bill_six_hours(world: World) -> None:
    """A13: ten minutes by our clock; the six hours are a doubt."""
    session_id, transaction_id = await begun(world)
    world.clock.advance(600)
    await stop(world, transaction_id, world.clock.now() + timedelta(hours=6))
    assert (await world.session(session_id)).cost_tyiyn == 20_00 + 10 * 2_00
    assert await doubts(world) == [("clock", 370, 10)]


@pytest.mark.parametrize("after_s", [0, 60])
async def test_a_clock_a_day_behind_at_the_start_costs_nobody_a_som(world: World, after_s: float) -> None:
    """Safe by default §6: the start seems to be a day old; the order was a moment before it."""
    session_id, transaction_id = await begun(world, -86_400, after_s)
    world.clock.advance(600)
    await stop(world, transaction_id, world.clock.now())
    assert (await world.session(session_id)).cost_tyiyn == 20_00 + (10 + after_s // 60) * 2_00
    assert [kind for kind, *_ in await doubts(world)] == ["clock"]


@pytest.mark.parametrize("fast_s", [0, -86_400, 86_400, -3600])
async def test_a_clock_that_is_wrong_all_the_time_measures_right(world: World, fast_s: float) -> None:
    session_id, transaction_id = await begun(world, fast_s)
    at = world.clock.now() + timedelta(seconds=fast_s + 600)
    world.clock.advance(600)
    await stop(world, transaction_id, at)
    assert (await world.session(session_id)).cost_tyiyn == 20_00 + 10 * 2_00
    assert await doubts(world) == []


async def test_a_stop_out_of_a_queue_is_billed_to_its_own_time(world: World) -> None:
    session_id, transaction_id = await begun(world)
    at = world.clock.now() + timedelta(minutes=10)
    world.clock.advance(8 * 3600)
    await stop(world, transaction_id, at)
    assert (await world.session(session_id)).cost_tyiyn == 20_00 + 10 * 2_00


async def test_a_clock_in_doubt_is_none_where_minutes_cost_nothing(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    transaction_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    world.clock.advance(600)
    await stop(world, transaction_id, world.clock.now() + timedelta(hours=6))
    assert await doubts(world) == []


GRANT = """
INSERT INTO evpower.power_grants (grant_id, station_id, connector_id, session_id, transaction, "limit", unit,
                                  current_da, granted_at, lease_until, acked_at, state, lease_s)
VALUES (%s, 'EVP-001-01', 1, %s, %s, %s, 'A', %s, %s, %s, %s, %s, 600)
"""


async def granted(world: World, session_id: SessionId, n: int, limit_a: int, state: str = "accepted") -> None:
    """A grant that its station acknowledged now; one in a start (sent) was not."""
    at, is_start = world.clock.now(), state == "sent"
    ends, acked, transaction = (None, None, None) if is_start else (at + timedelta(seconds=600), at, "1")
    row = (n, session_id, transaction, limit_a, limit_a * 10, at, ends, acked, state)
    await world.sql(GRANT, *row)


async def test_minutes_in_which_we_held_it_at_nothing_are_not_billed(world: World) -> None:
    """roadmap/smart-charging §8 row 9: 30 minutes at 2 som, 12 of them paused by us."""
    session_id, transaction_id = await begun(world, after_s=0)
    world.clock.advance(10 * 60)
    await granted(world, session_id, 1, 0)
    world.clock.advance(5 * 60)
    assert (await world.session(session_id)).suspended_by_site_minutes == 5
    await granted(world, session_id, 2, 0)  # a pause is renewed
    world.clock.advance(7 * 60)
    await granted(world, session_id, 3, 16)
    world.clock.advance(8 * 60)
    await stop(world, transaction_id, world.clock.now())
    session = await world.session(session_id)
    assert (session.cost_tyiyn, session.suspended_by_site_minutes) == (20_00 + 18 * 2_00, 12)
    (receipt,) = await world.sql("SELECT content FROM evpower.receipts")
    assert (receipt["content"]["duration_minutes"], receipt["content"]["suspended_by_site_minutes"]) == (18, 12)


async def test_a_pause_lasts_from_the_start_that_carried_it_and_to_the_end_of_its_lease(world: World) -> None:
    """Ten minutes of lease; after them the station rests at its failsafe, and minutes count again."""
    await world.give(5000_00)
    await world.sql(PRICE_PER_MINUTE)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await granted(world, session_id, 1, 0, "sent")
    start = TransactionStart(ONE, await world.tag_of(session_id), 1_000, world.clock.now(), b"{}")
    transaction_id = (await world.app.reports.begin_transaction(STATION, start)).wire_transaction_id
    world.clock.advance(25 * 60)
    await stop(world, transaction_id, world.clock.now())
    session = await world.session(session_id)
    assert (session.cost_tyiyn, session.suspended_by_site_minutes) == (20_00 + 15 * 2_00, 10)


async def test_a_grant_above_nothing_is_no_pause_and_neither_is_one_that_was_refused(world: World) -> None:
    session_id, transaction_id = await begun(world, after_s=0)
    await granted(world, session_id, 1, 6)
    at = world.clock.now()
    refused = (2, session_id, "1", 0, 0, at, at + timedelta(seconds=600), None, "rejected")
    await world.sql(GRANT, *refused)
    world.clock.advance(10 * 60)
    await stop(world, transaction_id, world.clock.now())
    assert (await world.session(session_id)).cost_tyiyn == 20_00 + 10 * 2_00
