"""POST /charging/start: what is refused, in the contract's order, and what a start leaves behind (rest-api §4.1)."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
import trio

from evpower.billing.errors import ClientBlocked, ClientDeleted, InsufficientBalance
from evpower.charging.session import StartOrder
from evpower.db.pool import Pool
from evpower.errors import ConnectorNotFound, IdempotencyMismatch, SessionAlreadyActive
from evpower.idempotency.claim import IdempotencyClaim
from evpower.identifiers import ClientId, ConnectorId, StationId
from evpower.link.ports import CommandResult, Outcome
from evpower.network.spots.errors import (
    ConnectorFaulted,
    ConnectorOccupied,
    ConnectorUnavailable,
    StationInactive,
    StationOffline,
    StationUnderMaintenance,
    UnknownStation,
)
from evpower.settings.config import Config
from tests.worlds.charging import CLIENT, ONE, STATION, TWO, World, impatient, open_world


@pytest.mark.parametrize(("status", "error"), [("blocked", ClientBlocked), ("inactive", ClientDeleted)])
async def test_a_blocked_or_deleted_client_starts_nothing(world: World, status: str, error: type[Exception]) -> None:
    await world.give(500_00)
    await world.sql("UPDATE clients SET status = %s", status)
    with pytest.raises(error):
        await world.order()


async def test_an_unknown_station_is_refused(world: World) -> None:
    with pytest.raises(UnknownStation):
        await world.order(station=StationId("NOWHERE"))


@pytest.mark.parametrize(("status", "error"), [("inactive", StationInactive), ("maintenance", StationUnderMaintenance)])
async def test_the_admin_status_is_checked_before_presence(world: World, status: str, error: type[Exception]) -> None:
    world.link.connected.clear()
    await world.sql("UPDATE stations SET status = %s, last_heartbeat_at = NULL", status)
    with pytest.raises(error):
        await world.order()


async def test_a_station_silent_for_more_than_five_minutes_is_offline(world: World) -> None:
    await world.give(500_00)
    world.link.connected.clear()
    world.clock.advance(300)
    assert (await world.order()).station_online is False
    world.clock.advance(1)
    with pytest.raises(StationOffline, match=r"Станция недоступна \(офлайн 5 минут\)"):
        await world.order(connector=TWO)


async def test_a_station_never_seen_is_offline(world: World) -> None:
    world.link.connected.clear()
    await world.sql("UPDATE stations SET last_heartbeat_at = NULL")
    with pytest.raises(StationOffline):
        await world.order()


async def test_a_connector_that_is_not_configured_is_not_found(world: World) -> None:
    with pytest.raises(ConnectorNotFound):
        await world.order(connector=ConnectorId(3))


@pytest.mark.parametrize(
    ("word", "error"),
    [
        ("Faulted", ConnectorFaulted),
        ("Unavailable", ConnectorUnavailable),
        ("Nonsense", ConnectorUnavailable),
        (None, ConnectorUnavailable),
        ("Charging", ConnectorOccupied),
        ("SuspendedEV", ConnectorOccupied),
        ("SuspendedEVSE", ConnectorOccupied),
        ("Finishing", ConnectorOccupied),
        ("Reserved", ConnectorOccupied),
    ],
)
async def test_only_available_and_preparing_are_startable(
    world: World, word: str | None, error: type[Exception]
) -> None:
    await world.give(500_00)
    await world.sql("UPDATE connectors SET ocpp_status = %s", word)
    with pytest.raises(error):
        await world.order()


async def test_a_plugged_cable_is_the_normal_order_of_things(world: World) -> None:
    await world.give(500_00)
    await world.say("Preparing")
    assert (await world.order()).session.status == "started"


@pytest.mark.parametrize(("word", "error"), [("Faulted", ConnectorFaulted), ("Unavailable", ConnectorUnavailable)])
async def test_a_faulted_station_faults_its_connectors_until_it_is_available(
    world: World, word: str, error: type[Exception]
) -> None:
    await world.give(500_00)
    await world.say(word, connector=ConnectorId(0))
    with pytest.raises(error):
        await world.order()
    await world.say("Available", connector=ConnectorId(0))
    assert (await world.order()).session.status == "started"


async def test_an_occupied_connector_tells_its_own_client_which_session(world: World) -> None:
    await world.give(500_00)
    await world.give(500_00, ClientId("other"))
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    with pytest.raises(ConnectorOccupied) as own:
        await world.order(energy_wh=1_000)
    with pytest.raises(ConnectorOccupied) as foreign:
        await world.order(energy_wh=1_000, client=ClientId("other"))
    assert own.value.details["session_id"] == session_id
    assert "session_id" not in foreign.value.details


async def test_the_connector_is_checked_before_the_balance(world: World) -> None:
    await world.sql("UPDATE connectors SET ocpp_status = 'Faulted'")
    with pytest.raises(ConnectorFaulted):
        await world.order()


async def test_sessions_of_one_client_are_unlimited_unless_set(pool: Pool) -> None:
    config = impatient()
    limited = replace(config, charging=replace(config.charging, max_sessions_per_client=1))
    async with open_world(pool, limited) as world:
        await world.give(500_00)
        await world.order(energy_wh=1_000)
        with pytest.raises(SessionAlreadyActive):
            await world.order(energy_wh=1_000, connector=TWO)


async def test_a_start_shows_the_connector_occupied_whatever_the_charger_says(world: World) -> None:
    await world.give(500_00)
    await world.order(energy_wh=1_000)
    await world.say("Available")
    assert await world.sql("SELECT status, ocpp_status FROM connectors WHERE connector_number = 1") == [
        {"status": "occupied", "ocpp_status": "Available"}
    ]


async def test_the_reserve_never_stands_in_amount_while_the_session_runs(world: World) -> None:
    await world.give(500_00)
    await world.order(energy_wh=1_000)
    assert (await world.sql("SELECT amount FROM charging_sessions"))[0]["amount"] is None


async def test_every_start_writes_pricing_history_and_snapshots_its_rate(world: World) -> None:
    await world.give(500_00)
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    await world.sql("UPDATE stations SET price_per_kwh = 99")
    assert (await world.session(session_id)).rate_per_kwh == Decimal("13.5")
    history = await world.sql("SELECT session_id, rate_per_kwh, rule_name FROM pricing_history")
    assert history == [{"session_id": session_id, "rate_per_kwh": Decimal("13.5"), "rule_name": "Базовый тариф"}]


async def test_a_start_never_uses_a_cached_price(world: World) -> None:
    await world.give(500_00)
    shown = await world.app.station_pages.station(STATION)
    await world.sql("UPDATE stations SET price_per_kwh = 20")
    assert (await world.order(energy_wh=1_000)).price.rate_per_kwh == 20
    again = await world.app.station_pages.station(STATION)
    assert shown.station.rate_per_kwh == again.station.rate_per_kwh == Decimal("13.5")


async def test_a_client_with_a_phone_is_known_to_the_charger_by_it(world: World) -> None:
    await world.give(500_00)
    await world.sql("UPDATE clients SET phone = '+996555123456'")
    await world.order(energy_wh=1_000)
    assert world.link.started == [(STATION, ONE, "+996555123456")]


async def test_a_number_that_nobody_vouched_for_is_no_tag(world: World) -> None:
    """A tag is its first client's: the number's owner would be refused whenever that client is."""
    await world.give(500_00)
    await world.sql("UPDATE clients SET phone = '+996555123456'")
    await world.sql("INSERT INTO evpower.unverified_phones VALUES (%s)", CLIENT)
    await world.order(energy_wh=1_000)
    assert len(world.link.started[0][2]) == 16
    assert await world.sql("SELECT 1 FROM evpower.ocpp_authorization WHERE id_tag LIKE '%%996555123456'") == []


async def test_a_client_without_a_phone_gets_a_tag_of_sixteen_characters(world: World) -> None:
    await world.give(500_00)
    await world.order(energy_wh=1_000)
    tag = world.link.started[0][2]
    assert len(tag) == 16
    assert await world.sql("SELECT client_id, status FROM evpower.ocpp_authorization WHERE id_tag = %s", tag) == [
        {"client_id": CLIENT, "status": "Accepted"}
    ]


async def test_an_accepted_start_is_starting_not_charging(world: World) -> None:
    await world.give(500_00)
    assert (await world.order(energy_wh=1_000)).session.phase == "starting"


async def test_a_pending_start_is_asked_again_when_the_charger_is_back(world: World) -> None:
    await world.give(500_00)
    world.link.outcome = Outcome.TIMED_OUT
    session = (await world.order(energy_wh=1_000)).session
    world.link.outcome = Outcome.ACCEPTED
    await world.app.reports.ready_for_commands(STATION)
    await world.app.commands.start(session.session_id).done.wait()
    assert len(world.link.started) == 2
    assert (await world.session(session.session_id)).phase == "starting"


async def test_a_start_that_is_being_asked_where_the_charger_was_is_asked_again_when_it_is_back(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its process died, which the command's row tells only later; it connects here in the meantime."""
    await world.give(500_00)
    asked, gone, asked_again = trio.Event(), trio.Event(), trio.Event()

    async def ask_where_it_was(*_: object) -> CommandResult:
        asked.set()
        await gone.wait()
        return CommandResult(Outcome.OFFLINE, "its process went away")

    async def ask_here(*_: object) -> CommandResult:
        asked_again.set()
        return CommandResult(Outcome.ACCEPTED)

    async with trio.open_nursery() as phone:
        monkeypatch.setattr(world.link, "remote_start", ask_where_it_was)
        phone.start_soon(world.order)
        await asked.wait()
        await world.app.reports.ready_for_commands(STATION)
        monkeypatch.setattr(world.link, "remote_start", ask_here)
        gone.set()
        with trio.fail_after(5):
            await asked_again.wait()


