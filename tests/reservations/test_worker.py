"""What happens to reservations later: messages, wrong clocks, and several processes (roadmap/reservations §6, §7)."""

from __future__ import annotations

import pytest
import trio

from evpower.accounts.rows.erasure import has_open_money
from evpower.billing.errors import ClientBlocked
from evpower.billing.rows.day_book import read_held
from evpower.db.unit_of_work import reading
from evpower.errors import SessionAlreadyActive
from evpower.events import StationChanged
from evpower.reservations.errors import ReservationOver
from evpower.server.rows.money_figures import read_money_figures
from tests.worlds.charging import CLIENT, STATION
from tests.worlds.reservations import OTHER, ParkingLot

CHECK = "reservations whose hold or fee is not what their status says"


async def test_the_holder_is_warned_once_and_told_of_the_end(lot: ParkingLot) -> None:
    await lot.register_phone()
    await lot.give(300_00)
    await lot.reserve()
    await lot.work(12 * 60 - 1)
    assert await lot.messages() == []
    for _ in range(2):
        await lot.work(1)
        assert await lot.messages() == ["reservation_expiring"]
    await lot.work(3 * 60)
    assert await lot.messages() == ["reservation_expiring", "reservation_ended"]


async def test_what_a_driver_ends_is_no_news_to_him(lot: ParkingLot) -> None:
    await lot.register_phone()
    await lot.give(300_00)
    await lot.cancel(await lot.reserve())
    await lot.reserve()
    await lot.order(energy_wh=1_000)
    assert await lot.messages() == []


async def test_one_that_is_kept_longer_is_warned_of_its_new_end(lot: ParkingLot) -> None:
    await lot.register_phone()
    await lot.give(300_00)
    made = await lot.reserve()
    await lot.work(12 * 60)
    await lot.app.reservations.service.extend(made.record.client_id, made.record.id, 15)
    await lot.work(15 * 60)
    assert await lot.messages() == ["reservation_expiring", "reservation_expiring"]
    assert (await lot.read(made)).record.status == "reserved"


