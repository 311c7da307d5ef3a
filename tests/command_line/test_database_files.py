"""`evpower database dump` and `restore`: everything comes back, or nothing was done."""

from __future__ import annotations

import json
import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import trio

from evpower.clock import SystemClock
from evpower.db.embedded import embedded_postgres
from evpower.db.migrate import migrate
from evpower.db.pool import open_pool
from tests.command_line.control_server import run

ADD_CLIENT = "INSERT INTO clients (id, name) VALUES ('one', 'Айгүл')"


@pytest.fixture
def new_database(postgres_server: str) -> Iterator[str]:
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute("CREATE DATABASE evpower_restored TEMPLATE template0")
        yield psycopg.conninfo.make_conninfo(postgres_server, dbname="evpower_restored")
        conn.execute("DROP DATABASE evpower_restored WITH (FORCE)")


def use(monkeypatch: pytest.MonkeyPatch, conninfo: str) -> None:
    query = "&".join(f"{name}={value}" for name, value in psycopg.conninfo.conninfo_to_dict(conninfo).items())
    monkeypatch.setenv("EVPOWER_DATABASE_URL", f"postgresql://?{query}")


def names_of_clients(conninfo: str) -> list[str]:
    with psycopg.connect(conninfo) as conn:
        return [name for (name,) in conn.execute("SELECT name FROM public.clients").fetchall()]


def test_a_dump_fills_an_empty_database(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str, new_database: str
) -> None:
    """With the schema's own history, so that nothing is migrated twice; only its owner may read the file."""
    with psycopg.connect(database_url) as conn:
        conn.execute(ADD_CLIENT)
    use(monkeypatch, database_url)
    file = tmp_path / "evpower.dump"
    dumped = run("database", "dump", str(file), "--json")
    assert json.loads(dumped.stdout) == {"file": str(file), "bytes": file.stat().st_size}, dumped.stderr
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "Database: " in dumped.stderr
    use(monkeypatch, new_database)
    restored = run("database", "restore", str(file), "--json")
    assert restored.exit_code == 0, restored.stderr
    assert json.loads(restored.stdout) == {"applied": [], "ledger": {"ok": True, "entries": 0, "problems": {}}}
    assert names_of_clients(new_database) == ["Айгүл"]


def test_no_process_of_the_time_of_the_copy_is_taken_for_a_living_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str, new_database: str
) -> None:
    """Its lease would count for a quarter of a minute, and a stop of a charge be sent to nobody."""
    with psycopg.connect(database_url) as conn:
        conn.execute("INSERT INTO locations (id, name, address) VALUES ('L', 'n', 'a')")
        conn.execute("INSERT INTO stations (id, serial_number, location_id) VALUES ('S', 'N', 'L')")
        conn.execute("INSERT INTO evpower.processes (process_id, started_at, lease_until) VALUES ('p', now(), now())")
        conn.execute(
            "INSERT INTO evpower.charger_connections (station_id, process_id, connected_at) VALUES ('S', 'p', now())"
        )
    use(monkeypatch, database_url)
    assert run("database", "dump", str(tmp_path / "evpower.dump")).exit_code == 0
    use(monkeypatch, new_database)
    assert run("database", "restore", str(tmp_path / "evpower.dump")).exit_code == 0
    with psycopg.connect(new_database) as conn:
        left = conn.execute(
            "SELECT process_id FROM evpower.processes UNION ALL SELECT process_id FROM evpower.charger_connections"
        ).fetchall()
    assert left == []


def test_a_file_is_not_written_over(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> None:
    use(monkeypatch, database_url)
    file = tmp_path / "evpower.dump"
    file.write_text("last week's", encoding="utf-8")
    result = run("database", "dump", str(file))
    assert (result.exit_code, file.read_text(encoding="utf-8")) == (1, "last week's")
    assert "File exists" in result.stderr


def test_a_dump_that_fails_leaves_no_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str) -> None:
    use(monkeypatch, database_url)
    monkeypatch.setattr("evpower.db.dump.binary_directory", lambda: tmp_path / "bin")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/pg_dump").write_text("#!/bin/sh\necho half; echo no luck >&2; exit 1\n", encoding="utf-8")
    (tmp_path / "bin/pg_dump").chmod(0o755)
    result = run("database", "dump", str(tmp_path / "evpower.dump"))
    assert (result.exit_code, "Error: no luck" in result.stderr) == (1, True)
    assert list(tmp_path.glob("evpower.dump*")) == []


def test_nothing_is_restored_over_what_is_there(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    use(monkeypatch, database_url)
    file = tmp_path / "evpower.dump"
    assert run("database", "dump", str(file)).exit_code == 0
    result = run("database", "restore", str(file))
    assert (result.exit_code, "is not empty" in result.stderr) == (1, True)


def test_half_a_file_restores_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str, new_database: str
) -> None:
    use(monkeypatch, database_url)
    file = tmp_path / "evpower.dump"
    assert run("database", "dump", str(file)).exit_code == 0
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    use(monkeypatch, new_database)
    result = run("database", "restore", str(file))
    assert (result.exit_code, result.stderr.count("Error: ")) == (1, 1)
    with psycopg.connect(new_database) as conn:
        found = conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname IN ('public', 'evpower')").fetchone()
    assert found == (0,)


@pytest.mark.external
def test_the_private_database_of_a_running_server_is_dumped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And by that it moves to a server: the operator needs no pg_dump, and nothing stops."""
    monkeypatch.setenv("EVPOWER_STATE_DIR", str(tmp_path / "state"))
    (tmp_path / "state").mkdir()
    file = tmp_path / "evpower.dump"

    async def beside_a_server() -> int:
        async with (
            embedded_postgres(tmp_path / "state/postgres", fsync="off") as conninfo,
            open_pool(conninfo, size=1) as pool,
        ):
            await migrate(pool, SystemClock().now())
            result = await trio.to_thread.run_sync(run, "database", "dump", str(file))
            assert f"Database: the private PostgreSQL in {tmp_path / 'state/postgres'}" in result.stderr
            return result.exit_code

    assert trio.run(beside_a_server) == 0
    assert file.stat().st_size > 10_000
