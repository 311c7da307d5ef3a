"""Whatever a station reports of its charges, bills are right (field rulings 1 to 4; docs/money.md).

The stations are drawn by Hypothesis: any order, loss, repeats, resets, clocks, units and phases, registers beyond
belief, lost stops, starts and stops out of a queue, boots. What is claimed is computed from what flowed in truth and
from what was sent. EVPOWER_TEST_STATIONS=1000 searches: so many new stations are drawn for each claim.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from decimal import ROUND_HALF_UP, Decimal
from itertools import chain
from typing import Any

import pytest
import trio
from hypothesis import given, settings
from hypothesis import strategies as st

from evpower.db.pool import open_pool
from evpower.errors import Refusal
from evpower.identifiers import ConnectorId, IdTag
from tests.charging.test_transactions import CARD, give_card
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World, impatient, open_world
from tests.worlds.databases import Databases
from tests.worlds.drawn_station import ABSURD_WH, POWER_W, STYLES, Charge, DrawnStation, open_station

STRANGER, PROBE = IdTag("STRANGER"), IdTag("PROBE")
GIFT = 300_00
#: An ordinary run draws the same few each time; a search draws anew.
ASKED = os.environ.get("EVPOWER_TEST_STATIONS")
DRAWN = settings(max_examples=int(ASKED or 10), derandomize=ASKED is None)
Step = tuple[Any, ...]
#: A search takes as long as it is asked to.
pytestmark = pytest.mark.timeout(0 if ASKED else 300)

CONNECTORS = st.sampled_from([ONE, TWO])
RARELY = st.sampled_from([False] * 6 + [True])
TIMES = st.sampled_from([1, 1, 1, 2, 3])
#: In place of the register: nothing, far beyond belief, begun at 0, and what could be.
LIES = st.sampled_from([None] * 12 + [ABSURD_WH, 0, 4_900, 7_000, 15_000])
NAMED = st.sampled_from([True] * 5 + [False])
ORDERS = ("kept", "readings last", "readings first", "readings backwards")
#: How far the station's clock is ahead; None: it begins in 1970.
CLOCKS = (None, *(timedelta(minutes=m) for m in (0, -1, -20, 30, -1440, 1440)))
STARTS = st.one_of(
    st.tuples(st.just("order"), CONNECTORS, st.sampled_from([1_000, 5_000, 20_000, None]), TIMES, RARELY, RARELY),
    st.tuples(st.just("card"), CONNECTORS, TIMES, RARELY, RARELY),
    st.tuples(st.just("stranger"), CONNECTORS, TIMES, RARELY, RARELY),
)
FLOWS = st.tuples(st.just("flow"), st.sampled_from([5, 60, 300, 600, 1800, 3600]), st.sampled_from([1, 1, 0.3]))
READINGS = st.tuples(st.just("read"), CONNECTORS, st.sampled_from(STYLES), LIES, NAMED, RARELY, TIMES)
ENDS = st.tuples(st.just("end"), CONNECTORS, RARELY, LIES, st.sampled_from([None, *STYLES]), TIMES)
TROUBLES = st.one_of(
    st.tuples(st.just("phone stops"), CONNECTORS),
    st.tuples(st.just("line falls")),
    st.tuples(st.just("line returns"), st.sampled_from(ORDERS)),
    st.tuples(st.just("boot"), RARELY),
    st.tuples(st.just("clock"), st.sampled_from(CLOCKS)),
    st.tuples(st.just("repeat"), st.integers(0, 5)),
    st.tuples(st.just("work")),
    st.tuples(st.just("recover")),
    st.tuples(st.just("flow"), st.sampled_from([5, 600, 3600]), st.just(0)),
)
STEPS = st.one_of(FLOWS, READINGS, TROUBLES, STARTS, ENDS)


@st.composite
def charges(draw: st.DrawFn) -> list[Step]:
    """A charge as it should be, in which a trouble or two may come between."""
    start, *rest = (
        draw(STARTS),
        *(each for pair in draw(st.lists(st.tuples(FLOWS, READINGS), max_size=4)) for each in pair),
    )
    steps: list[Step] = [start, *(_at(start[1], step) for step in rest), draw(FLOWS), _at(start[1], draw(ENDS))]
    for trouble in draw(st.lists(st.one_of(TROUBLES, STEPS), max_size=3)):
        steps.insert(draw(st.integers(0, len(steps))), trouble)
    if draw(RARELY):
        steps.insert(draw(st.integers(1, len(steps))), ("phone stops", start[1]))
    if draw(RARELY):
        falls = draw(st.integers(0, len(steps)))
        steps.insert(falls, ("line falls",))
        steps.insert(draw(st.integers(falls + 1, len(steps))), ("line returns", draw(st.sampled_from(ORDERS))))
    return steps


def _at(connector: ConnectorId, step: Step) -> Step:
    """The same at this connector."""
    return step if step[0] == "flow" else (step[0], connector, *step[2:])


@dataclass(frozen=True)
class Story:
    """What is drawn."""

    steps: list[Step]
    obeys: bool
    free_vend: bool


STORIES = st.builds(
    Story,
    st.lists(charges(), min_size=1, max_size=5).map(lambda each: list(chain.from_iterable(each))),
    st.booleans(),
    RARELY,
)


@dataclass
class Outcome:
    """What came of it, when nothing is left to happen."""

    station: DrawnStation
    sessions: list[dict[str, Any]]
    transactions: dict[str, dict[str, Any]]
    #: By transaction id, the kinds of its doubts.
    doubts: dict[str, set[str]]
    parked: int
    unbilled_wh: Counter[int]
    missing_wh: Counter[int]
    client: dict[str, Any]


async def act(world: World, station: DrawnStation, step: Step) -> None:
    match step:
        case ("order", connector, energy_wh, times, from_0, lost):
            if station.outlets[connector].charge is None and station.is_online:
                try:
                    started = await world.order(energy_wh=energy_wh, connector=connector)
                except Refusal:
                    return
                tag = await world.tag_of(started.session.session_id)
                await station.begin(connector, tag, lost=lost, from_0=from_0, times=times)
        case ("card", connector, times, from_0, lost):
            await station.begin(connector, CARD, lost=lost, from_0=from_0, times=times)
        case ("stranger", connector, times, from_0, lost):
            await station.begin(connector, STRANGER, lost=lost, from_0=from_0, times=times)
        case ("flow", seconds, share):
            station.flow(seconds, share)
        case ("read", connector, style, lie_wh, named, lost, times):
            await station.read(connector, style=style, lie_wh=lie_wh, names_transaction=named, lost=lost, times=times)
        case ("end", connector, lost, lie_wh, style, times):
            await station.end(connector, lost=lost, lie_wh=lie_wh, style=style, times=times)
        case ("phone stops", connector):
            await phone_stops(world, connector)
        case ("line falls",):
            station.line_falls()
        case ("line returns", order):
            await station.line_returns(order)
        case ("boot", zero):
            if zero:
                station.zero()
            await station.boot()
        case ("clock", ahead):
            station.set_clock(ahead)
        case ("repeat", back):
            await station.repeat(back)
        case ("work",):
            await world.app.settler.work_due()
        case ("recover",):
            await world.app.recovery.check()


async def phone_stops(world: World, connector: ConnectorId) -> None:
    """The driver ends what goes on there; the station is asked and not waited for."""
    running = await world.sql(
        "SELECT id FROM charging_sessions WHERE status = 'started' AND connector_id = %s", connector
    )
    for row in running:
        await world.app.charging.stop_session(row["id"], caller=CLIENT, actor="client")


async def tell(world: World, story: Story) -> Outcome:
    await world.give(GIFT)
    await give_card(world)
    if story.free_vend:
        await world.app.free_vend.set(STATION, enabled=True, actor="test")
    async with open_station(world) as station:
        for step in story.steps:
            await act(world, station, step)
            if story.obeys:
                await station.obey()
        await finish(world, station)
    return await outcome(world, station)


async def finish(world: World, station: DrawnStation) -> None:
    """The queue is delivered, and a start shows what each register is now; then half a day goes by."""
    await station.line_returns("kept")
    station.set_clock(timedelta(0))
    for connector in (ONE, TWO):
        await station.end(connector, lost=True, lie_wh=None, style=None, times=1)
        station.flow(1, 0)
        await station.begin(connector, PROBE, lost=False, from_0=False)
    await world.app.settler.work_due()
    world.clock.advance(13 * 3600)
    for _ in range(2):
        await world.app.recovery.check()
        await world.app.settler.work_due()


async def outcome(world: World, station: DrawnStation) -> Outcome:
    transactions = await world.sql(
        "SELECT id, wire_transaction_id AS name, charging_session_id AS session_id, connector_id, free_vend, flags, "
        "(meter_carried_wh + greatest(0, meter_last_wh - coalesce(meter_base_wh, meter_start_wh)))::int AS energy_wh "
        "FROM evpower.ocpp_transactions"
    )
    doubts: dict[str, set[str]] = {each["name"]: set() for each in transactions}
    for row in await world.sql(
        "SELECT t.wire_transaction_id AS name, d.kind FROM evpower.doubts d "
        "JOIN evpower.ocpp_transactions t ON t.id = d.transaction_key"
    ):
        doubts[row["name"]].add(row["kind"])
    by_name = {each["name"]: each for each in transactions}
    unbilled: Counter[int] = Counter()
    for each in await world.app.parked.unbilled_energy():
        unbilled[by_name[each.transaction_id]["connector_id"] if each.transaction_id else 0] += each.unbilled_wh
    missing: Counter[int] = Counter()
    for gap in await world.app.parked.missing_energy():
        missing[gap.connector_id] += gap.missing_wh
    return Outcome(
        station,
        await world.sql(
            "SELECT s.*, p.phase, p.unbilled_wh, p.unbilled_tyiyn, p.estimated, p.corrected_at "
            "FROM charging_sessions s JOIN evpower.session_phases p ON p.session_id = s.id ORDER BY s.created_at, s.id"
        ),
        by_name,
        doubts,
        len(await world.app.parked.parked(resolved_too=True)),
        unbilled,
        missing,
        (await world.sql("SELECT balance, debt_amount FROM clients WHERE id = %s", CLIENT))[0],
    )


def claim(databases: Databases, story: Story, holds: Callable[[Outcome], None]) -> None:
    """In a world of its own, whose ledger is checked at the end."""

    async def run() -> None:
        config = impatient()
        config = replace(config, charging=replace(config.charging, stop_wait_s=0.001, start_repeat_s=0.001))
        with trio.fail_after(60):
            async with open_pool(url, size=4) as pool, open_world(pool, config) as world:
                holds(await tell(world, story))

    url = databases.lend()
    try:
        trio.run(run)
    finally:
        databases.take_back()


# ----------------------------------------------------------------------------------------------------------- the claims


def believed(outcome: Outcome, session: dict[str, Any]) -> int:
    of_it = [each for each in outcome.transactions.values() if each["session_id"] == session["id"]]
    assert len(of_it) <= 1
    return of_it[0]["energy_wh"] if of_it else 0


def billed_is_believed(outcome: Outcome) -> None:
    paid = Decimal(0)
    for session in outcome.sessions:
        assert session["phase"] in ("settled", "released"), session
        energy = session["energy"] or Decimal(0)
        cost = (energy * session["rate_per_kwh"]).quantize(Decimal("0.01"), ROUND_HALF_UP)
        cost += session["session_fee"] if energy else 0
        assert session["amount"] == cost, session
        assert energy * 1000 + session["unbilled_wh"] == believed(outcome, session), session
        moved = session["reserved_amount"] - session["refunded_amount"] + session["additional_charge"]
        # What of a debt was paid meanwhile is an additional charge, or is no debt any more.
        assert moved + session["debt_amount"] <= cost, session
        paid += cost - session["debt_amount"]
    assert outcome.client["debt_amount"] == sum(session["debt_amount"] for session in outcome.sessions)
    assert outcome.client["balance"] == Decimal(GIFT) / 100 - paid
    assert outcome.client["balance"] >= 0


def most_wh(charge: Charge) -> int:
    """By physics: 1.1 x power x (time + 120 s), the time by the station's clock up to two days, or by ours."""
    assert charge.received_at is not None
    assert charge.started_at is not None
    times = [timedelta(0)]
    for heard in charge.heard:
        times.append(heard.received_at - charge.received_at)
        if timedelta(0) <= heard.measured_at - charge.started_at <= timedelta(days=2):
            times.append(heard.measured_at - charge.started_at)
    return int(1.1 * POWER_W * (max(times).total_seconds() + 120) / 3600)


