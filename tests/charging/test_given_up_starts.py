"""When a start is given up, and what becomes of one that had begun all the same (money audit A14–A16)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from evpower.charging.errors import SessionFailed
from evpower.charging.rows.start_waits import StartWait
from evpower.charging.start_deadlines import DELIVERS_WITHIN, StartDeadlineRules, counted, is_over
from evpower.identifiers import ClientId, IdTag, SessionId
from evpower.link.ports import Outcome
from tests.charging.test_start_identity import start, stop
from tests.worlds.charging import CLIENT, STATION, TWO, World
from tests.worlds.fakes import NOON

PHONE = IdTag("+996555123456")
NEVER_SET = datetime(1970, 1, 1, 0, 1, tzinfo=UTC)
SECOND, HOUR = timedelta(seconds=1), timedelta(hours=1)
RULES = StartDeadlineRules(timedelta(minutes=10), timedelta(hours=12))
ORDERED = StartWait(SessionId("session-1"), STATION, NOON, 0, None, None)


async def ordered(world: World) -> tuple[SessionId, IdTag]:
    """500 som, 20 kWh asked for: 270 are held."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    return session_id, await world.tag_of(session_id)


async def phase(world: World, session_id: SessionId) -> str:
    await world.app.recovery.check()
    return (await world.session(session_id)).phase


async def test_an_outage_longer_than_the_deadline_gives_no_begun_charge_away(world: World) -> None:
    """Money audit A15: the charger holds its StartTransaction while we are dead; our first round comes before it."""
    session_id, tag = await ordered(world)
    began_at = world.clock.now() + 5 * SECOND
    world.link.connected.clear()
    world.clock.advance(15 * 60)
    assert await phase(world, session_id) == "starting"
    world.link.connected.add(STATION)
    begun = await start(world, tag, began_at, register_wh=1_000)
    await stop(world, begun.wire_transaction_id, 6_000, world.clock.now())
    assert ((await world.session(session_id)).cost_tyiyn, await world.balance()) == (67_50, 432_50)


async def test_the_deadline_counts_only_while_the_charger_is_connected(world: World) -> None:
    """Money audit A14: nine minutes here, an hour away, one more here."""
    session_id, _ = await ordered(world)
    world.clock.advance(9 * 60)
    assert await phase(world, session_id) == "starting"
    world.link.connected.clear()
    for _ in range(4):
        world.clock.advance(15 * 60)
        assert await phase(world, session_id) == "starting"
    world.link.connected.add(STATION)
    assert await phase(world, session_id) == "starting"
    world.clock.advance(60)
    assert await phase(world, session_id) == "starting"
    world.clock.advance(1)
    assert (await phase(world, session_id), await world.balance()) == ("released", 500_00)


async def test_no_start_holds_money_for_ever(world: World) -> None:
    """A charger that never comes back: after the longest charge the hold goes back all the same."""
    session_id, _ = await ordered(world)
    world.link.connected.clear()
    world.clock.advance(12 * 3600 - 1)
    assert await phase(world, session_id) == "starting"
    world.clock.advance(1)
    assert (await phase(world, session_id), await world.balance()) == ("released", 500_00)


def test_after_our_start_a_charger_has_a_minute_to_deliver_its_queue() -> None:
    """Money audit A14: ten minutes had gone by before we died."""
    waited = replace(ORDERED, waited_s=600, counted_at=NOON + 10 * 60 * SECOND, present_since=NOON)
    our_start = NOON + 2 * HOUR
    for seconds, over in ((0, False), (59, False), (60, True)):
        now = our_start + seconds * SECOND
        wait = counted(waited, now, connected=True, we_run_since=our_start)
        assert (wait.waited_s, is_over(wait, now, RULES)) == (600 + seconds, over)


def test_time_is_counted_from_the_order_and_once() -> None:
    """Money audit A14: two rounds count what one would."""
    for rounds in ([600, 1], [15, 585, 1], [1] * 601):
        wait, now = ORDERED, NOON
        for seconds in rounds:
            assert not is_over(wait, now, RULES)
            now += seconds * SECOND
            wait = counted(wait, now, connected=True, we_run_since=NOON - HOUR)
        assert (wait.waited_s, is_over(wait, now, RULES)) == (601, True)


def test_a_charger_that_came_back_a_moment_ago_is_not_given_up() -> None:
    """Money audit A14: its absence is seen at one round, its return at the next."""
    waited = replace(ORDERED, waited_s=599, counted_at=NOON)
    away = counted(waited, NOON + 15 * SECOND, connected=False, we_run_since=NOON)
    back = counted(away, NOON + 30 * SECOND, connected=True, we_run_since=NOON)
    assert (away.waited_s, back.present_since) == (599, NOON + 30 * SECOND)
    assert not is_over(back, NOON + 30 * SECOND + DELIVERS_WITHIN - SECOND, RULES)
    assert is_over(back, NOON + 30 * SECOND + DELIVERS_WITHIN, RULES)


async def released(world: World, *, began_after_s: float = 5) -> tuple[SessionId, IdTag, datetime]:
    """A start that was given up at its deadline; when its charger says that it began."""
    session_id, tag = await ordered(world)
    began_at = world.clock.now() + timedelta(seconds=began_after_s)
    world.clock.advance(601)
    assert await phase(world, session_id) == "released"
    return session_id, tag, began_at


