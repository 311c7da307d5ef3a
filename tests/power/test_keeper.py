"""The worker over real rows: what is sent, what is written before, and what counts after a restart."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
import trio
import trio.testing
from psycopg.types.json import Jsonb

from evpower.errors import InvalidRequest
from evpower.events import ChargingBegan
from evpower.identifiers import ClientId, ConnectorId, IdTag, SessionId, StationId, WireTransactionId
from evpower.link.errors import CommandRefused, CommandTimedOut
from evpower.metering.meter_value import MeterReport, Sample
from evpower.ocpp.dialect import Request
from evpower.ocpp.shared.stored import read_schedules
from evpower.ocpp.v201.dialect import OCPP_201
from evpower.power.at_station.reported import CarNeeds, ReportedLimits
from evpower.power.keeper import PowerKeeper
from evpower.power.service import MOMENTS_KEPT_FOR, forget_moments
from tests.e2e.process import poll
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World

OTHER = ClientId("client-2")
GROUP = """
INSERT INTO evpower.power_groups (location_id, name, limit_a, failsafe_a, created_at)
VALUES ('EVP-LOC-001', 'Ввод', %s, %s, '2026-11-23') RETURNING id
"""
MEMBERS = """
INSERT INTO evpower.power_group_members (station_id, connector_id, group_id, max_a)
SELECT station_id, connector_number, %s, 32 FROM connectors
"""


class Desk:
    """A site of the world's station with two connectors, and its keeper."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.keeper = world.app.power
        self.read = self.read_starts = 0

    def process(self) -> PowerKeeper:
        """One more process, or the same one after a restart."""
        return PowerKeeper(
            self.world.pool, self.world.clock, self.world.link, self.keeper._zone, read_schedules, enabled=True
        )

    async def look(self, keeper: PowerKeeper | None = None) -> list[tuple[int, float]]:
        """(connector, limit) of every profile that a look sent; all are answered at its end."""
        async with trio.open_nursery() as commands:
            await (keeper or self.keeper).look(commands)
        sent = [payload for action, payload in self.world.link.commanded[self.read :] if action == "SetChargingProfile"]
        self.read = len(self.world.link.commanded)
        return [(each["connectorId"], limit_of(each["csChargingProfiles"])) for each in sent]

    async def settle(self) -> dict[int, float]:
        last: dict[int, float] = {}
        while sent := await self.look():
            last |= dict(sent)
            self.world.clock.advance(10)
        return last

    async def start(self, connector: ConnectorId, client: ClientId = CLIENT) -> WireTransactionId:
        """By phone; what the start carried stays in the link."""
        started = await self.world.order(connector=connector, client=client)
        with trio.fail_after(10):
            await poll(self._has_started)
        self.read_starts = len(self.world.link.started)
        tag = await self.world.tag_of(started.session.session_id)
        return (await self.world.begin(tag, connector=connector)).wire_transaction_id

    async def _has_started(self) -> bool:
        return len(self.world.link.started) > self.read_starts

    async def states(self) -> list[str]:
        return [row["state"] for row in await self.world.sql("SELECT state FROM evpower.power_grants ORDER BY id")]

    async def measure(self, transaction_id: WireTransactionId, connector: ConnectorId, current_a: float) -> None:
        sample = Sample(self.world.clock.now(), 1000, None, current_a)
        report = MeterReport(connector, transaction_id, (sample,), b"[]")
        await self.world.app.reports.record_meter_values(STATION, report)


def limit_of(profile: dict[str, Any]) -> float:
    return float(profile["chargingSchedule"]["chargingSchedulePeriod"][0]["limit"])


@pytest.fixture
async def desk(world: World) -> Desk:
    world.link.connected.add(STATION)
    world.link.replies["GetConfiguration"] = {
        "configurationKey": [{"key": "ChargingScheduleAllowedChargingRateUnit", "readonly": True, "value": "Current"}]
    }
    await world.sql(
        "INSERT INTO evpower.processes (process_id, started_at, lease_until, version) VALUES ('p', now(), now(), '')"
    )
    await world.sql(
        "INSERT INTO evpower.charger_connections (station_id, process_id, connected_at) VALUES (%s, 'p', %s)",
        STATION,
        world.clock.now(),
    )
    (group,) = await world.sql(GROUP, 20, 5)
    await world.sql(MEMBERS, group["id"])
    await world.give(1_000_00)
    await world.give(1_000_00, OTHER)
    return Desk(world)


