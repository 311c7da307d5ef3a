"""Nothing is dismissed silently: what is not believed waits for a person, who bills it or not (field-rulings §1.2)."""

from __future__ import annotations

from typing import Any

import pytest

from evpower.charging.review.doubts import DoubtRecord
from evpower.charging.rows import doubts as rows
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import InvalidRequest, NotFound
from evpower.identifiers import IdTag, SessionId
from tests.charging.test_belief import started, stop
from tests.worlds.charging import CLIENT, ONE, STATION, World

ENTRIES = "SELECT kind, key FROM evpower.ledger_entries WHERE kind IN ('settle', 'correction') ORDER BY id"


async def doubted(world: World, stop_wh: int = 939_000, read_wh: int = 15_000) -> tuple[SessionId, DoubtRecord]:
    """An hour at 22 kW, 14 kWh read, and a stop register that is not believed: billed 189 som."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    await world.meter(transaction_id, read_wh)
    await stop(world, transaction_id, stop_wh)
    (doubt,) = await world.app.doubts.doubts(settled_too=False)
    return session_id, doubt


async def test_a_doubtful_stop_is_an_open_question(world: World) -> None:
    session_id, doubt = await doubted(world)
    assert (doubt.kind, doubt.message, doubt.station_id, doubt.session_id) == (
        "stop",
        "StopTransaction",
        STATION,
        session_id,
    )
    assert (doubt.billed_wh, doubt.billed_tyiyn, doubt.station_wh) == (14_000, 189_00, 938_000)
    assert (doubt.latest_figure, doubt.bound, doubt.settled) == (939_000, 26_006, None)
    assert (await world.session(session_id)).doubtful


async def test_a_charge_of_which_all_is_believed_is_not_doubtful(world: World) -> None:
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    await stop(world, transaction_id, 15_000)
    assert not (await world.session(session_id)).doubtful
    assert await world.app.doubts.doubts(settled_too=True) == []


async def test_billing_what_the_station_says_is_one_correction(world: World) -> None:
    """938 kWh cost 12,663 som, of which the driver has 4,811: that is taken, the rest is unbilled."""
    session_id, doubt = await doubted(world)
    await world.app.doubts.bill(doubt.id, actor="ann", reason="the meter was read")
    session = await world.session(session_id)
    assert (session.cost_tyiyn, await world.balance(), session.doubtful) == (5000_00, 0, False)
    (phase,) = await world.sql("SELECT unbilled_wh, unbilled_tyiyn FROM evpower.session_phases")
    assert session.energy_wh + phase["unbilled_wh"] == 938_000
    assert phase["unbilled_tyiyn"] == 12_663_00 - 5000_00
    assert await world.sql(ENTRIES) == [
        {"kind": "settle", "key": f"settle:{session_id}"},
        {"kind": "correction", "key": f"correction:{session_id}:doubt:{doubt.id}"},
    ]


async def test_a_station_that_says_less_is_billed_less(world: World) -> None:
    """A stop below the last reading: a person gives back what was billed by a reading that was wrong."""
    session_id, doubt = await doubted(world, stop_wh=5_000)
    await world.app.doubts.bill(doubt.id, actor="ann", reason=None)
    session = await world.session(session_id)
    assert (session.energy_wh, session.cost_tyiyn, await world.balance()) == (4_000, 54_00, 4946_00)


async def test_a_doubt_is_settled_once(world: World) -> None:
    session_id, doubt = await doubted(world, stop_wh=5_000)
    await world.app.doubts.bill(doubt.id, actor="ann", reason=None)
    again = world.app.doubts
    with pytest.raises(InvalidRequest):
        await again.bill(doubt.id, actor="bob", reason=None)
    with pytest.raises(InvalidRequest):
        await again.dismiss(doubt.id, actor="bob", reason="no")
    await world.app.settler.work_due()
    assert (await world.session(session_id)).cost_tyiyn == 54_00
    assert len(await world.sql(ENTRIES)) == 2


async def test_a_dismissed_doubt_changes_no_bill_and_keeps_who_and_why(world: World) -> None:
    session_id, doubt = await doubted(world)
    await world.app.doubts.dismiss(doubt.id, actor="ann", reason="a broken meter")
    assert await world.app.doubts.doubts(settled_too=False) == []
    (kept,) = await world.app.doubts.doubts(settled_too=True)
    assert (kept.settled, kept.settled_by, kept.settled_reason) == ("dismissed", "ann", "a broken meter")
    session = await world.session(session_id)
    assert (session.cost_tyiyn, session.doubtful) == (189_00, False)


async def test_a_correction_of_an_estimate_and_one_of_a_doubt_are_two_entries(world: World) -> None:
    """The late stop of an estimate is doubtful as well: nothing is corrected until a person says so."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    await world.meter(transaction_id, 15_000)
    world.link.connected.clear()
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    await stop(world, transaction_id, 60_000)
    (doubt,) = await world.app.doubts.doubts(settled_too=False)
    await world.app.doubts.bill(doubt.id, actor="ann", reason=None)
    assert (await world.session(session_id)).cost_tyiyn == 796_50
    await world.app.settler.work_due()
    assert (await world.session(session_id)).cost_tyiyn == 796_50


