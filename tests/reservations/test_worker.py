"""What happens to reservations later: messages, wrong clocks, and several processes (roadmap/reservations §6, §7)."""

from __future__ import annotations

import trio

from tests.worlds.reservations import ParkingLot

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


async def test_many_workers_end_it_once(lot: ParkingLot) -> None:
    await lot.give(300_00)
    await lot.reserve()
    lot.clock.advance(15 * 60)
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(lot.app.reservations.worker.work_due)
    assert lot.app.reservations.ends.ends == {"no_show": 1}
    assert await lot.balance() == 235_00


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
