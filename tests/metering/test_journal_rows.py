"""What chargers report, through the journal: in groups, answered after the commit, and what the rows then say."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
import trio
import trio.testing

from evpower.db.connection import Conn
from evpower.db.partitions import maintain_partitions
from evpower.db.pool import Pool, open_pool
from evpower.errors import DatabaseUnavailable
from evpower.identifiers import ConnectorId, StationId
from evpower.metering import journal as journal_module
from evpower.metering.journal import BootRow, Journal, MeterRow, StatusRow
from evpower.metering.meter_value import MeterReport, Sample
from evpower.metering.rows import journal as sql
from evpower.network.station import Boot
from evpower.network.status import StatusReport
from tests.db.proxy import open_proxy
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import ONE, STATION, World, open_world
from tests.worlds.fakes import NOON

SOON_S = 5.0
RETENTION = {"ocpp_meter_values": 30, "ocpp_frames": 30}
ALL = ConnectorId(0)


def readings(raw: bytes = b"[]", station: str = STATION) -> MeterRow:
    return MeterRow(StationId(station), MeterReport(ONE, None, (Sample(NOON, 5),), raw), NOON)


def status(word: str, connector: int = 1, said_at: datetime | None = NOON, error: str = "NoError") -> StatusRow:
    return StatusRow(STATION, StatusReport(ConnectorId(connector), word, error, said_at), NOON)


@pytest.fixture
async def world(pool: Pool) -> AsyncIterator[World]:
    async with open_world(pool) as world:
        yield world


async def stored(world: World) -> list[dict[str, Any]]:
    return await world.sql(
        "SELECT station_id, sampled_values::text AS raw, energy_wh, tableoid::regclass::text AS partition "
        "FROM evpower.ocpp_meter_values ORDER BY received_at, station_id"
    )


async def connector(world: World, number: int = 1) -> tuple[str, str]:
    (row,) = await world.sql("SELECT status, ocpp_status FROM connectors WHERE connector_number = %s", number)
    return row["status"], row["ocpp_status"]


# ------------------------------------------------------------------------------------------------------- groups
async def test_reports_of_200_chargers_at_once_take_few_commits(world: World) -> None:
    async with trio.open_nursery() as chargers:
        for number in range(200):
            chargers.start_soon(world.app.journal.meter_values, readings(station=f"station-{number}"))
    (row,) = await world.sql(
        "SELECT count(*) AS rows, count(DISTINCT xmin::text) AS commits FROM evpower.ocpp_meter_values"
    )
    assert row["rows"] == 200
    assert row["commits"] <= 3


async def test_a_report_that_postgresql_refuses_fails_alone(world: World) -> None:
    """Its JSON is none, which nobody noticed on the way."""
    fates: dict[str, str] = {}

    async def report(station: str, raw: bytes) -> None:
        try:
            await world.app.journal.meter_values(readings(raw, station))
        except psycopg.DataError:
            fates[station] = "refused"
        else:
            fates[station] = "stored"

    async with trio.open_nursery() as chargers:
        for number in range(20):
            chargers.start_soon(report, f"station-{number:02}", b"{broken" if number == 13 else b"[]")
    assert [station for station, fate in fates.items() if fate == "refused"] == ["station-13"]
    assert {row["station_id"] for row in await stored(world)} == set(fates) - {"station-13"}


async def test_a_bad_report_of_one_kind_does_not_fail_another_kind(world: World) -> None:
    refused: list[str] = []

    async def say(row: StatusRow) -> None:
        try:
            await world.app.journal.status(row)
        except psycopg.DataError:
            refused.append(row.report.error_code)

    async with trio.open_nursery() as chargers:
        chargers.start_soon(say, status("Faulted", 1, error="zero\0byte"))
        chargers.start_soon(say, status("Charging", 2))
        chargers.start_soon(world.app.journal.meter_values, readings())
        chargers.start_soon(world.app.journal.boot, BootRow(STATION, Boot("v", "m", "2.0"), NOON))
    assert refused == ["zero\0byte"]
    assert (await connector(world, 1), await connector(world, 2)) == (
        ("available", "Available"),
        ("occupied", "Charging"),
    )
    assert len(await stored(world)) == 1
    assert await world.sql("SELECT firmware_version FROM stations") == [{"firmware_version": "2.0"}]


async def test_an_answer_leaves_after_the_commit(world: World, database_url: str) -> None:
    await world.app.journal.meter_values(readings())
    with psycopg.connect(database_url) as other:  # another connection sees it
        row = other.execute("SELECT count(*) FROM evpower.ocpp_meter_values").fetchone()
    assert row == (1,)


@pytest.mark.parametrize(("limit", "at"), [("MAX_BATCH", 10), ("MAX_BATCH_BYTES", 10 * 1000)])
async def test_a_full_batch_makes_reports_wait_for_the_next_one(
    pool: Pool, monkeypatch: pytest.MonkeyPatch, limit: str, at: int
) -> None:
    """Full by their number, or by their bytes: a flood of large frames must not become one huge commit."""
    monkeypatch.setattr(journal_module, limit, at)
    journal = Journal(pool)
    async with trio.open_nursery() as workers:
        async with trio.open_nursery() as chargers:
            for number in range(35):
                raw = b'["%b"]' % (b"x" * 996)
                chargers.start_soon(journal.meter_values, readings(raw, station=f"station-{number}"))
            await workers.start(journal.run)
        workers.cancel_scope.cancel()
    async with by_hand(pool) as conn:
        cursor = await conn.execute(
            "SELECT count(*) AS rows FROM evpower.ocpp_meter_values GROUP BY xmin::text ORDER BY min(ctid)"
        )
        sizes = [row["rows"] for row in await cursor.fetchall()]
    assert sum(sizes) == 35
    assert max(sizes) <= 10


async def test_a_batch_that_is_the_victim_of_several_deadlocks_is_stored(
    pool: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The victim that goes again can be quicker than the other side that is to be woken, and is the victim again."""
    write, refused = sql.write_meter_values, iter(range(3))

    async def deadlocked(conn: Conn, rows: Sequence[MeterRow]) -> sql.MeterOutcome:
        if next(refused, None) is not None:
            raise psycopg.errors.DeadlockDetected("deadlock detected")
        return await write(conn, rows)

    monkeypatch.setattr(sql, "write_meter_values", deadlocked)
    journal = Journal(pool)
    async with trio.open_nursery() as workers:
        await workers.start(journal.run)
        await journal.meter_values(readings())
        workers.cancel_scope.cancel()
    assert (journal.rows, journal.failed) == (1, 0)


