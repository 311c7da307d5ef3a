"""Migrations: forward only, once, one process at a time, never over a newer or an edited schema."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest
import trio
from psycopg import errors
from psycopg.conninfo import make_conninfo
from psycopg.types.json import Jsonb

from evpower.db import migrate as migrations
from evpower.db.migrate import MigrationEdited, SchemaTooNew, migrate, read_migrations
from evpower.db.pool import Pool, open_pool
from evpower.errors import DatabaseUnavailable
from evpower.link.commands import ListEntry
from evpower.stations.rows.local_lists import STORE_LIST, KnownList, read_list
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import NETWORK, STATION
from tests.worlds.fakes import NOON


@pytest.fixture
def empty_url(postgres_server: str, database_url: str) -> Iterator[str]:
    """A database nobody has touched."""
    name = f"{psycopg.conninfo.conninfo_to_dict(database_url)['dbname']}_empty"
    with psycopg.connect(postgres_server, autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}".encode())
        yield make_conninfo(postgres_server, dbname=name)
        server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[Pool]:
    async with open_pool(empty_url, size=4) as pool:
        yield pool


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """Two small migrations."""
    (tmp_path / "0001_one.sql").write_text("CREATE TABLE one (n int); INSERT INTO one VALUES (1);")
    (tmp_path / "0002_two.sql").write_text("CREATE TABLE two (n int);")
    return tmp_path


async def tables(pool: Pool) -> set[str]:
    async with by_hand(pool) as conn:
        cursor = await conn.execute("SELECT tablename AS name FROM pg_tables WHERE schemaname = 'public'")
        return {row["name"] for row in await cursor.fetchall()}


async def test_an_empty_database_gets_every_migration_in_order(empty: Pool, directory: Path) -> None:
    assert await migrate(empty, NOON, directory) == ["0001_one", "0002_two"]
    assert await tables(empty) == {"one", "two"}


async def test_the_real_migrations_apply_to_an_empty_database(empty: Pool) -> None:
    known = read_migrations()
    assert await migrate(empty, NOON) == [migration.name for migration in known]
    assert "charging_sessions" in await tables(empty)


async def test_a_second_run_applies_nothing(empty: Pool, directory: Path) -> None:
    await migrate(empty, NOON, directory)
    assert await migrate(empty, NOON, directory) == []


async def test_only_what_is_missing_is_applied(empty: Pool, directory: Path) -> None:
    await migrate(empty, NOON, directory)
    (directory / "0003_three.sql").write_text("CREATE TABLE three (n int);")
    assert await migrate(empty, NOON, directory) == ["0003_three"]


async def test_runners_at_the_same_time_apply_once(empty_url: str, directory: Path) -> None:
    applied: list[str] = []

    async def run() -> None:
        async with open_pool(empty_url, size=1) as pool:
            applied.extend(await migrate(pool, NOON, directory))

    async with trio.open_nursery() as processes:
        for _ in range(4):
            processes.start_soon(run)
    assert applied == ["0001_one", "0002_two"]


async def test_a_schema_of_a_newer_evpower_is_refused_and_left_alone(empty: Pool, directory: Path) -> None:
    await migrate(empty, NOON, directory)
    (directory / "0002_two.sql").unlink()
    with pytest.raises(SchemaTooNew, match="0002_two, this EvPower knows up to 0001_one"):
        await migrate(empty, NOON, directory)


async def test_an_edited_migration_is_refused_and_nothing_after_it_runs(empty: Pool, directory: Path) -> None:
    await migrate(empty, NOON, directory)
    (directory / "0001_one.sql").write_text("CREATE TABLE uno (n int);")
    (directory / "0003_three.sql").write_text("CREATE TABLE three (n int);")
    with pytest.raises(MigrationEdited, match="0001_one"):
        await migrate(empty, NOON, directory)
    assert await tables(empty) == {"one", "two"}


async def test_a_migration_that_fails_leaves_no_trace_and_can_be_tried_again(empty: Pool, directory: Path) -> None:
    (directory / "0002_two.sql").write_text("CREATE TABLE two (n int); SELECT 1 / 0;")
    with pytest.raises(errors.DivisionByZero):
        await migrate(empty, NOON, directory)
    assert await tables(empty) == {"one"}
    (directory / "0002_two.sql").write_text("CREATE TABLE two (n int);")
    assert await migrate(empty, NOON, directory) == ["0002_two"]


async def test_a_runner_that_is_cancelled_leaves_no_trace_and_no_lock(empty_url: str, directory: Path) -> None:
    (directory / "0002_two.sql").write_text("CREATE TABLE two (n int); SELECT pg_sleep(60);")
    async with open_pool(empty_url, size=1) as pool:
        with trio.move_on_after(0.3):
            await migrate(pool, NOON, directory)
        assert "two" not in await tables(pool)
        (directory / "0002_two.sql").write_text("CREATE TABLE two (n int);")
        async with open_pool(empty_url, size=1) as another:
            with trio.fail_after(5):
                assert (await migrate(another, NOON, directory))[-1:] == ["0002_two"]


async def test_a_runner_cancelled_while_it_waits_for_the_lock_keeps_no_lock(empty_url: str, directory: Path) -> None:
    async with open_pool(empty_url, size=1) as pool, open_pool(empty_url, size=1) as another:
        async with by_hand(another) as holder:
            await holder.execute(migrations.LOCK)
            with trio.move_on_after(0.05):
                await migrate(pool, NOON, directory)
            await holder.execute(migrations.UNLOCK)
        with trio.fail_after(5):
            assert await migrate(another, NOON, directory) == ["0001_one", "0002_two"]


async def test_the_lock_is_given_back(empty: Pool, directory: Path) -> None:
    await migrate(empty, NOON, directory)
    async with by_hand(empty) as conn:
        cursor = await conn.execute("SELECT count(*) AS held FROM pg_locks WHERE locktype = 'advisory'")
        assert await cursor.fetchone() == {"held": 0}


async def test_a_server_too_old_is_refused(empty: Pool, directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migrations, "OLDEST_SERVER", 990000)
    with pytest.raises(DatabaseUnavailable, match="PostgreSQL 15 or newer is needed"):
        await migrate(empty, NOON, directory)
    assert await tables(empty) == set()


def test_a_file_without_a_number_is_named(tmp_path: Path) -> None:
    (tmp_path / "initial.sql").write_text("")
    with pytest.raises(ValueError, match=r"initial\.sql is not named NNNN_name\.sql"):
        read_migrations(tmp_path)


def test_two_files_with_one_number_are_refused(tmp_path: Path) -> None:
    for name in ("0001_one.sql", "0001_uno.sql"):
        (tmp_path / name).write_text("")
    with pytest.raises(ValueError, match="0001_one and 0001_uno have the same number"):
        read_migrations(tmp_path)


async def test_a_list_of_cards_kept_in_the_words_of_ocpp_is_kept_in_ours(pool: Pool) -> None:
    """0014: a station whose list is known is not sent it again after the upgrade."""
    card = {"status": "Accepted", "expiryDate": "2026-12-01T00:00:00Z", "parentIdTag": "P"}
    (rewrite,) = (each.sql for each in read_migrations() if each.name == "0014_asks")
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
        for entries in ({"A": card, "B": {"status": "Blocked"}}, {}):
            await conn.execute(STORE_LIST, {"station_id": STATION, "version": 3, "entries": Jsonb(entries), "at": NOON})
            await conn.execute(rewrite.encode())
            kept = await read_list(conn, STATION)
            listed = {"A": ListEntry("Accepted", datetime(2026, 12, 1, tzinfo=UTC), "P"), "B": ListEntry("Blocked")}
            assert kept == KnownList(3, listed if entries else {})


#: Before phones were numbers in E.164's writing and of one client each: id, phone, and in whole days since when.
PHONES_AS_THEY_WERE = [
    ("digits", "996555000001", 1),
    ("blanks", "+996 (555) 00-00-02", 1),
    ("young", "+996555000003", 3),
    ("old", "996555000003", 2),
    ("local", "0555000004", 1),
    ("nothing", "", 1),
    ("none", None, 1),
]


async def test_no_phone_is_lost_when_each_becomes_one_clients(empty: Pool, tmp_path: Path) -> None:
    """Safe by default 9; 0035: what may not stay is listed, and the money of its client is left alone."""
    for migration in read_migrations():
        if migration.version < 35:
            (tmp_path / f"{migration.name}.sql").write_text(migration.sql)
    await migrate(empty, NOON, tmp_path)
    insert = "INSERT INTO clients (id, phone, balance, created_at) VALUES (%s, %s, 5, %s)"
    async with by_hand(empty) as conn:
        for client_id, phone, day in PHONES_AS_THEY_WERE:
            await conn.execute(insert, (client_id, phone, NOON + timedelta(days=day)))
    await migrate(empty, NOON)
    async with by_hand(empty) as conn:
        clients = await (await conn.execute("SELECT id, phone FROM clients WHERE balance = 5")).fetchall()
        displaced = await (
            await conn.execute("SELECT client_id, phone, reason FROM evpower.displaced_phones")
        ).fetchall()
    assert {row["id"]: row["phone"] for row in clients} == {
        "digits": "+996555000001",
        "blanks": "+996555000002",
        "old": "+996555000003",
        "young": None,
        "local": None,
        "nothing": None,
        "none": None,
    }
    assert {tuple(row.values()) for row in displaced} == {
        ("young", "+996555000003", "duplicate"),
        ("local", "0555000004", "not_e164"),
    }


async def test_numbers_that_stations_made_are_marked_and_those_of_1_6_are_not(pool: Pool) -> None:
    """0077: a charge of 2.0.1 that runs goes on under its mark, with the event that waits for it."""
    (rename,) = (each.sql for each in read_migrations() if each.name == "0077_names_of_each_version")
    async with by_hand(pool) as conn:
        await conn.execute(NETWORK)
        for name, version in (("17", "2.0.1"), ("18", "1.6"), ("2.0.1:18", "2.0.1"), ("8c0f", "2.0.1")):
            await conn.execute(OF_A_VERSION, {"station_id": STATION, "name": name, "version": version})
        for name in ("17", "18", "2.0.1:18", "8c0f", "19"):
            await conn.execute(WITH_AN_EVENT, {"station_id": STATION, "name": name, "facts": f'["{name}",0]'})
        await conn.execute(rename.encode())
        found = [
            [row["name"] for row in await (await conn.execute(f"{NAMES} FROM {table} ORDER BY 1")).fetchall()]
            for table in ("evpower.ocpp_transactions", "evpower.station_transactions", "evpower.transaction_events")
        ]
        facts = await (
            await conn.execute('SELECT facts FROM evpower.transaction_events ORDER BY facts COLLATE "C"')
        ).fetchall()
    assert found[0] == sorted(["2.0.1:17", "18", "2.0.1:18", "8c0f"])
    assert found[1] == found[2] == sorted(["2.0.1:17", "18", "2.0.1:18", "8c0f", "2.0.1:19"])
    assert [row["facts"] for row in facts] == sorted(f'["{name}",0]' for name in found[1])


NAMES = 'SELECT wire_transaction_id COLLATE "C" AS name'
OF_A_VERSION = """
INSERT INTO evpower.ocpp_transactions (station_id, wire_transaction_id, connector_id, id_tag, verdict, meter_start_wh,
    meter_last_wh, started_at, received_at, ocpp_version)
VALUES (%(station_id)s, %(name)s, 1, 'T', 'Accepted', 0, 0, now(), now(), %(version)s)
"""
WITH_AN_EVENT = """
WITH opened AS (INSERT INTO evpower.station_transactions (station_id, wire_transaction_id, last_event_at)
                VALUES (%(station_id)s, %(name)s, now()))
INSERT INTO evpower.transaction_events
    (station_id, wire_transaction_id, seq_no, kind, occurred_at, received_at, offline, facts)
VALUES (%(station_id)s, %(name)s, 0, 'Started', now(), now(), false, %(facts)s)
"""