async def test_a_doubtful_stop_of_a_charge_given_away_counts_when_a_person_says_so(world: World) -> None:
    await world.app.free_vend.set(STATION, enabled=True, actor="ann")
    begun = await world.begin(IdTag("ANYONE"))
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 15_000)
    await stop(world, begun.wire_transaction_id, 61_000)
    (doubt,) = await world.app.doubts.doubts(settled_too=False)
    await world.app.doubts.bill(doubt.id, actor="ann", reason=None)
    assert (await world.app.free_vend.read(STATION)).total.energy_wh == 60_000


async def test_what_bills_nothing_can_only_be_dismissed(world: World) -> None:
    _, transaction_id = await started(world)
    await world.meter(transaction_id, 900_000_000)
    (doubt,) = await world.app.doubts.doubts(settled_too=False)
    with pytest.raises(InvalidRequest):
        await world.app.doubts.bill(doubt.id, actor="ann", reason=None)
    with pytest.raises(NotFound):
        await world.app.doubts.bill(99, actor="ann", reason=None)
    assert (await world.app.doubts.doubt(doubt.id)).settled is None


async def test_a_stop_below_the_start_says_nothing_that_can_be_billed(world: World) -> None:
    session_id, doubt = await doubted(world, stop_wh=500)
    assert doubt.station_wh is None
    with pytest.raises(InvalidRequest):
        await world.app.doubts.bill(doubt.id, actor="ann", reason=None)
    assert (await world.session(session_id)).cost_tyiyn == 189_00


# ------------------------------------------------------------------------------------ a bill that cannot be written
async def unwritable(world: World) -> SessionId:
    """A price that makes the bill larger than its column: 20 kWh at a billion som."""
    session_id, transaction_id = await started(world)
    await world.sql("UPDATE charging_sessions SET rate_per_kwh = 1000000000")
    world.clock.advance(3600)
    await stop(world, transaction_id, 21_000)
    return session_id


async def asked(world: World) -> list[dict[str, Any]]:
    return await world.sql("SELECT figures, settled FROM evpower.doubts WHERE kind = 'settlement'")


async def of_what(world: World) -> object:
    """Which bill it was that could not be written."""
    (row,) = await world.sql("SELECT message FROM evpower.doubts WHERE kind = 'settlement'")
    return row["message"]


async def test_a_bill_that_cannot_be_written_is_parked_once(world: World, caplog: pytest.LogCaptureFixture) -> None:
    """A2: no error repeats for ever; a person is asked."""
    session_id = await unwritable(world)
    for _ in range(3):
        await world.app.settler.work_due()
    assert (await asked(world), await of_what(world)) == ([{"figures": 1, "settled": None}], "settlement")
    assert sum("cannot be written" in record.message for record in caplog.records) == 1
    session = await world.session(session_id)
    assert (session.phase, session.doubtful) == ("ended", True)