def rises_wh(charge: Charge) -> int:
    """What the registers rose by, in the order in which they came; those beyond physics rise by nothing.

    Where a register that fell is followed by one at least as high as before, the low one was a slip.
    """
    total, last_wh, last_at = 0, charge.start_register_wh, None
    fell_from_wh = None
    for heard in charge.heard:
        if heard.register_wh - charge.start_register_wh >= ABSURD_WH // 2:
            continue
        if heard.register_wh < last_wh:
            if last_at is not None and heard.measured_at <= last_at:
                continue
            fell_from_wh = last_wh
        elif fell_from_wh is not None and heard.register_wh > last_wh:
            total += heard.register_wh - (fell_from_wh if heard.register_wh >= fell_from_wh else last_wh)
            fell_from_wh = None
        else:
            total += heard.register_wh - last_wh
        last_wh, last_at = heard.register_wh, heard.measured_at
    return total


def never_more_than_physics(outcome: Outcome) -> None:
    for outlet in outcome.station.outlets.values():
        for charge, following in zip(outlet.reported, [*outlet.reported[1:], None], strict=True):
            assert charge.transaction_id is not None
            energy_wh = outcome.transactions[charge.transaction_id]["energy_wh"]
            assert energy_wh <= most_wh(charge), charge
            assert energy_wh <= rises_wh(charge), charge
            if charge.is_plain and outcome.station.in_order:
                until_wh = outlet.delivered_wh if following is None else following.began_wh
                assert energy_wh <= until_wh - charge.began_wh, charge