async def test_the_permanent_profile_comes_first_and_once(desk: Desk) -> None:
    assert sorted(await desk.look()) == [(1, 5), (2, 5)]
    sent = [payload for action, payload in desk.world.link.commanded if action == "SetChargingProfile"]
    profiles = [payload["csChargingProfiles"] for payload in sent]
    assert {(each["chargingProfilePurpose"], each["stackLevel"]) for each in profiles} == {("TxDefaultProfile", 0)}
    desk.world.clock.advance(3600)
    assert await desk.look() == []
    await desk.world.sql("UPDATE evpower.charger_connections SET connected_at = %s", desk.world.clock.now())
    assert len(await desk.look()) == 2, "it was away: it may have forgotten"


async def test_a_start_carries_what_is_free_and_later_starts_wait_for_the_lowering(desk: Desk) -> None:
    await desk.settle()
    await desk.start(ONE)
    (limit,) = desk.world.link.start_limits
    assert limit is not None
    assert (limit.limit_tenths, limit.unit, limit.duration_s, limit.transaction_id) == (200, "A", 300, None)
    assert await desk.look() == []
    await desk.start(TWO, OTHER)
    second = desk.world.link.start_limits[-1]
    assert second is not None
    assert (second.limit_tenths, second.duration_s) == (0, 600), "a pause: nobody was lowered yet"
    assert await desk.look() == [(1, 10)]
    desk.world.clock.advance(10)
    assert await desk.look() == [(2, 10)]


async def test_a_card_counts_the_failsafe_until_it_accepts(desk: Desk) -> None:
    await desk.settle()
    await desk.start(ONE)
    desk.world.clock.advance(10)
    await desk.look()
    await desk.world.sql(
        "INSERT INTO evpower.ocpp_authorization (id_tag, client_id, status, created_at)"
        " VALUES ('CARD', %s, 'Accepted', now())",
        OTHER,
    )
    begun = await desk.world.begin(IdTag("CARD"), connector=TWO)
    assert begun.verdict.status == "Accepted"
    assert dict(await desk.look()) == {1: 10, 2: 0}
    desk.world.clock.advance(10)
    assert await desk.look() == [(2, 10)]


async def test_a_grant_is_written_before_it_is_sent_and_its_answer_after(desk: Desk) -> None:
    await desk.settle()
    await desk.start(ONE)
    assert await desk.states() == ["sent"]
    desk.world.clock.advance(120)
    assert await desk.look() == [(1, 20)]
    rows = await desk.world.sql("SELECT * FROM evpower.power_grants WHERE state <> 'sent' ORDER BY id")
    assert len(rows) == 1
    assert [rows[0][name] for name in ("state", "limit", "unit", "current_da")] == ["accepted", 20, "A", 200]
    assert (rows[0]["lease_until"] - rows[0]["acked_at"]).total_seconds() == 300
    with pytest.raises(Exception, match="append-only"):
        await desk.world.sql("DELETE FROM evpower.power_grants")


async def test_after_a_restart_grants_count_until_their_leases_end(desk: Desk) -> None:
    """The station of connector 1 is lost with the process; its grant is in rows."""
    await desk.settle()
    await desk.start(ONE)
    await desk.start(TWO, OTHER)
    await desk.settle()
    desk.world.link.replies["SetChargingProfile"] = CommandTimedOut()
    desk.world.clock.advance(120)
    await desk.look()
    desk.world.link.replies.clear()
    after = desk.process()
    await desk.world.sql("UPDATE evpower.power_groups SET limit_a = 16")
    desk.world.clock.advance(10)
    assert dict(await desk.look(after)) == {1: 6, 2: 6}, "each beside the 10 A that the other may still draw"
    await desk.world.end(WireTransactionId("1"), 1000)
    desk.world.clock.advance(20)
    assert await desk.look(after) == [(2, 16)]


async def test_a_site_has_one_owner_until_its_lease_ends(desk: Desk) -> None:
    await desk.world.sql("UPDATE evpower.power_groups SET owner = 'b', owner_until = %s", desk.world.clock.now())
    await desk.world.sql("UPDATE evpower.power_groups SET owner_until = owner_until + interval '30 s'")
    desk.world.clock.advance(30)
    assert await desk.look() == []
    desk.world.clock.advance(1)
    assert len(await desk.look()) == 2


