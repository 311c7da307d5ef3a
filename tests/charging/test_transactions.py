"""StartTransaction, MeterValues, StopTransaction: whose charge, how much, how it ends (ocpp-behaviour §5)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio

from evpower.billing.rows.clients import lock_client
from evpower.charging.transaction import TransactionStart
from evpower.db.unit_of_work import unit_of_work
from evpower.identifiers import ClientId, ConnectorId, IdTag, WireTransactionId
from evpower.metering.meter_value import MeterReport, Sample
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World

CARD = IdTag("RFID-1")


async def give_card(
    world: World, tag: IdTag = CARD, client: ClientId | None = CLIENT, status: str = "Accepted"
) -> None:
    await world.sql(
        "INSERT INTO evpower.ocpp_authorization (id_tag, status, client_id, created_at) VALUES (%s, %s, %s, %s)",
        tag,
        status,
        client,
        world.clock.now(),
    )


async def test_duty_21_a_repeated_start_gets_the_same_transaction(world: World) -> None:
    await world.give(500_00)
    tag = await world.tag_of((await world.order(energy_wh=1_000)).session.session_id)
    first, again = await world.begin(tag), await world.begin(tag)
    assert first == again
    assert len(await world.sql("SELECT id FROM evpower.ocpp_transactions")) == 1


async def test_duty_22_transaction_ids_are_distinct_and_positive_within_one_second(world: World) -> None:
    await give_card(world, client=None)
    one = await world.begin(CARD)
    two = await world.begin(CARD, connector=TWO)
    assert int(two.wire_transaction_id) > int(one.wire_transaction_id) > 0


async def test_duty_21_a_repeated_stop_is_billed_once(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    for register in (11_000, 16_000):
        await world.end(begun.wire_transaction_id, register)
        await world.app.settler.work_due()
    assert (await world.session(session_id)).cost_tyiyn == 135_00


async def test_duty_21_a_repeated_stop_with_another_register_changes_nothing_before_it_is_billed(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(3600)
    for register in (11_000, 16_000):
        await world.end(begun.wire_transaction_id, register)
    await world.app.settler.work_due()
    assert (await world.session(session_id)).cost_tyiyn == 135_00


@pytest.mark.parametrize("wire_id", ["-1", "0", "999999"])
async def test_duty_23_a_stop_that_matches_nothing_is_parked(world: World, wire_id: str) -> None:
    await world.end(WireTransactionId(wire_id), 5_000)
    assert await world.sql("SELECT station_id, action FROM evpower.ocpp_parked") == [
        {"station_id": STATION, "action": "StopTransaction"}
    ]


async def test_duty_27_tags_ignore_case_and_the_plus(world: World) -> None:
    await world.give(500_00)
    await world.sql("UPDATE clients SET phone = '+996555123456'")
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.begin(IdTag("996555123456"))
    assert (await world.session(session_id)).phase == "charging"


async def test_the_pending_session_of_the_connector_is_matched_not_the_clients_newest(world: World) -> None:
    await world.give(500_00)
    await world.sql("UPDATE clients SET phone = '+996555123456'")
    first = (await world.order(energy_wh=1_000)).session.session_id
    second = (await world.order(energy_wh=1_000, connector=TWO)).session.session_id
    await world.begin(IdTag("+996555123456"), connector=ONE)
    assert [(await world.session(each)).phase for each in (first, second)] == ["charging", "starting"]


async def test_a_start_on_another_connector_takes_the_clients_pending_session_there(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.begin(await world.tag_of(session_id), connector=TWO)
    session = await world.session(session_id)
    assert (session.phase, session.connector_id) == ("charging", 2)


async def test_a_start_on_connector_0_is_refused_stored_and_flagged_and_the_pending_start_goes_on(world: World) -> None:
    """Connector 0 is the charger as a whole: energy there is nobody's, and the driver's start is still to come."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    tag = await world.tag_of(session_id)
    begun = await world.begin(tag, connector=ConnectorId(0))
    assert (begun.verdict.status, int(begun.wire_transaction_id) > 0) == ("Blocked", True)
    [stored] = await world.sql("SELECT verdict, charging_session_id, flags FROM evpower.ocpp_transactions")
    assert stored == {"verdict": "Blocked", "charging_session_id": None, "flags": ["connector_0"]}
    waiting = await world.session(session_id)
    assert (waiting.connector_id, waiting.phase) == (ONE, "starting")
    await world.charge(session_id, 500)
    assert await world.balance() == 500_00 - 6_75


