"""A start that comes late is a report, not a question (field ruling 2.3; duty 26; money audit A12)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from evpower.identifiers import ClientId, IdTag
from evpower.metering.belief import LATE_AFTER, LONGEST_QUEUED, late_since, own_time
from tests.charging.test_start_identity import start, stop
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import TWO, World
from tests.worlds.fakes import NOON

HOUR = timedelta(hours=1)
NEVER_SET = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
#: NOON is 12:00 in Bishkek.
DAY_AND_NIGHT = """
INSERT INTO tariff_plans (id, name) VALUES ('DN', 'day and night');
INSERT INTO tariff_rules (id, tariff_plan_id, name, tariff_type, price, time_start, time_end) VALUES
 ('D', 'DN', 'day', 'per_kwh', 20, '07:00', '23:00'), ('N', 'DN', 'night', 'per_kwh', 5, '23:00', '07:00');
UPDATE stations SET tariff_plan_id = 'DN', price_per_kwh = NULL;
"""


async def queued(world: World, energy_wh: int = 10_000, *, ago: timedelta = 3 * HOUR) -> str:
    """A card's charge of an hour, of which we hear when it is over; the verdict it got."""
    began_at = world.clock.now() - ago
    begun = await start(world, CARD, began_at)
    await stop(world, begun.wire_transaction_id, energy_wh, began_at + HOUR)
    return begun.verdict.status


async def money(world: World) -> tuple[int, int]:
    """The client's balance and debt in tyiyn."""
    view = await world.app.billing.balance(ClientId("client-1"))
    return view.balance_tyiyn, view.debt_tyiyn


@pytest.fixture
async def card(world: World) -> None:
    await world.give(500_00)
    await give_card(world)


async def test_an_offline_card_start_is_priced_and_dated_by_when_it_began(world: World, card: None) -> None:
    """Field ruling 2.3, money audit A12: ten kWh at five in the morning cost 50 som, not 200."""
    await world.sql(DAY_AND_NIGHT)
    await queued(world, ago=7 * HOUR)
    [row] = await world.sql("SELECT amount, start_time, rate_per_kwh FROM charging_sessions")
    assert row == {"amount": 50, "start_time": NOON - 7 * HOUR, "rate_per_kwh": 5}
    assert await world.sql("SELECT calculation_time, rule_name FROM pricing_history") == [
        {"calculation_time": NOON - 7 * HOUR, "rule_name": "night"}
    ]


async def test_a_night_of_one_card_comes_in_one_burst_and_every_charge_is_billed(world: World, card: None) -> None:
    """Field rulings 2.3 and 2.4: no settlement worker has run in between."""
    began_at, words = NOON - 8 * HOUR, []
    for n in range(12):
        begun = await start(world, CARD, began_at + n * HOUR / 2, register_wh=1_000 * n)
        words.append(begun.verdict.status)
        await world.end(begun.wire_transaction_id, 1_000 * (n + 1))
    await world.app.settler.work_due()
    assert (set(words), await money(world)) == ({"Accepted"}, (500_00 - 12 * 13_50, 0))


async def test_what_a_late_charge_costs_beyond_the_balance_is_a_debt(world: World) -> None:
    """Field ruling 2.3: nine som are no reason to forget ten kWh."""
    await world.give(9_00)
    await give_card(world)
    assert (await queued(world), await money(world)) == ("Accepted", (0, 126_00))


async def test_a_late_charge_of_a_client_without_any_money_is_a_debt(world: World) -> None:
    """Field ruling 2.3: nothing is held, and all of it is owed."""
    await world.sql("INSERT INTO clients (id) VALUES ('client-1')")
    await give_card(world)
    assert (await queued(world), await money(world)) == ("Accepted", (0, 135_00))


@pytest.mark.parametrize(
    ("closed", "word"),
    [
        ("UPDATE evpower.ocpp_authorization SET status = 'Blocked'", "Blocked"),
        ("UPDATE evpower.ocpp_authorization SET expiry_date = '2026-01-01Z'", "Expired"),
        ("UPDATE clients SET status = 'blocked'", "Blocked"),
        ("UPDATE clients SET status = 'inactive'", "Blocked"),
        ("UPDATE stations SET status = 'inactive'", "Accepted"),
        ("UPDATE connectors SET is_enabled = false", "Accepted"),
        ("DELETE FROM connectors", "Accepted"),
    ],
)
async def test_a_late_charge_is_billed_whatever_is_closed_by_now(
    world: World, card: None, closed: str, word: str
) -> None:
    """Field ruling 2.3; the answer is what Authorize would say of the card (2.4)."""
    await world.sql(closed)
    assert (await queued(world), await money(world)) == (word, (365_00, 0))