async def test_a_report_whose_charger_went_away_is_stored_all_the_same(world: World) -> None:
    with trio.CancelScope() as gone:
        gone.cancel()
        await world.app.journal.meter_values(readings())
    await world.app.journal.meter_values(readings(station="another"))
    assert {row["station_id"] for row in await stored(world)} == {STATION, "another"}


async def test_with_the_database_away_every_waiter_is_told_and_later_reports_work_again(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal_module, "COMMIT_WITHIN_S", 0.2)
    told: list[int] = []
    async with open_proxy(database_url) as proxy, open_pool(proxy.url, size=2) as pool, trio.open_nursery() as workers:
        journal = Journal(pool)
        await workers.start(journal.run)
        await journal.meter_values(readings())
        proxy.cut()

        async def report(number: int) -> None:
            with pytest.raises(DatabaseUnavailable):
                await journal.meter_values(readings(station=f"station-{number}"))
            told.append(number)

        with trio.fail_after(SOON_S):
            for several in (range(5), range(5, 10)):  # the connection that breaks, and the one that never comes
                async with trio.open_nursery() as chargers:
                    for number in several:
                        chargers.start_soon(report, number)
        proxy.mend()
        with trio.fail_after(SOON_S):
            await journal.meter_values(readings(station="later"))
        workers.cancel_scope.cancel()
    assert sorted(told) == list(range(10))


async def test_whoever_waits_when_the_journal_stops_is_told(pool: Pool) -> None:
    """On shutdown nothing is reported stored that is not."""
    journal, running, told = Journal(pool), trio.CancelScope(), []

    async def run() -> None:
        with running:
            await journal.run()

    async def report() -> None:
        with pytest.raises(DatabaseUnavailable):
            await journal.meter_values(readings())
        told.append("unavailable")

    async with pool.connection() as conn, trio.open_nursery() as tasks:
        await conn.execute("BEGIN")
        await conn.execute("LOCK TABLE evpower.ocpp_meter_values")
        tasks.start_soon(run)
        tasks.start_soon(report)
        await trio.testing.wait_all_tasks_blocked(0.05)
        running.cancel()
    assert told == ["unavailable"]


# ------------------------------------------------------------------------------------------------- meter values
async def test_readings_land_in_todays_partition(world: World) -> None:
    async with by_hand(world.pool) as conn:
        await maintain_partitions(conn, NOON.date(), RETENTION)
    await world.app.journal.meter_values(readings())
    assert [row["partition"] for row in await stored(world)] == ["evpower.ocpp_meter_values_20261123"]