def limit_a(limit: float) -> dict[str, Any]:
    periods = [{"startPeriod": 0, "limit": limit}]
    return {"chargingSchedule": [{"id": 1, "chargingRateUnit": "A", "chargingSchedulePeriod": periods}]}


async def granted(desk: Desk) -> dict[int, float]:
    await desk.settle()
    (picture,) = desk.keeper.pictures.values()
    return {each.member.outlet[1]: each.granted_da / 10 for each in picture.members}


async def test_what_others_limit_at_a_station_its_neighbours_get_until_it_is_cleared(desk: Desk) -> None:
    """2.0.1 K11–K13. Below what charges a car it gets nothing; of the whole station it holds for each connector."""
    others = ReportedLimits(desk.world.pool, desk.world.clock, enabled=True)
    await desk.settle()
    await desk.start(ONE)
    await desk.start(TWO, OTHER)
    assert await granted(desk) == {1: 10, 2: 10}
    await others.set(STATION, ONE, "SO", limit_a(7))
    assert await granted(desk) == {1: 7, 2: 13}
    await others.set(STATION, ConnectorId(0), "EMS", limit_a(8))
    assert await granted(desk) == {1: 7, 2: 8}
    await others.set(STATION, ONE, "SO", limit_a(5.9))
    assert await granted(desk) == {1: 0, 2: 8}
    await others.cleared(STATION, TWO, "SO")
    assert await granted(desk) == {1: 0, 2: 8}, "that one is limited by somebody else"
    await others.cleared(STATION, None, "SO")
    await others.cleared(STATION, None, "EMS")
    assert await granted(desk) == {1: 10, 2: 10}
    await others.set(STATION, ONE, "SO", None)
    assert await granted(desk) == {1: 10, 2: 10}, "it does not say how much"


@pytest.mark.parametrize(("has_ours", "set_a"), [(True, 5), (False, None)])
async def test_after_it_was_away_a_station_of_2_0_1_says_what_it_has(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, has_ours: bool, set_a: float | None
) -> None:
    """K09: a limit that went without a word is dropped, another is kept; without our own it may draw all it can."""
    others = ReportedLimits(desk.world.pool, desk.world.clock, enabled=True)
    await others.set(STATION, ONE, "SO", limit_a(7))
    desk.world.link.dialect = OCPP_201

    async def answer(_: StationId, request: Request) -> dict[str, Any]:
        if request.action != "GetChargingProfiles":
            return {"status": "Accepted"}
        outlet, purpose = request.payload["evseId"], request.payload["chargingProfile"]["chargingProfilePurpose"]
        ours = {"chargingLimitSource": "CSO", "chargingProfile": [{"id": 8_000_000 + outlet}]}
        external = {"chargingLimitSource": "EMS", "chargingProfile": [{"id": 3, **limit_a(9)}]}
        part = (ours if has_ours else None) if purpose == "TxDefaultProfile" else external
        return {"status": "Accepted", "parts": [part]} if part else {"status": "NoProfiles"}

    monkeypatch.setattr(desk.world.link, "_answer", answer)
    await desk.look()
    kept = "SELECT connector_id, source FROM evpower.power_station_limits ORDER BY 1"
    assert await desk.world.sql(kept) == [{"connector_id": n, "source": "EMS"} for n in (1, 2)]
    rows = await desk.world.sql("SELECT failsafe_set_a FROM evpower.power_group_members")
    assert rows == [{"failsafe_set_a": set_a}] * 2


@pytest.mark.parametrize(("purpose", "level", "rests_a"), [("ChargePointMaxProfile", 0, 5), ("TxDefaultProfile", 1, 9)])
async def test_an_operators_own_profile_is_a_maximum(desk: Desk, purpose: str, level: int, rests_a: float) -> None:
    """A permanent one of a higher level than ours is also what the connector rests at."""
    await desk.settle()
    await desk.start(ONE)
    await desk.start(TWO, OTHER)
    await desk.world.sql(
        "INSERT INTO evpower.ocpp_charging_profiles"
        " (station_id, connector_id, profile_id, purpose, stack_level, profile, set_at)"
        " VALUES (%s, 1, 7, %s, %s, %s, %s)",
        STATION,
        purpose,
        level,
        Jsonb(limit_a(9)),
        desk.world.clock.now(),
    )
    assert await granted(desk) == {1: 9, 2: 11}
    await desk.world.sql("DELETE FROM evpower.charger_connections")
    desk.world.clock.advance(700)
    await desk.look()
    (picture,) = desk.keeper.pictures.values()
    assert picture.members[0].possible_da == rests_a * 10