async def test_a_start_the_charger_is_about_to_report_is_not_asked_again(pool: Pool) -> None:
    """It came back with its StartTransaction still queued: asked twice it would charge a second time, unpaid."""
    config = Config()
    patient = replace(config, charging=replace(config.charging, start_repeat_s=1.0))
    async with open_world(pool, patient) as world:
        await world.give(500_00)
        session_id = (await world.order(energy_wh=1_000)).session.session_id
        await world.app.reports.ready_for_commands(STATION)
        await world.begin(await world.tag_of(session_id))
        await world.app.commands.start(session_id).done.wait()
        assert len(world.link.started) == 1


@pytest.mark.parametrize("first", [Outcome.ACCEPTED, Outcome.TIMED_OUT, Outcome.OFFLINE])
async def test_a_charger_that_refuses_a_repeated_start_may_be_charging_already(world: World, first: Outcome) -> None:
    """The answer to the first one may have been lost with the line, or with us."""
    await world.give(500_00)
    world.link.outcome = first
    session_id = (await world.order(energy_wh=1_000)).session.session_id
    world.link.outcome = Outcome.REJECTED
    await world.app.reports.ready_for_commands(STATION)
    await world.app.commands.start(session_id).done.wait()
    assert (await world.session(session_id)).status == "started"
    await world.charge(session_id, 1_000)
    assert await world.balance() == 486_50