@pytest.mark.parametrize(
    "raw",
    [
        b'[{"timestamp":"2026-11-23T06:00:00Z","sampledValue":[{"value":"5.0"}]}]',
        b'[ {"value" : "\\u0041\\t\\\\ \\"quoted\\""} ]',
        '[{"value": "Дордой ⋅ 5"}]'.encode(),
        b'[\r\n\t{"value": "1"},\n\t{"value": "\\\\N"}\r\n]',
        b'[{"value": "\\u0000"}]',
        b'[{"sampledValue":[{"format":"SignedData","value":"OCMF|%b"}]}]' % (b"4pAb/+=\\\\n" * 1000),
    ],
)
async def test_what_was_sent_is_stored_byte_for_byte(world: World, raw: bytes) -> None:
    json.loads(raw)
    await world.app.journal.meter_values(readings(raw))
    assert [row["raw"].encode() for row in await stored(world)] == [raw]


async def test_readings_advance_the_running_session(world: World) -> None:
    await world.give(500_00)
    started = await world.order(energy_wh=20_000)
    begun = await world.begin(await world.tag_of(started.session.session_id))
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 6_500, power_w=11_000)
    assert (await world.session(started.session.session_id)).energy_wh == 5_500
    assert await world.sql("SELECT power_w, meter_last_wh FROM evpower.ocpp_transactions") == [
        {"power_w": 11_000, "meter_last_wh": 6_500}
    ]


async def running(world: World) -> tuple[Any, Any]:
    """A charge that runs for an hour and stands at 4 kWh."""
    await world.give(500_00)
    started = await world.order(energy_wh=20_000)
    begun = await world.begin(await world.tag_of(started.session.session_id))
    world.clock.advance(3600)
    await world.meter(begun.wire_transaction_id, 5_000)
    return started.session.session_id, begun.wire_transaction_id


async def test_a_lower_register_is_stored_and_ignored(world: World) -> None:
    session_id, wire_id = await running(world)
    world.clock.advance(10)
    await world.meter(wire_id, 3_000)
    assert (await world.session(session_id)).energy_wh == 4_000
    assert [row["energy_wh"] for row in await stored(world)] == [5_000, 3_000]


async def test_an_implausible_jump_is_stored_and_not_billed(world: World) -> None:
    """More than a megawatt for the whole time."""
    session_id, wire_id = await running(world)
    world.clock.advance(10)
    await world.meter(wire_id, 5_000_000)
    assert (await world.session(session_id)).energy_wh == 4_000
    assert [row["energy_wh"] for row in await stored(world)] == [5_000, 5_000_000]


async def test_a_plausible_register_after_an_implausible_one_counts(world: World) -> None:
    session_id, wire_id = await running(world)
    await world.meter(wire_id, 5_000_000)
    world.clock.advance(10)
    await world.meter(wire_id, 5_100)
    assert (await world.session(session_id)).energy_wh == 4_100


async def test_a_report_without_a_transaction_belongs_to_the_connectors_running_one(world: World) -> None:
    session_id, _ = await running(world)
    world.clock.advance(10)
    await world.meter(None, 5_500)
    assert (await world.session(session_id)).energy_wh == 4_500


async def test_a_report_of_another_connector_changes_nothing(world: World) -> None:
    session_id, _ = await running(world)
    await world.meter(None, 5_500, connector=ConnectorId(2))
    assert (await world.session(session_id)).energy_wh == 4_000


async def test_values_after_the_settlement_are_stored_and_change_nothing(world: World) -> None:
    session_id, wire_id = await running(world)
    await world.end(wire_id, 5_000)
    await world.app.settler.work_due()
    before = await world.sql("SELECT * FROM charging_sessions")
    world.clock.advance(10)
    await world.meter(wire_id, 9_000)
    assert await world.sql("SELECT * FROM charging_sessions") == before
    assert [row["energy_wh"] for row in await stored(world)] == [5_000, 9_000]
    assert (await world.session(session_id)).cost_tyiyn == 54_00


async def test_the_highest_register_and_the_newest_figure_of_a_report_count(world: World) -> None:
    session_id, wire_id = await running(world)
    world.clock.advance(60)
    now = world.clock.now()
    samples = (
        Sample(now - timedelta(seconds=20), 5_300, 7_000),
        Sample(now - timedelta(seconds=10), 5_200, None),
        Sample(now, None, 6_000),
    )
    await world.app.reports.record_meter_values(STATION, MeterReport(ONE, wire_id, samples, b"[]"))
    assert (await world.session(session_id)).energy_wh == 4_300
    assert (await world.sql("SELECT power_w FROM evpower.ocpp_transactions")) == [{"power_w": 6_000}]


# ----------------------------------------------------------------------------------------------------- statuses
async def test_a_connectors_word_is_stored_in_both_languages(world: World) -> None:
    outcome = await world.app.journal.status(status("SuspendedEV", error="HighTemperature"))
    assert (outcome.known, outcome.changed) == (True, True)
    assert await connector(world) == ("occupied", "SuspendedEV")