async def test_a_person_frees_the_money_and_the_connector_of_a_bill_that_cannot_be_written(world: World) -> None:
    """A2: by a word; what was delivered is noted as unbilled."""
    session_id = await unwritable(world)
    (doubt,) = await world.app.doubts.doubts(settled_too=False)
    await world.app.doubts.dismiss(doubt.id, actor="ann", reason="the price was mistyped")
    session = await world.session(session_id)
    assert (session.phase, session.cost_tyiyn, await world.balance()) == ("settled", 0, 5000_00)
    assert await world.sql("SELECT unbilled_wh FROM evpower.session_phases") == [{"unbilled_wh": 20_000}]
    await world.say("Available")
    assert (await world.order(energy_wh=1_000, connector=ONE)).session.status == "started"


async def test_a_bill_that_a_person_gives_up_is_of_nothing(world: World) -> None:
    session_id = await unwritable(world)
    (doubt,) = await world.app.doubts.doubts(settled_too=False)
    assert doubt.detail == "numeric field overflow", "the first line of what PostgreSQL says"
    await world.app.doubts.dismiss(doubt.id, actor="ann", reason="the price was mistyped")
    assert (await world.session(session_id)).energy_wh == 0
    assert await world.sql("SELECT unbilled_tyiyn FROM evpower.session_phases") == [{"unbilled_tyiyn": 0}]
    assert (world.app.settler.ends, world.app.settler.billed_wh) == ({("settled", "charger"): 1}, 0)


async def test_a_bill_is_tried_again_when_a_person_says_so(world: World) -> None:
    """A2: still impossible, the question stays open; mended, it is billed."""
    session_id = await unwritable(world)
    (doubt,) = await world.app.doubts.doubts(settled_too=False)
    with pytest.raises(InvalidRequest):
        await world.app.doubts.bill(doubt.id, actor="ann", reason=None)
    assert await asked(world) == [{"figures": 2, "settled": None}]
    await world.sql("UPDATE charging_sessions SET rate_per_kwh = 13.5")
    await world.app.doubts.bill(doubt.id, actor="ann", reason=None)
    assert (await world.session(session_id)).cost_tyiyn == 270_00
    assert await asked(world) == [{"figures": 2, "settled": "billed"}]


async def test_a_correction_that_cannot_be_written_is_parked_and_can_be_given_up(world: World) -> None:
    """A2: the same for corrections; dismissed, it is not tried again and the bill stays."""
    session_id, transaction_id = await started(world)
    world.clock.advance(3600)
    await world.meter(transaction_id, 11_000)
    world.link.connected.clear()
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    await world.sql("UPDATE charging_sessions SET rate_per_kwh = 10000000000000000")
    await stop(world, transaction_id, 21_000)
    await world.app.settler.work_due()
    assert (await asked(world), await of_what(world)) == ([{"figures": 1, "settled": None}], "correction")
    (doubt,) = await world.app.doubts.doubts(settled_too=False)
    await world.app.doubts.dismiss(doubt.id, actor="ann", reason="no")
    await world.app.settler.work_due()
    assert await asked(world) == [{"figures": 1, "settled": "dismissed"}]
    assert (await world.session(session_id)).cost_tyiyn == 135_00


async def test_a_settled_question_about_a_bill_is_asked_again_when_it_fails_again(world: World) -> None:
    session_id, _ = await started(world)
    for detail in ("first", "second"):
        async with unit_of_work(world.pool) as uow:
            await rows.note_unwritable(
                uow.conn, session_id, correction=False, energy_wh=1, detail=detail, at=world.clock.now()
            )
        (doubt,) = await world.app.doubts.doubts(settled_too=False)
        assert doubt.detail == detail
        async with unit_of_work(world.pool) as uow:
            await rows.settle_doubt(uow.conn, doubt.id, "billed", actor="ann", reason=None, at=world.clock.now())