async def test_a_card_start_reserves_like_an_unlimited_start(world: World) -> None:
    await world.give(500_00)
    await give_card(world)
    begun = await world.begin(CARD)
    assert begun.verdict.status == "Accepted"
    assert await world.statement() == [("charge_reserve", -200, 300)]
    world.clock.advance(3600)
    await world.end(begun.wire_transaction_id, 11_000)
    await world.app.settler.work_due()
    assert (await world.statement())[-1] == ("charge_refund", 65, 365)


async def test_a_card_without_ten_som_is_blocked_but_recorded(world: World) -> None:
    await world.give(9_99)
    await give_card(world)
    begun = await world.begin(CARD)
    assert begun.verdict.status == "Blocked"
    assert int(begun.wire_transaction_id) > 0
    assert await world.sql("SELECT verdict, charging_session_id FROM evpower.ocpp_transactions") == [
        {"verdict": "Blocked", "charging_session_id": None}
    ]


@pytest.mark.parametrize(
    ("status", "verdict"), [("Blocked", "Blocked"), ("Expired", "Expired"), ("Invalid", "Invalid")]
)
async def test_duty_24_a_refused_tag_is_refused_again_at_the_start(world: World, status: str, verdict: str) -> None:
    await world.give(500_00)
    await give_card(world, status=status)
    assert (await world.begin(CARD)).verdict.status == status
    assert await world.balance() == 500_00


async def test_an_unknown_tag_is_invalid(world: World) -> None:
    assert (await world.begin(IdTag("STRANGER"))).verdict.status == "Invalid"
    assert (await world.app.reports.authorize(STATION, IdTag("STRANGER"))).status == "Invalid"


async def test_a_phone_number_presented_as_a_card_opens_nothing(world: World) -> None:
    """Design §9.10: the tag of an app start counts only for its live reservation at that station."""
    await world.give(500_00)
    await world.sql("UPDATE clients SET phone = '+996555123456'")
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    tag = IdTag("+996555123456")
    assert (await world.app.reports.authorize(STATION, tag)).status == "Accepted"
    await world.charge(session_id, 500)
    assert (await world.app.reports.authorize(STATION, tag)).status == "Invalid"
    world.clock.advance(60)
    assert (await world.begin(tag, connector=TWO)).verdict.status == "Invalid"


async def test_a_card_in_use_is_concurrent_and_a_reservation_never_is(world: World) -> None:
    await world.give(500_00)
    await give_card(world)
    await world.begin(CARD)
    assert (await world.begin(CARD, connector=TWO)).verdict.status == "ConcurrentTx"


@pytest.mark.parametrize(
    "closed",
    [
        "UPDATE stations SET status = 'inactive'",
        "UPDATE connectors SET is_enabled = false",
        "UPDATE clients SET status = 'blocked'",
    ],
)
async def test_a_card_opens_nothing_where_or_for_whom_an_operator_has_closed(world: World, closed: str) -> None:
    await world.give(500_00)
    await give_card(world)
    await world.sql(closed)
    assert ((await world.begin(CARD)).verdict.status, await world.balance()) == ("Blocked", 500_00)


async def test_maintenance_is_a_lock_out(world: World) -> None:
    """Safe by default 12: cards started."""
    await world.give(500_00)
    await give_card(world)
    await world.sql("UPDATE stations SET status = 'maintenance'")
    assert (await world.app.reports.authorize(STATION, CARD)).status == "Blocked"
    assert ((await world.begin(CARD)).verdict.status, await world.balance()) == ("Blocked", 500_00)


async def test_maintenance_gives_nothing_away_either(world: World) -> None:
    """Safe by default 12."""
    await world.app.free_vend.set(STATION, enabled=True, actor="ann")
    await world.sql("UPDATE stations SET status = 'maintenance'")
    assert (await world.app.reports.authorize(STATION, CARD)).status == "Blocked"
    assert (await world.begin(CARD)).verdict.status == "Blocked"