async def test_of_the_same_level_it_is_ours_that_counts(desk: Desk) -> None:
    await desk.world.sql(
        "INSERT INTO evpower.ocpp_charging_profiles"
        " (station_id, connector_id, profile_id, purpose, stack_level, profile, set_at)"
        " VALUES (%s, 0, 7, 'TxDefaultProfile', 0, %s, now())",
        STATION,
        Jsonb(limit_a(9)),
    )
    await desk.settle()
    await desk.start(ONE)
    assert await granted(desk) == {1: 20, 2: 0}


async def test_no_operators_profile_takes_the_place_of_ours(desk: Desk) -> None:
    """Of a charge it would go before the grant, or end with nothing of ours beneath it: the sum would be anything."""
    await desk.settle()
    transaction_id = await desk.start(ONE)
    profiles = desk.world.app.operations.profiles

    async def give(purpose: str, level: int, **charge: int) -> None:
        kind = {"chargingProfilePurpose": purpose, "stackLevel": level, "chargingProfileKind": "Absolute"}
        schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [{"startPeriod": 0, "limit": 32}]}
        written = {"chargingProfileId": 7, **kind, "chargingSchedule": schedule, **charge}
        await profiles.set(STATION, ONE, written)

    sent = len(desk.world.link.commanded)
    for purpose, level, charge in (
        ("TxProfile", 0, {"transactionId": int(transaction_id)}),
        ("TxProfile", 9, {"transactionId": int(transaction_id)}),
        ("TxDefaultProfile", 0, {}),
    ):
        with pytest.raises(InvalidRequest) as refused:
            await give(purpose, level, **charge)
        assert refused.value.fields[0][0] == "profile.chargingProfilePurpose"
    assert len(desk.world.link.commanded) == sent
    await give("TxDefaultProfile", 1)
    await desk.world.sql("UPDATE evpower.power_groups SET active = false")
    await give("TxProfile", 9, transactionId=int(transaction_id))


@pytest.mark.parametrize(("connector", "again"), [(None, [(1, 5), (1, 20), (2, 5)]), (TWO, [(2, 5)])])
async def test_what_an_operator_cleared_of_ours_is_sent_again(
    desk: Desk, connector: ConnectorId | None, again: list[tuple[int, float]]
) -> None:
    await desk.settle()
    await desk.start(ONE)
    await desk.settle()
    desk.world.clock.advance(20)
    assert await desk.look() == []
    await desk.world.app.operations.profiles.clear(
        STATION, profile_id=None, connector_id=connector, purpose=None, stack_level=None
    )
    assert sorted(await desk.look()) == again
    desk.world.clock.advance(20)
    assert await desk.look() == []


async def test_a_car_that_asks_for_a_schedule_is_sent_its_grant_again_and_gets_what_it_needs(desk: Desk) -> None:
    """2.0.1 K15, K16: its driver's own wishes go before what the car says."""
    others = ReportedLimits(desk.world.pool, desk.world.clock, enabled=True)
    needs = CarNeeds(2_000, desk.world.clock.now() + timedelta(hours=1))
    assert not await others.needed(STATION, ONE, needs), "no charge runs there"
    await desk.settle()
    await desk.start(ONE)
    await desk.settle()
    desk.world.clock.advance(20)
    assert await desk.look() == []
    assert await others.needed(STATION, ONE, needs)
    assert await desk.look() == [(1, 20)]
    desk.world.clock.advance(20)
    assert await desk.look() == [], "once"
    kept = "SELECT profile_type, departure_at, energy_need_wh FROM evpower.power_preferences"
    assert await desk.world.sql(kept) == [
        {"profile_type": "regular", "departure_at": needs.departure_at, "energy_need_wh": 2_000}
    ]
    await desk.world.sql("UPDATE evpower.power_preferences SET is_of_car = false, profile_type = 'fast'")
    assert await others.needed(STATION, ONE, CarNeeds(9_000, needs.departure_at))
    assert [row["energy_need_wh"] for row in await desk.world.sql(kept)] == [2_000]
    off = ReportedLimits(desk.world.pool, desk.world.clock, enabled=False)
    assert not await off.needed(STATION, ONE, needs)