async def test_the_same_word_again_is_no_news(world: World) -> None:
    assert not (await world.app.journal.status(status("Available"))).changed


async def test_the_status_that_comes_last_counts_whatever_its_time(world: World) -> None:
    """Field ruling 5.3: a clock two hours ahead until it was set, then two seconds behind; its times are shown."""
    for status_now, said_at in (
        ("Charging", NOON + timedelta(hours=2)),
        ("Preparing", NOON - timedelta(seconds=2)),
        ("Available", NOON - timedelta(days=20_000)),
    ):
        outcome = await world.app.journal.status(status(status_now, said_at=said_at))
        assert (outcome.known, outcome.changed, (await connector(world))[1]) == (True, True, status_now)
        assert await world.sql("SELECT last_status_update FROM connectors WHERE connector_number = 1") == [
            {"last_status_update": said_at}
        ]


async def test_after_a_boot_the_next_word_counts_whatever_its_time(world: World) -> None:
    await world.app.journal.status(status("Charging", said_at=NOON))
    await world.app.journal.boot(BootRow(STATION, Boot("v", "m"), NOON))
    await world.app.journal.status(status("Available", said_at=NOON - timedelta(minutes=5)))
    assert await connector(world) == ("available", "Available")


async def test_a_connector_that_is_not_configured_is_reported_and_not_made(world: World) -> None:
    outcome = await world.app.journal.status(status("Available", connector=9))
    assert (outcome.known, outcome.changed) == (False, False)
    assert await world.sql("SELECT id FROM connectors WHERE connector_number = 9") == []


async def test_a_running_session_keeps_its_connector_occupied(world: World) -> None:
    await running(world)
    await world.say("Available")
    assert await connector(world) == ("occupied", "Available")


async def test_connector_0_is_the_station_itself(world: World) -> None:
    outcome = await world.app.journal.status(status("Faulted", connector=0, error="GroundFailure"))
    assert (outcome.known, outcome.changed) == (True, True)
    assert await world.sql("SELECT status, error_code, status_at FROM evpower.ocpp_station_status") == [
        {"status": "Faulted", "error_code": "GroundFailure", "status_at": NOON}
    ]
    assert await connector(world) == ("available", "Available")


async def test_the_status_of_connector_0_that_comes_last_counts_whatever_its_time(world: World) -> None:
    """Field ruling 5.3."""
    await world.app.journal.status(status("Faulted", connector=0))
    await world.app.journal.status(status("Available", connector=0, said_at=NOON - timedelta(minutes=1)))
    assert await world.sql("SELECT status FROM evpower.ocpp_station_status") == [{"status": "Available"}]


# -------------------------------------------------------------------------------------------------------- boots
async def test_a_boot_makes_the_status_of_connector_0_unknown(world: World) -> None:
    """Field ruling 4.3: "Faulted" once would put the station out of service for ever."""
    await world.app.journal.status(status("Faulted", connector=0, error="GroundFailure"))
    await world.app.journal.boot(BootRow(STATION, Boot("v", "m", "1"), NOON))
    assert await world.sql("SELECT status, error_code, status_at FROM evpower.ocpp_station_status") == [
        {"status": None, "error_code": None, "status_at": None}
    ]


async def test_a_boot_is_presence_and_firmware(world: World) -> None:
    await world.sql("UPDATE stations SET is_available = false, last_heartbeat_at = NULL")
    await world.app.journal.boot(BootRow(STATION, Boot("ChargePoint", "Express250", "1.2.3"), NOON))
    assert await world.sql("SELECT is_available, last_heartbeat_at, firmware_version FROM stations") == [
        {"is_available": True, "last_heartbeat_at": NOON, "firmware_version": "1.2.3"}
    ]


async def test_a_boot_without_a_firmware_keeps_the_known_one(world: World) -> None:
    await world.app.journal.boot(BootRow(STATION, Boot("v", "m", "1.2.3"), NOON))
    await world.app.journal.boot(BootRow(STATION, Boot("v", "m"), NOON))
    assert await world.sql("SELECT firmware_version FROM stations") == [{"firmware_version": "1.2.3"}]


async def test_a_boot_notes_that_the_running_session_may_have_lost_its_transaction(world: World) -> None:
    session_id, _ = await running(world)
    await world.app.journal.boot(BootRow(STATION, Boot("v", "m"), world.clock.now()))
    assert await world.sql("SELECT rebooted_at FROM evpower.session_phases WHERE session_id = %s", session_id) == [
        {"rebooted_at": world.clock.now()}
    ]