async def test_a_charge_that_goes_on_may_be_ended_under_maintenance(world: World) -> None:
    """Safe by default 12 locks starts out, and nobody in."""
    await world.give(500_00)
    await give_card(world)
    await world.begin(CARD)
    await world.sql("UPDATE stations SET status = 'maintenance'")
    assert (await world.app.reports.authorize(STATION, CARD)).status == "Accepted"


async def test_a_queued_start_from_before_the_maintenance_is_billed(world: World) -> None:
    """Safe by default 12 locks starts out; energy that has flowed is paid for."""
    await world.give(500_00)
    await give_card(world)
    await world.sql("UPDATE stations SET status = 'maintenance'")
    start = TransactionStart(ConnectorId(1), CARD, 1000, world.clock.now() - timedelta(hours=1), b"{}")
    assert (await world.app.reports.begin_transaction(STATION, start)).verdict.status == "Accepted"


async def test_a_card_whose_client_is_blocked_while_its_start_waits_for_the_account_opens_nothing(world: World) -> None:
    await world.give(500_00)
    await give_card(world)
    verdicts = []

    async def begin() -> None:
        verdicts.append((await world.begin(CARD)).verdict.status)

    async with trio.open_nursery() as nursery, unit_of_work(world.pool) as operator:
        await lock_client(operator.conn, CLIENT)
        nursery.start_soon(begin)
        await trio.testing.wait_all_tasks_blocked(0.1)
        await operator.conn.execute("UPDATE clients SET status = 'blocked'")
    assert (verdicts, await world.balance()) == (["Blocked"], 500_00)


async def test_a_card_does_not_take_a_connector_another_driver_reserved(world: World) -> None:
    other = ClientId("other")
    await world.give(500_00)
    await world.give(500_00, other)
    await give_card(world, client=other)
    await world.order(energy_wh=1_000)
    assert (await world.begin(CARD)).verdict.status == "Blocked"
    assert await world.balance(other) == 500_00