async def test_a_charge_that_began_before_its_release_is_billed(world: World) -> None:
    """Money audit A14, A15: the hold is taken again."""
    session_id, tag, began_at = await released(world)
    world.clock.advance(3600)
    begun = await start(world, tag, began_at, register_wh=1_000)
    assert (begun.verdict.status, await world.balance()) == ("Accepted", 230_00)
    assert (await world.session(session_id)).phase == "charging"
    await stop(world, begun.wire_transaction_id, 6_000, world.clock.now())
    session = await world.session(session_id)
    assert (session.status, session.cost_tyiyn, await world.balance()) == ("stopped", 67_50, 432_50)
    assert [kind for kind, _, _ in await world.statement()] == ["charge_reserve", "charge_refund"] * 2
    assert world.link.stopped == []


async def test_what_a_released_charge_costs_beyond_the_money_left_is_a_debt(world: World) -> None:
    """Money audit A14: the driver has spent the refund elsewhere; the hold is what is left."""
    session_id, tag, began_at = await released(world)
    await world.order(amount_tyiyn=490_00, connector=TWO)
    begun = await start(world, tag, began_at, register_wh=1_000)
    assert await world.balance() == 0
    await stop(world, begun.wire_transaction_id, 11_000, began_at + HOUR)
    assert ((await world.session(session_id)).debt_tyiyn, await world.balance()) == (125_00, 0)


async def test_a_released_charge_is_billed_beside_the_driver_who_has_its_connector_now(world: World) -> None:
    """Money audit A14: and that one is not disturbed."""
    session_id, tag, began_at = await released(world)
    other = ClientId("other")
    await world.give(500_00, other)
    waiting = (await world.order(energy_wh=1_000, client=other)).session.session_id
    begun = await start(world, tag, began_at, register_wh=1_000)
    await stop(world, begun.wire_transaction_id, 6_000, began_at + HOUR)
    assert ((await world.session(session_id)).cost_tyiyn, (await world.session(waiting)).phase) == (67_50, "starting")


async def test_a_charge_whose_remote_start_was_refused_is_billed_when_it_had_begun(world: World) -> None:
    """Money audit A14 and field ruling 2.5: the refusal overtook the start by a moment."""
    await world.give(500_00)
    world.link.outcome = Outcome.REJECTED
    with pytest.raises(SessionFailed):
        await world.order(energy_wh=20_000)
    [row] = await world.sql("SELECT id_tag FROM charging_sessions")
    assert (await start(world, IdTag(row["id_tag"]), world.clock.now() - SECOND)).verdict.status == "Accepted"
    assert await world.balance() == 230_00


@pytest.mark.parametrize("began_after_s", [601, 700])
async def test_a_charge_that_began_after_its_release_is_stopped_and_not_billed(
    world: World, began_after_s: float
) -> None:
    """Worked example 24: its money was the driver's again."""
    _, tag, began_at = await released(world, began_after_s=began_after_s)
    world.clock.advance(120)
    await nothing_is_billed(world, tag, began_at)


async def test_a_charge_by_a_clock_beyond_belief_is_stopped_and_not_billed(world: World) -> None:
    """Money audit A14 wants a believable clock."""
    _, tag, _ = await released(world)
    await nothing_is_billed(world, tag, NEVER_SET)


async def test_a_charge_its_driver_gave_up_is_stopped_and_not_billed_whenever_it_began(world: World) -> None:
    """Worked example 25, money audit A14."""
    session_id, tag = await ordered(world)
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    await nothing_is_billed(world, tag, world.clock.now() - SECOND)


async def nothing_is_billed(world: World, tag: IdTag, began_at: datetime) -> None:
    begun = await start(world, tag, began_at, register_wh=1_000)
    await world.link.stop_asked.wait()
    await stop(world, begun.wire_transaction_id, 2_000, world.clock.now())
    assert (begun.verdict.status, await world.balance()) == ("Accepted", 500_00)
    assert world.link.stopped == [(STATION, begun.wire_transaction_id)]


@pytest.mark.parametrize(("later_s", "word"), [(600, "Accepted"), (601, "Invalid")])
async def test_a_given_up_start_is_known_for_ten_minutes(world: World, later_s: float, word: str) -> None:
    """Money audit A16."""
    session_id, tag = await ordered(world)
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    world.clock.advance(later_s)
    assert (await world.begin(tag)).verdict.status == word


@pytest.mark.parametrize("later", [SECOND, timedelta(days=60)])
async def test_a_bare_phone_number_opens_nothing_although_a_start_was_given_up(world: World, later: timedelta) -> None:
    """Money audit A16, design §9.10: a phone number is no secret. Authorize and the start agree (field ruling 2.4)."""
    await world.give(500_00)
    await world.sql("UPDATE clients SET phone = %s", PHONE)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.app.charging.stop_session(session_id, caller=CLIENT, actor="client")
    world.clock.advance(later.total_seconds())
    assert (await world.app.reports.authorize(STATION, PHONE)).status == "Invalid"
    assert (await world.begin(PHONE)).verdict.status == "Invalid"


async def test_a_phones_charge_that_began_while_it_was_waited_for_is_billed(world: World) -> None:
    """Money audit A14: a report of a charge that we had asked for, under the number we had asked with."""
    await world.give(500_00)
    await world.sql("UPDATE clients SET phone = %s", PHONE)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    began_at = world.clock.now() + 5 * SECOND
    world.clock.advance(601)
    assert await phase(world, session_id) == "released"
    begun = await start(world, PHONE, began_at, register_wh=1_000)
    await stop(world, begun.wire_transaction_id, 6_000, began_at + HOUR)
    assert (await world.session(session_id)).cost_tyiyn == 67_50