def plain_is_exact(outcome: Outcome) -> None:
    """Nothing lied, broke off or overtook: each transaction has what its last register shows, and nobody is asked."""
    if not outcome.station.in_order:
        return
    for outlet in outcome.station.outlets.values():
        for charge in outlet.reported:
            if charge.is_plain and charge.transaction_id is not None:
                shown_wh = max([h.register_wh for h in charge.heard], default=charge.start_register_wh)
                transaction = outcome.transactions[charge.transaction_id]
                assert transaction["energy_wh"] == shown_wh - charge.start_register_wh, (charge, transaction)
                assert outcome.doubts[charge.transaction_id] <= {"power", "clock"}, charge


def never_silent(outcome: Outcome) -> None:
    for connector, outlet in outcome.station.outlets.items():
        names = [name for name, each in outcome.transactions.items() if each["connector_id"] == connector]
        paid_by = {outcome.transactions[name]["session_id"] for name in names}
        billed_wh = sum(
            int((session["energy"] or 0) * 1000) for session in outcome.sessions if session["id"] in paid_by
        )
        given_wh = sum(
            outcome.transactions[name]["energy_wh"] for name in names if outcome.transactions[name]["free_vend"]
        )
        shares = (billed_wh, outcome.unbilled_wh[connector], given_wh, outcome.missing_wh[connector])
        first = outlet.reported[0]
        true_wh = outlet.delivered_wh - first.began_wh
        is_asked = outcome.parked or any(outcome.doubts[name] - {"power"} for name in names)
        if outlet.is_plain:
            assert sum(shares) == true_wh or is_asked, (shares, true_wh, outlet.reported)
        for charge in outlet.reported:
            assert charge.transaction_id is not None
            if any(heard.register_wh == ABSURD_WH and heard.is_open for heard in charge.heard):
                assert outcome.doubts[charge.transaction_id] - {"power"}, charge


@given(story=STORIES)
@DRAWN
def test_every_session_is_billed_its_believed_energy_at_its_tariff(databases: Databases, story: Story) -> None:
    """Issue 11: within what the balance allows; the rest is a debt or unbilled, and the ledger agrees."""
    claim(databases, story, billed_is_believed)


@given(story=STORIES)
@DRAWN
def test_never_more_is_counted_than_can_have_flowed(databases: Databases, story: Story) -> None:
    claim(databases, story, never_more_than_physics)


@given(story=STORIES)
@DRAWN
def test_what_is_reported_in_order_is_counted_to_the_watt_hour(databases: Databases, story: Story) -> None:
    claim(databases, story, plain_is_exact)


@given(story=STORIES)
@DRAWN
def test_every_watt_hour_is_somewhere_or_a_person_is_asked(databases: Databases, story: Story) -> None:
    claim(databases, story, never_silent)
