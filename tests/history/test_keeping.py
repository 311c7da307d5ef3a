"""A settlement keeps the curve and gives a numbered receipt, in one unit of work with the money (history page §1)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import trio

from evpower.history.rows import curves as curve_rows
from evpower.history.rows import receipts as receipt_rows
from evpower.identifiers import SessionId, WireTransactionId
from tests.charging.test_stops import stop
from tests.worlds.charging import CLIENT, ONE, TWO, World

NUMBERS = "SELECT year, serial, revision, energy_wh, amount_tyiyn FROM evpower.receipts ORDER BY year, serial"


async def receipts(world: World) -> list[tuple[object, ...]]:
    return [tuple(row.values()) for row in await world.sql(NUMBERS)]


async def content(world: World, revision: int = 1) -> Any:
    rows = await world.sql("SELECT content FROM evpower.receipts WHERE revision = %s", revision)
    return rows[0]["content"]


async def points(world: World) -> list[dict[str, int]]:
    (row,) = await world.sql("SELECT points FROM evpower.session_curves")
    points: list[dict[str, int]] = row["points"]
    return points


async def estimated(world: World) -> tuple[SessionId, WireTransactionId]:
    """2 kWh by the last reading, stopped by phone, the station away."""
    await world.give(540_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    world.clock.advance(600)
    await world.meter(wire_id, 3_000)
    world.link.connected.clear()
    await stop(world, session_id)
    return session_id, wire_id


async def test_the_second_worked_example_is_printed_with_its_numbers(world: World) -> None:
    """Billing-rules #2: 20 kWh held, 15 delivered at 13.5."""
    await world.give(300_00)
    await world.charge((await world.order(energy_wh=20_000)).session.session_id, 15_000)
    assert await receipts(world) == [(2026, 1, 1, 15_000, 202_50)]
    document = await content(world)
    assert [line["text"] for line in document["lines"]] == ["15 кВт⋅ч × 13,5 = 202,50"]
    assert (document["amount"], document["refunded_amount"], document["reserved_amount"]) == (202.5, 67.5, 270)
    assert document["location"] == {"name": "ТЦ Дордой Плаза", "address": "Бишкек, ул. Московская, 123"}