async def test_nothing_ends_while_the_wall_clock_is_in_doubt(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    lot.clock.jump(3600)
    await lot.work()
    assert (await lot.read(made)).record.status == "reserved"
    await lot.work(601)
    assert (await lot.read(made)).record.status == "no_show"


@pytest.mark.parametrize("jump_s", [3600, -3600])
async def test_what_its_driver_ends_costs_the_time_that_passed_whatever_the_clock_says(
    lot: ParkingLot, jump_s: int
) -> None:
    """By a clock that jumped it would be over, with all that was held, or have not begun."""
    await lot.give(300_00)
    made = await lot.reserve()
    lot.clock.advance(9 * 60 + 59)
    lot.clock.jump(jump_s)
    ended, _ = await lot.cancel(made)
    assert (ended.record.status, ended.record.fee_tyiyn) == ("canceled", 9_00)


async def test_many_workers_end_it_once(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.reserve()
    lot.clock.advance(15 * 60)
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(lot.app.reservations.worker.work_due)
    assert lot.app.reservations.ends.ends == {"no_show": 1}
    assert await lot.balance() == 235_00


async def test_whose_station_was_away_pays_nothing_although_the_time_was_over_before_anybody_looked(
    lot: ParkingLot,
) -> None:
    """A process that begins finds both at once: a lost place comes first."""
    await lot.give(300_00)
    made = await lot.reserve()
    await lot.sql("UPDATE stations SET last_heartbeat_at = %s", lot.clock.now())
    lot.link.connected.clear()
    lot.clock.advance(15 * 60)
    with trio.fail_after(10), lot.app.bus.subscribe(lambda event: event == StationChanged(STATION)) as changes:
        async with trio.open_nursery() as nursery:
            await nursery.start(lot.app.reservations.worker.run)
            await changes.receive()
            nursery.cancel_scope.cancel()
    ended = (await lot.read(made)).record
    assert (ended.status, ended.canceled_by, ended.fee_tyiyn) == ("canceled", "system", 0)


@pytest.mark.parametrize("after_s", [3600, None])
async def test_who_is_blocked_while_a_connector_is_kept_pays_nothing(lot: ParkingLot, after_s: float | None) -> None:
    """It could not begin any more; and others may have the connector."""
    await lot.give(300_00)
    made = await lot.reserve(after_s=after_s)
    lot.clock.advance(7 * 60)
    await lot.sql("UPDATE clients SET status = 'blocked' WHERE id = %s", CLIENT)
    with pytest.raises(ClientBlocked):
        await lot.app.reservations.service.extend(CLIENT, made.record.id, 15)
    await lot.work()
    ended = (await lot.read(made)).record
    assert (ended.status, ended.canceled_by, ended.reason, ended.fee_tyiyn) == ("canceled", "operator", "blocked", 0)
    assert await lot.balance() == 300_00


async def test_it_is_made_longer_by_the_time_that_passed_whatever_the_clock_says(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    lot.clock.advance(60)
    lot.clock.jump(3600)
    longer = await lot.app.reservations.service.extend(CLIENT, made.record.id, 15)
    assert longer.record.minutes == 30
    lot.clock.advance(30 * 60)
    with pytest.raises(ReservationOver):
        await lot.app.reservations.service.extend(CLIENT, made.record.id, 15)


async def test_what_a_dead_process_has_claimed_is_done_after_its_lease(lot: ParkingLot) -> None:
    await lot.give(300_00)
    made = await lot.reserve()
    lot.clock.advance(15 * 60)
    await lot.sql("UPDATE evpower.reservations SET lease_until = %s + interval '2 minutes'", lot.clock.now())
    await lot.work(119)
    assert (await lot.read(made)).record.status == "reserved"
    await lot.work(1)
    assert (await lot.read(made)).record.status == "no_show"


async def test_the_ledger_check_finds_a_hold_that_outlived_its_reservation(lot: ParkingLot) -> None:
    """And a fee that is not what the row says; both rows are set right again for the check at the end."""
    await lot.give(300_00)
    made = await lot.reserve()
    over = "status = 'no_show', fee_tyiyn = 6500, ended_at = created_at"
    lives = "status = 'reserved', fee_tyiyn = NULL, ended_at = NULL"
    for wrong, right in ((over, lives), ("hold_tyiyn = 6600", "hold_tyiyn = 6500")):
        await lot.sql(f"UPDATE evpower.reservations SET {wrong}")
        found = await lot.app.billing.check()
        assert {what: [row["id"] for row in rows] for what, rows in found.problems.items()} == {CHECK: [made.record.id]}
        await lot.sql(f"UPDATE evpower.reservations SET {right}")


async def test_what_reservations_hold_is_shown_as_held(lot: ParkingLot) -> None:
    """To the client, to an operator, in the day's book and in the figures."""
    await lot.give(300_00)
    made = await lot.reserve()
    for held in (65_00, 0):
        balance = await lot.app.billing.balance(CLIENT)
        assert (balance.balance_tyiyn, balance.reserved_tyiyn) == (300_00 - held, held)
        assert (await lot.app.case_files.client(CLIENT)).client.held_by_reservations_tyiyn == held
        async with reading(lot.pool) as conn:
            assert (await read_money_figures(conn, lot.clock.now())).held_by_reservations == held
            book = await read_held(conn)
        assert (book.rows_tyiyn, book.ledger_tyiyn) == (held, held)
        await lot.cancel(made)


async def test_an_account_is_not_merged_or_erased_while_it_has_a_reservation(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.give(1_00, OTHER)
    made = await lot.reserve()
    async with reading(lot.pool) as conn:
        assert await has_open_money(conn, CLIENT)
    with pytest.raises(SessionAlreadyActive):
        await lot.app.merging.merge(CLIENT, OTHER, "same person", "test")
    await lot.cancel(made)
    async with reading(lot.pool) as conn:
        assert not await has_open_money(conn, CLIENT)
    await lot.app.merging.merge(CLIENT, OTHER, "same person", "test")
    assert await lot.sql("SELECT client_id FROM evpower.reservations") == [{"client_id": OTHER}]
