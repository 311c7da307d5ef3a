"""Group commit: what is answered is stored, one bad report fails alone, nobody waits for ever (design §4, §9.14)."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import psycopg
import pytest
import trio
from trio.testing import MockClock, wait_all_tasks_blocked

from evpower.cluster.rows.processes import SocketEnd, read_owners
from evpower.db.pool import Pool, open_pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import DatabaseUnavailable
from evpower.identifiers import ConnectorId, ProcessId, StationId, WireTransactionId
from evpower.metering.journal import COMMIT_WITHIN_S, Journal, LeftRow, MeterRow, PresenceRow
from evpower.metering.meter_value import MeterReport, Sample
from evpower.metering.rows.journal import write_meter_values
from evpower.network.presence import last_spoken
from tests.worlds.by_hand import by_hand
from tests.worlds.fakes import NOON

READ = "SELECT * FROM evpower.ocpp_meter_values"
ONE = ConnectorId(1)
CHARGER = StationId("EVP-001-01")
CUT = SocketEnd(NOON, 1006)


def report(raw: bytes = b"[]", *samples: Sample) -> MeterReport:
    return MeterReport(ONE, WireTransactionId("7"), samples, raw)


async def test_a_row_holds_what_the_charger_sent_to_the_last_digit(pool: Pool) -> None:
    sample = Sample(datetime(2026, 1, 2, 3, 4, 5, 678901, UTC), 10**12, -1e-7, 31.8, None, 57.0, 1e12)
    async with unit_of_work(pool) as uow:
        await write_meter_values(uow.conn, [(StationId("S"), report(b'[{"a":"\\\\n"}]', sample), NOON)])
    async with by_hand(pool) as conn:
        row = await (await conn.execute(READ)).fetchone()
    assert row is not None
    assert (row["measured_at"], row["received_at"]) == (sample.measured_at, NOON)
    names = ("energy_wh", "power_w", "current_a", "voltage_v", "soc_percent", "temperature_c")
    assert tuple(row[name] for name in names) == sample[1:]
    assert row["sampled_values"] == [{"a": "\\n"}]


async def test_a_station_id_cannot_forge_a_column(pool: Pool) -> None:
    async with unit_of_work(pool) as uow:
        await write_meter_values(uow.conn, [(StationId("a\\b\tc"), report(), NOON)])
    async with by_hand(pool) as conn:
        row = await (await conn.execute(READ)).fetchone()
    assert row is not None
    assert (row["station_id"], row["wire_transaction_id"], row["connector_id"]) == ("a\\b\tc", "7", 1)


async def test_a_report_without_transaction_and_samples_is_stored_with_nothing_in_its_columns(pool: Pool) -> None:
    async with unit_of_work(pool) as uow:
        await write_meter_values(uow.conn, [(StationId("S"), MeterReport(ONE, None, (), b"[]"), NOON)])
    async with by_hand(pool) as conn:
        row = await (await conn.execute(READ)).fetchone()
    assert row is not None
    assert (row["wire_transaction_id"], row["energy_wh"], row["power_w"]) == (None, None, None)


async def test_a_report_the_database_refuses_fails_alone(pool: Pool) -> None:
    """`{` is no JSON, which no charger's payload can be; it stands for whatever PostgreSQL does not take."""
    journal = Journal(pool)
    refused: list[int] = []

    async def append(number: int, raw: bytes) -> None:
        try:
            await journal.meter_values(MeterRow(StationId(f"S{number}"), report(raw), NOON))
        except psycopg.Error:
            refused.append(number)

    async with trio.open_nursery() as workers:
        async with trio.open_nursery() as chargers:
            for number in range(9):
                chargers.start_soon(append, number, b"{" if number == 4 else b"[]")
            await workers.start(journal.run)
        workers.cancel_scope.cancel()
    async with by_hand(pool) as conn:
        rows = await (await conn.execute(READ)).fetchall()
    assert refused == [4]
    assert sorted(row["station_id"] for row in rows) == [f"S{number}" for number in range(9) if number != 4]


async def test_a_report_waits_for_at_most_two_commits(autojump_clock: MockClock) -> None:
    """A pool without connections stands for a database that neither answers nor refuses."""
    async with open_pool("", size=0) as pool:
        await wait_for_two_commits(Journal(pool))


async def wait_for_two_commits(journal: Journal) -> None:
    began = trio.current_time()

    async def append(number: int) -> None:
        with pytest.raises(DatabaseUnavailable):
            await journal.meter_values(MeterRow(StationId(f"S{number}"), report(), NOON))

    async with trio.open_nursery() as workers:
        await workers.start(journal.run)
        async with trio.open_nursery() as chargers:
            chargers.start_soon(append, 1)
            await trio.sleep(0.1)
            chargers.start_soon(append, 2)
        workers.cancel_scope.cancel()
    assert trio.current_time() - began == pytest.approx(2 * COMMIT_WITHIN_S)


async def make_station(pool: Pool) -> None:
    async with by_hand(pool) as conn:
        await conn.execute("INSERT INTO locations (id, name, address) VALUES ('L', 'L', 'L')")
        await conn.execute("INSERT INTO stations (id, serial_number, location_id) VALUES (%s, 'SN', 'L')", (CHARGER,))


async def test_only_a_charger_that_was_away_is_news(pool: Pool) -> None:
    journal = Journal(pool)
    await make_station(pool)
    async with trio.open_nursery() as workers:
        await workers.start(journal.run)
        assert await journal.presence(PresenceRow(CHARGER, NOON))
        assert not await journal.presence(PresenceRow(CHARGER, NOON))
        workers.cancel_scope.cancel()


async def test_what_a_charger_speaks_is_known_from_its_connection(pool: Pool) -> None:
    """It need not boot again when its line comes back."""
    journal, spoken = Journal(pool), []
    await make_station(pool)
    async with trio.open_nursery() as workers:
        await workers.start(journal.run)
        for version in ("1.6", "2.0.1", ""):
            await journal.presence(PresenceRow(CHARGER, NOON, "", version))
            spoken.append(await last_spoken(pool, CHARGER))
        workers.cancel_scope.cancel()
    assert spoken == ["1.6", "2.0.1", "2.0.1"]
    assert await last_spoken(pool, StationId("elsewhere")) is None


@pytest.mark.parametrize("is_here", [True, False])
async def test_of_a_chargers_coming_and_leaving_in_one_batch_the_last_counts(database_url: str, is_here: bool) -> None:
    """Its leaving may wait while the database is away, and nobody waits for that until it is back."""
    async with open_pool(database_url, size=2, process_id=ProcessId("p")) as pool, trio.open_nursery() as workers:
        await make_station(pool)
        journal = Journal(pool)
        left = partial(journal.left, LeftRow(CHARGER, NOON, CUT))
        said = [left, partial(journal.presence, PresenceRow(CHARGER, NOON))]
        async with trio.open_nursery() as charger:
            for word in said if is_here else reversed(said):
                charger.start_soon(word)
                await wait_all_tasks_blocked()
            await workers.start(journal.run)
        async with by_hand(pool) as conn:
            assert (CHARGER in await read_owners(conn)) is is_here
        assert journal.batches == 1
        workers.cancel_scope.cancel()


async def test_a_journal_that_has_stopped_keeps_nobody_waiting(pool: Pool) -> None:
    journal = Journal(pool)
    async with trio.open_nursery() as workers:
        await workers.start(journal.run)
        workers.cancel_scope.cancel()
    with trio.fail_after(5), pytest.raises(DatabaseUnavailable):
        await journal.left(LeftRow(CHARGER, NOON, CUT))