async def test_a_start_that_names_the_serial_number_is_one_at_its_station(world: World) -> None:
    """Field ruling 6.1: the answer, the session and the attempt have the id."""
    await world.give(500_00)
    started = await world.order(energy_wh=1_000, station=StationId("EVPCS-001"))
    assert started.session.station_id == STATION
    assert await world.sql("SELECT station_id FROM charging_sessions") == [{"station_id": STATION}]
    assert await world.sql("SELECT station_id FROM evpower.start_attempts") == [{"station_id": STATION}]


async def test_the_id_wins_over_another_stations_serial_number(world: World) -> None:
    """Field ruling 6.1: the other one has no connector to begin at."""
    await world.give(500_00)
    await world.sql(
        "INSERT INTO stations (id, serial_number, location_id) VALUES ('EVP-001-02', %s, 'EVP-LOC-001')", STATION
    )
    assert (await world.order(energy_wh=1_000)).session.station_id == STATION


@pytest.mark.parametrize(("name", "kept"), [("NOBODY", ["NOBODY"]), ("SN 7/Ж", [])])
async def test_a_name_of_no_station_is_unknown_and_an_attempt_only_when_it_could_be_an_id(
    world: World, name: str, kept: list[str]
) -> None:
    """Field ruling 6.1; what no station can be called would be a stranger's text in the operators' tables."""
    with pytest.raises(UnknownStation):
        await world.order(station=StationId(name))
    assert [row["station_id"] for row in await world.sql("SELECT station_id FROM evpower.start_attempts")] == kept