async def test_a_station_that_was_away_is_sent_its_grant_again(desk: Desk) -> None:
    """It may have begun anew, and a profile of a charge passes with that."""
    await desk.settle()
    await desk.start(ONE)
    await desk.settle()
    desk.world.clock.advance(20)
    assert await desk.look() == []
    await desk.world.sql("UPDATE evpower.charger_connections SET connected_at = %s", desk.world.clock.now())
    assert sorted(await desk.look()) == [(1, 5), (1, 20), (2, 5)]
    desk.world.clock.advance(20)
    assert await desk.look() == []


async def test_a_connector_that_left_while_its_station_was_away_is_released_when_it_is_back(desk: Desk) -> None:
    """And not when it is a member again by then."""
    groups = desk.world.app.power_groups
    (group,) = await groups.groups()
    await desk.settle()
    desk.world.link.connected.clear()
    await desk.world.sql("DELETE FROM evpower.charger_connections")
    await groups.store(group.id, replace(group.order, members=[]), actor="ann")
    await groups.store(group.id, replace(group.order, members=group.order.members[1:]), actor="ann")
    await desk.look()
    assert cleared(desk) == []
    desk.world.link.connected.add(STATION)
    await desk.world.sql(
        "INSERT INTO evpower.charger_connections (station_id, process_id, connected_at) VALUES (%s, 'p', %s)",
        STATION,
        desk.world.clock.now(),
    )
    desk.world.link.replies["ClearChargingProfile"] = CommandTimedOut()
    await desk.look()
    del desk.world.link.replies["ClearChargingProfile"]
    asked = len(cleared(desk))
    desk.world.clock.advance(60)
    await desk.look()
    assert len(cleared(desk)) == asked, "not at once again"
    desk.world.clock.advance(61)
    await desk.look()
    assert cleared(desk)[asked:] == [(1, "TxDefaultProfile", 0), (1, "TxProfile", 1)]
    desk.world.clock.advance(1000)
    await desk.look()
    assert len(cleared(desk)) == asked + 2


def cleared(desk: Desk) -> list[tuple[int, str, int]]:
    return [
        (payload["connectorId"], payload["chargingProfilePurpose"], payload["stackLevel"])
        for action, payload in desk.world.link.commanded
        if action == "ClearChargingProfile"
    ]


async def test_who_refuses_counts_all_it_can_draw_until_it_accepts(desk: Desk) -> None:
    await desk.settle()
    await desk.start(ONE)
    await desk.start(TWO, OTHER)
    desk.world.link.replies["SetChargingProfile"] = CommandRefused("NotSupported", "no", {})
    await desk.look()
    rows = await desk.world.sql("SELECT uncontrolled FROM evpower.power_group_members WHERE connector_id = 1")
    assert rows == [{"uncontrolled": "refuses"}]
    desk.world.link.replies.clear()
    desk.world.clock.advance(10)
    assert await desk.look() == [], "32 of 20 A are counted"
    desk.world.clock.advance(120)
    await desk.settle()
    rows = await desk.world.sql("SELECT uncontrolled FROM evpower.power_group_members WHERE connector_id = 1")
    assert rows == [{"uncontrolled": None}]


async def test_who_refused_because_its_charge_had_just_ended_is_asked_when_it_is_idle(desk: Desk) -> None:
    """Its StopTransaction came after the refusal: until the next charge it would count all it can draw."""
    await desk.settle()
    transaction_id = await desk.start(ONE)
    desk.world.clock.advance(120)
    desk.world.link.replies["SetChargingProfile"] = CommandRefused("NotSupported", "no", {})
    await desk.look()
    desk.world.link.replies.clear()
    rows = await desk.world.sql("SELECT uncontrolled FROM evpower.power_group_members WHERE connector_id = 1")
    assert rows == [{"uncontrolled": "refuses"}]
    await desk.world.end(transaction_id, 2_000)
    desk.world.clock.advance(2)
    assert await desk.look() == [(1, 5)], "the permanent profile"
    rows = await desk.world.sql("SELECT uncontrolled FROM evpower.power_group_members WHERE connector_id = 1")
    assert rows == [{"uncontrolled": None}]
    assert await desk.look() == []


async def two_where_one_can_charge(desk: Desk) -> None:
    """The second begins while the first has all there is."""
    await desk.world.sql("UPDATE evpower.power_groups SET limit_a = 10, failsafe_a = 5")
    await desk.settle()
    await desk.start(ONE)
    await desk.settle()
    await desk.start(TWO, OTHER)