async def test_a_charge_that_never_began_has_no_receipt(world: World) -> None:
    await world.give(540_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    assert await world.app.settler.release(session_id, status="stopped", cause="driver", reason="Local")
    assert await receipts(world) == []


async def test_a_second_settlement_takes_no_number(world: World) -> None:
    await world.give(540_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    await world.charge(session_id, 1_000)
    await world.app.settler.settle(session_id)
    await world.charge((await world.order(energy_wh=10_000)).session.session_id, 2_000)
    assert [row[:3] for row in await receipts(world)] == [(2026, 1, 1), (2026, 2, 1)]


async def test_a_correction_makes_a_second_document_and_draws_the_curve_once_more(world: World) -> None:
    session_id, wire_id = await estimated(world)
    assert await receipts(world) == [(2026, 1, 1, 2_000, 27_00)]
    assert (await content(world))["estimated"]
    world.clock.advance(60)
    await world.end(wire_id, 4_000)
    await world.app.settler.work_due()
    assert await receipts(world) == [(2026, 1, 1, 2_000, 27_00), (2026, 2, 2, 3_000, 40_50)]
    assert (await content(world))["amount"] == 27
    assert not (await content(world, 2))["estimated"]
    assert (await points(world))[-1]["energy_wh"] == 3_000
    await world.app.settler.correct(session_id)
    assert len(await receipts(world)) == 2


async def test_a_correction_that_changes_nothing_is_no_document(world: World) -> None:
    _, wire_id = await estimated(world)
    await world.end(wire_id, 3_000)
    await world.app.settler.work_due()
    assert await receipts(world) == [(2026, 1, 1, 2_000, 27_00)]
    assert (await world.sql("SELECT corrected_at FROM evpower.session_phases"))[0]["corrected_at"] is not None


async def test_a_settlement_that_is_undone_leaves_no_gap(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    await world.give(540_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    issue = receipt_rows.issue

    async def then_die(*args: Any, **named: Any) -> None:
        await issue(*args, **named)
        raise RuntimeError("killed before the commit")

    with monkeypatch.context() as patched:
        patched.setattr(receipt_rows, "issue", then_die)
        await world.charge(session_id, 1_000)
    assert await receipts(world) == []
    await world.app.settler.work_due()
    assert [row[:3] for row in await receipts(world)] == [(2026, 1, 1)]


async def test_settlements_at_once_get_numbers_without_gaps(world: World) -> None:
    await world.give(540_00)
    ids = [(await world.order(energy_wh=10_000, connector=each)).session.session_id for each in (ONE, TWO)]
    for session_id, connector in zip(ids, (ONE, TWO), strict=True):
        wire_id = (await world.begin(await world.tag_of(session_id), connector=connector)).wire_transaction_id
        world.clock.advance(600)
        await world.end(wire_id, 2_000)
    with trio.fail_after(20):
        async with trio.open_nursery() as nursery:
            for session_id in (*ids, *ids):
                nursery.start_soon(world.app.settler.settle, session_id)
    assert [row[:3] for row in await receipts(world)] == [(2026, 1, 1), (2026, 2, 1)]


async def test_a_year_begins_in_the_networks_time_zone(world: World) -> None:
    await world.give(540_00)
    world.clock.time = datetime(2026, 12, 31, 17, 0, tzinfo=UTC)
    await world.charge((await world.order(energy_wh=10_000)).session.session_id, 1_000)
    world.clock.time = datetime(2026, 12, 31, 18, 30, tzinfo=UTC)
    await world.charge((await world.order(energy_wh=10_000)).session.session_id, 1_000)
    assert [row[:2] for row in await receipts(world)] == [(2026, 1), (2027, 1)]


async def test_what_cannot_be_drawn_costs_neither_the_bill_nor_the_number(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither a fault of ours nor a statement that PostgreSQL refuses, which ends a unit of work."""

    async def refuse(conn: Any, session_id: SessionId) -> None:
        await conn.execute("SELECT 1 / 0")

    monkeypatch.setattr(curve_rows, "read_metered_charge", refuse)
    await world.give(540_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    await world.charge(session_id, 1_000)
    assert (await world.session(session_id)).cost_tyiyn == 13_50
    assert await receipts(world) == [(2026, 1, 1, 1_000, 13_50)]
    assert await content(world) is None
    assert await world.balance(CLIENT) == 540_00 - 13_50
    assert world.app.keeping.not_kept == {"charge": 1}


async def test_a_document_is_frozen(world: World) -> None:
    await world.give(540_00)
    await world.charge((await world.order(energy_wh=10_000)).session.session_id, 1_000)
    before = await content(world)
    await world.sql("UPDATE locations SET name = 'Другое место'")
    assert await content(world) == before
    with pytest.raises(Exception, match="append-only"):
        await world.sql("UPDATE evpower.receipts SET amount_tyiyn = 0")


async def test_readings_become_at_most_120_points_with_the_highest_power_of_each(world: World) -> None:
    await world.give(2_000_00)
    session_id = (await world.order(energy_wh=100_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    for n in range(1, 301):
        world.clock.advance(30)
        await world.meter(wire_id, 1_000 + n * 100, power_w=20_000 if n == 100 else 12_000)
    await world.end(wire_id, 31_000)
    await world.app.settler.work_due()
    curve = await points(world)
    assert 100 < len(curve) <= 120
    assert max(point["power_w"] for point in curve) == 20_000
    assert (curve[-1]["t_s"], curve[-1]["energy_wh"]) == (9_000, 30_000)
    assert [point["energy_wh"] for point in curve] == sorted(point["energy_wh"] for point in curve)


async def test_the_receipt_is_the_last_thing_that_waits(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever has the number's row waits for nothing more: no statement follows it in its unit of work."""
    after: list[str] = []
    issue = receipt_rows.issue

    async def watched(conn: Any, *args: Any, **named: Any) -> Any:
        number = await issue(conn, *args, **named)
        execute = conn.execute

        async def noted(statement: Any, *more: Any) -> Any:
            after.append(str(statement))
            return await execute(statement, *more)

        monkeypatch.setattr(conn, "execute", noted)
        return number

    monkeypatch.setattr(receipt_rows, "issue", watched)
    await world.give(540_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    await world.end(wire_id, 2_000)
    await world.app.settler.settle(session_id)
    assert after == []