def claim(key: str = "key-1", body: str = "hash") -> IdempotencyClaim:
    return IdempotencyClaim(CLIENT, key, "POST", "/api/v1/charging/start", body)


async def test_the_key_is_stored_with_its_effect(world: World) -> None:
    await world.give(500_00)
    order = StartOrder(CLIENT, STATION, ONE, 1_000)
    started = await world.app.charging.start_session(order, claim())
    rows = await world.sql("SELECT session_id, status_code FROM evpower.idempotency_keys")
    assert rows == [{"session_id": started.session.session_id, "status_code": None}]


async def test_a_used_key_reserves_nothing(world: World) -> None:
    await world.give(500_00)
    await world.app.charging.start_session(StartOrder(CLIENT, STATION, ONE, 1_000), claim())
    with pytest.raises(IdempotencyMismatch):
        await world.app.charging.start_session(StartOrder(CLIENT, STATION, TWO, 1_000), claim())
    assert await world.balance() == 486_50


async def test_a_twin_of_a_start_is_told_that_its_key_is_taken_not_that_its_own_charge_is_in_the_way(
    world: World,
) -> None:
    """Its answer would be kept as the key's, and the phone never hear of its charge; a twin is in another process."""
    await world.give(500_00)
    order = StartOrder(CLIENT, STATION, ONE, 1_000)
    await world.app.charging.start_session(order, claim())
    with pytest.raises(IdempotencyMismatch):
        await world.app.charging.start_session(order, claim())


async def test_a_refused_start_stores_no_key(world: World) -> None:
    with pytest.raises(InsufficientBalance):
        await world.app.charging.start_session(StartOrder(CLIENT, STATION, ONE, 1_000), claim())
    assert await world.sql("SELECT key FROM evpower.idempotency_keys") == []


async def test_the_answer_can_be_rebuilt_from_the_session(world: World) -> None:
    await world.give(500_00)
    first = await world.order(amount_tyiyn=100_00)
    again = await world.app.charging.started_view(first.session.session_id)
    assert (again.session.reserved_tyiyn, again.estimated_energy_kwh) == (100_00, Decimal("7.4"))


async def test_defaults_are_the_seeds() -> None:
    config = Config()
    assert (config.charging.start_deadline_s, config.charging.longest_session_s) == (600, 12 * 3600)


async def test_a_start_at_a_station_that_may_not_be_asked_yet_says_that_it_begins_later(world: World) -> None:
    """Field ruling 5.2: connected, and it has said nothing."""
    await world.give(500_00)
    world.link.outcome = Outcome.OFFLINE
    started = await world.order(energy_wh=5_000)
    assert (started.station_online, started.session.status) == (False, "started")
    world.link.outcome = Outcome.ACCEPTED
    await world.app.reports.ready_for_commands(STATION)
    await world.app.commands.start(started.session.session_id).done.wait()
    assert len(world.link.started) == 2