async def test_a_new_start_ends_what_still_ran_on_the_connector(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    lost = await world.begin(await world.tag_of(session_id))
    world.clock.advance(600)
    await world.meter(lost.wire_transaction_id, 1_500)
    await give_card(world)
    await world.begin(CARD, meter_wh=1_600)
    settled = await world.session(session_id)
    assert (settled.status, settled.energy_wh, settled.estimated) == ("stopped", 500, True)
    assert await world.sql("SELECT flags FROM evpower.ocpp_transactions ORDER BY id LIMIT 1") == [
        {"flags": ["stop_missing"]}
    ]


async def running(world: World, energy_wh: int = 20_000) -> tuple[str, WireTransactionId]:
    """Ten minutes into a charge at a connector of 150 kW."""
    await world.rate(150)
    await world.give(500_00)
    session_id = (await world.order(energy_wh=energy_wh)).session.session_id
    begun = await world.begin(await world.tag_of(session_id))
    world.clock.advance(600)
    return session_id, begun.wire_transaction_id


async def test_a_register_that_goes_backwards_is_ignored(world: World) -> None:
    _, wire_id = await running(world)
    await world.meter(wire_id, 3_000)
    await world.meter(wire_id, 2_000)
    assert (await world.sql("SELECT energy FROM charging_sessions"))[0]["energy"] == 2


async def test_a_jump_no_charger_can_deliver_is_stored_and_not_believed(world: World) -> None:
    _, wire_id = await running(world)
    await world.meter(wire_id, 900_000_000)
    assert (await world.sql("SELECT energy FROM charging_sessions"))[0]["energy"] == 0
    assert (await world.sql("SELECT energy_wh FROM evpower.ocpp_meter_values"))[0]["energy_wh"] == 900_000_000


async def test_a_stop_register_below_the_start_falls_back_to_the_last_reading(world: World) -> None:
    _, wire_id = await running(world)
    await world.meter(wire_id, 3_000)
    await world.end(wire_id, 10)
    await world.app.settler.work_due()
    assert (await world.sql("SELECT energy FROM charging_sessions"))[0]["energy"] == 2


async def test_values_without_a_transaction_id_belong_to_the_connectors_running_one(world: World) -> None:
    _, _ = await running(world)
    await world.meter(None, 3_000, connector=ONE)
    await world.meter(None, 9_000, connector=TWO)
    assert (await world.sql("SELECT energy FROM charging_sessions"))[0]["energy"] == 2


async def test_values_under_the_id_of_the_connectors_stopped_transaction_belong_to_the_running_one_and_flag_it(
    world: World,
) -> None:
    """Field ruling 3.4: some chargers go on with the old id. What waited in the queue since then is the old one's."""
    await world.give(500_00)
    await give_card(world)
    ended = []
    for register in (2_000, 3_000):
        ended.append((await world.begin(CARD, meter_wh=register - 500)).wire_transaction_id)
        world.clock.advance(600)
        await world.end(ended[-1], register)
        await world.app.settler.work_due()
    oldest, old = ended
    queued_at = world.clock.now()
    world.clock.advance(60)
    await world.begin(CARD, meter_wh=3_000)
    world.clock.advance(600)
    await world.meter(oldest, 9_000)
    await world.meter(old, 9_000, connector=TWO)
    queued = MeterReport(ONE, old, (Sample(queued_at, 9_000),), b"[]")
    await world.app.reports.record_meter_values(STATION, queued)
    now = "SELECT meter_last_wh - meter_start_wh AS energy_wh, flags FROM evpower.ocpp_transactions ORDER BY id"
    assert (await world.sql(now))[2] == {"energy_wh": 0, "flags": []}
    for register in (5_500, 5_600):
        await world.meter(old, register)
    before, last, current = await world.sql(now)
    assert current == {"energy_wh": 2_600, "flags": ["readings_under_old_id"]}
    assert (before["flags"], last["flags"]) == ([], [])


async def test_duty_30_values_on_connector_0_are_stored_and_never_billed(world: World) -> None:
    await world.meter(None, 3_000, connector=ConnectorId(0))
    assert len(await world.sql("SELECT energy_wh FROM evpower.ocpp_meter_values")) == 1


async def test_values_after_settlement_change_nothing(world: World) -> None:
    _, wire_id = await running(world)
    await world.end(wire_id, 2_000)
    await world.app.settler.work_due()
    await world.meter(wire_id, 9_000)
    assert (await world.sql("SELECT energy, amount FROM charging_sessions"))[0]["energy"] == 1


async def test_the_limit_is_sent_when_it_is_crossed_not_a_sample_later(world: World) -> None:
    """20 Wh are left at 144 kW: the stop goes out half a second later, with no further sample."""
    _, wire_id = await running(world, energy_wh=5_000)
    await world.meter(wire_id, 1_000 + 4_980, power_w=144_000)
    assert world.link.stopped == []
    with trio.fail_after(5):
        await world.link.stop_asked.wait()
    assert world.link.stopped == [(STATION, wire_id)]


async def test_a_stop_that_was_sent_is_not_repeated_within_thirty_seconds(world: World) -> None:
    _, wire_id = await running(world, energy_wh=5_000)
    for register in (6_000, 6_010, 6_020):
        await world.meter(wire_id, register)
        await world.at_rest()
    assert world.link.stopped == [(STATION, wire_id)]


async def test_the_overshoot_is_measured(world: World) -> None:
    _, wire_id = await running(world, energy_wh=5_000)
    await world.end(wire_id, 6_123)
    await world.app.settler.work_due()
    assert await world.sql("SELECT overshoot_wh FROM evpower.session_phases") == [{"overshoot_wh": 123}]


async def test_after_the_end_the_connector_is_finishing_until_the_charger_speaks(world: World) -> None:
    _, wire_id = await running(world)
    await world.say("Charging")
    await world.end(wire_id, 2_000)
    await world.app.settler.work_due()
    rows = await world.sql("SELECT status, ocpp_status FROM connectors WHERE connector_number = 1")
    assert rows == [{"status": "occupied", "ocpp_status": "Finishing"}]
    await world.say("Available")
    rows = await world.sql("SELECT status, ocpp_status FROM connectors WHERE connector_number = 1")
    assert rows == [{"status": "available", "ocpp_status": "Available"}]