async def test_who_only_looks_sees_since_when_a_charge_is_paused(desk: Desk) -> None:
    """And so does the process that comes after this one: it is in the rows."""
    await two_where_one_can_charge(desk)
    await desk.settle()
    now = desk.world.clock.now()
    (group,) = await desk.world.sql("SELECT id FROM evpower.power_groups")
    desk.world.clock.advance(60)
    members = (await desk.world.app.power_groups.state(group["id"])).members
    paused = [each.paused_since for each in members if each.charges and not each.granted_da]
    assert len(paused) == 1
    assert paused[0] is not None
    assert paused[0] <= now


async def test_the_time_that_its_station_was_away_is_not_waited(desk: Desk) -> None:
    await two_where_one_can_charge(desk)
    since = await paused_since(desk, TWO)
    (line,) = await desk.world.sql("DELETE FROM evpower.charger_connections RETURNING station_id, process_id")
    await desk.look()
    desk.world.clock.advance(600)
    back = "INSERT INTO evpower.charger_connections (station_id, process_id, connected_at) VALUES (%s, %s, %s)"
    await desk.world.sql(back, *line.values(), desk.world.clock.now())
    assert await paused_since(desk, TWO) - since == timedelta(seconds=600)


async def paused_since(desk: Desk, connector: ConnectorId) -> datetime:
    await desk.settle()
    (picture,) = desk.keeper.pictures.values()
    (since,) = [each.paused_since for each in picture.members if each.member.outlet[1] == connector]
    assert since is not None
    return since


async def test_who_draws_more_than_its_grant_for_half_a_minute_is_uncontrolled(desk: Desk) -> None:
    await desk.settle()
    transaction_id = await desk.start(ONE)
    for _ in range(3):
        desk.world.clock.advance(20)
        await desk.measure(transaction_id, ONE, 25)
        await desk.look()
    rows = await desk.world.sql("SELECT uncontrolled FROM evpower.power_group_members WHERE connector_id = 1")
    assert rows == [{"uncontrolled": "disobeys"}]


async def test_what_a_car_does_not_draw_the_other_gets(desk: Desk) -> None:
    await desk.settle()
    first = await desk.start(ONE)
    await desk.start(TWO, OTHER)
    await desk.settle()
    for _ in range(4):
        desk.world.clock.advance(30)
        await desk.measure(first, ONE, 5)
        await desk.look()
    await desk.settle()
    (picture,) = desk.keeper.pictures.values()
    granted = {each.member.outlet[1]: each.granted_da for each in picture.members}
    assert granted == {1: 70, 2: 130}


async def test_a_switched_off_group_limits_nothing(desk: Desk) -> None:
    await desk.world.sql("UPDATE evpower.power_groups SET active = false")
    assert await desk.look() == []
    await desk.start(ONE)
    assert desk.world.link.start_limits == [None]


async def test_a_minute_of_history_is_a_row(desk: Desk) -> None:
    await desk.start(ONE)
    for _ in range(4):
        await desk.look()
        desk.world.clock.advance(30)
    rows = await desk.world.sql("SELECT limit_da, possible_da FROM evpower.power_history ORDER BY at")
    assert len(rows) == 2
    assert {row["limit_da"] for row in rows} == {200}


async def test_minutes_of_more_than_three_months_ago_are_dropped_and_younger_ones_stay(desk: Desk) -> None:
    await desk.start(ONE)
    await desk.look()
    (row,) = await desk.world.sql("SELECT at FROM evpower.power_history")
    for later, left in ((MOMENTS_KEPT_FOR, 1), (MOMENTS_KEPT_FOR + timedelta(seconds=1), 0)):
        await forget_moments(desk.world.pool, row["at"] + later)
        assert len(await desk.world.sql("SELECT at FROM evpower.power_history")) == left


async def test_without_a_site_of_its_own_a_process_looks_at_none_for_a_charge(desk: Desk) -> None:
    """Most networks have none, and every charge of every process is heard."""
    world = desk.world
    keeper = Counting(world.pool, world.clock, world.link, desk.keeper._zone, read_schedules, enabled=True)
    async with trio.open_nursery() as workers:
        await workers.start(keeper.run)
        await trio.testing.wait_all_tasks_blocked()
        keeper.hear(ChargingBegan(SessionId("s"), STATION, ONE))
        await trio.testing.wait_all_tasks_blocked()
        workers.cancel_scope.cancel()
    assert keeper.looked == 1


class Counting(PowerKeeper):
    """Looks at nothing, and counts how often."""

    looked = 0

    async def look(self, commands: trio.Nursery) -> None:
        self.looked += 1