async def test_a_late_start_of_an_unknown_tag_is_refused(world: World, card: None) -> None:
    """Field ruling 2.3: there is nobody to bill."""
    for tag in (IdTag("STRANGER"), IdTag("+996555123456")):
        assert (await start(world, tag, NOON - HOUR)).verdict.status == "Invalid"
    assert await world.sql("SELECT id FROM charging_sessions") == []


async def test_a_late_charge_is_billed_beside_the_reservation_that_has_its_connector_now(
    world: World, card: None
) -> None:
    """Field ruling 2.3: and the driver who waits there is not disturbed."""
    other = ClientId("other")
    await world.give(500_00, other)
    waiting = (await world.order(energy_wh=20_000, client=other)).session.session_id
    assert await queued(world) == "Accepted"
    assert (await world.session(waiting)).phase == "starting"
    await world.charge(waiting, 1_000)
    assert (await money(world), await world.balance(other)) == ((365_00, 0), 500_00 - 13_50)


async def test_a_late_report_does_not_end_the_charge_that_began_after_it(world: World, card: None) -> None:
    """A charger that reports what is now before what was: the running charge is no earlier one."""
    other = ClientId("other")
    await world.give(500_00, other)
    session_id = (await world.order(energy_wh=20_000, client=other)).session.session_id
    begun = await world.begin(await world.tag_of(session_id), meter_wh=10_000)
    assert await queued(world) == "Accepted"
    assert (await world.session(session_id)).phase == "charging"
    world.clock.advance(3600)
    await world.end(begun.wire_transaction_id, 20_000)
    await world.app.settler.work_due()
    assert (await money(world), await world.balance(other)) == ((365_00, 0), 365_00)


async def test_a_late_report_ends_what_ran_on_the_connector_before_it(world: World, card: None) -> None:
    """The proof that a stop is missing is as good when it comes late."""
    lost = await start(world, CARD, NOON - 6 * HOUR, register_wh=7)
    await queued(world)
    rows = await world.sql("SELECT status FROM evpower.ocpp_transactions ORDER BY id")
    assert (rows, lost.verdict.status) == ([{"status": "Stopped"}] * 2, "Accepted")


async def test_a_card_in_use_is_no_reason_to_forget_its_late_charge(world: World, card: None) -> None:
    """Field ruling 2.3: ConcurrentTx answers a question."""
    await world.begin(CARD, connector=TWO)
    assert await queued(world) == "Accepted"
    assert [row["amount"] for row in await world.sql("SELECT amount FROM charging_sessions ORDER BY connector_id")] == [
        135,
        None,
    ]


async def test_a_late_charge_is_flagged_for_the_operator(
    world: World, card: None, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing is recorded silently that was not asked."""
    await queued(world)
    assert await world.sql("SELECT flags FROM evpower.ocpp_transactions") == [{"flags": ["late"]}]
    assert "comes late and is recorded" in caplog.text


@pytest.mark.parametrize("at", [NOON - LATE_AFTER, NEVER_SET, NOON + HOUR, NOON - timedelta(days=31)])
async def test_a_start_that_comes_at_once_or_by_a_clock_beyond_belief_is_a_question(world: World, at: datetime) -> None:
    """Field ruling 2.3 wants a believable time: a clock that was never set opens nothing for a driver without money."""
    await world.give(9_00)
    await give_card(world)
    assert (await start(world, CARD, at)).verdict.status == "Blocked"


def test_which_times_of_a_start_are_believed() -> None:
    """Field ruling 2.3: more than two minutes old, not ahead, and no older than any queue."""
    second = timedelta(seconds=1)
    assert late_since(NOON - LATE_AFTER, NOON) is None
    assert late_since(NOON - LATE_AFTER - second, NOON) == NOON - LATE_AFTER - second
    assert late_since(NOON - LONGEST_QUEUED, NOON) == NOON - LONGEST_QUEUED
    assert own_time(NOON - LONGEST_QUEUED - second, NOON) is None
    assert own_time(NOON + LATE_AFTER, NOON) == NOON + LATE_AFTER
    assert own_time(NOON + LATE_AFTER + second, NOON) is None
