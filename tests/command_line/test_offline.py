"""`migrate` and `ledger check` work on the configured database while no server runs."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from click.testing import CliRunner, Result

from evpower.cli import main


@pytest.fixture
def empty_database_url(postgres_server: str) -> Iterator[str]:
    """A database nobody has migrated."""
    with psycopg.connect(postgres_server, autocommit=True) as conn:
        conn.execute("CREATE DATABASE evpower_empty TEMPLATE template0")
        yield psycopg.conninfo.make_conninfo(postgres_server, dbname="evpower_empty")
        conn.execute("DROP DATABASE evpower_empty WITH (FORCE)")


def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str, *arguments: str) -> Result:
    parts = psycopg.conninfo.conninfo_to_dict(url)
    query = "&".join(f"{name}={value}" for name, value in parts.items())
    monkeypatch.setenv("EVPOWER_DATABASE_URL", f"postgresql://?{query}")
    monkeypatch.setenv("EVPOWER_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("evpower.command_line.control.SYSTEM_SOCKET", tmp_path / "system.sock")
    return CliRunner().invoke(main, list(arguments))


def test_the_ledger_is_checked_without_a_server(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    result = run(monkeypatch, tmp_path, database_url, "ledger", "check", "--json")
    assert (result.exit_code, json.loads(result.stdout)) == (0, {"ok": True, "entries": 0, "problems": {}})


def test_a_named_socket_is_not_worked_around(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, database_url: str
) -> None:
    result = run(monkeypatch, tmp_path, database_url, "ledger", "check", "--socket", str(tmp_path / "x.sock"))
    assert result.exit_code == 3


def test_a_database_without_our_tables_says_how_to_make_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_database_url: str
) -> None:
    result = run(monkeypatch, tmp_path, empty_database_url, "ledger", "check")
    assert (result.exit_code, "evpower migrate" in result.stderr) == (1, True)


def test_migrating_twice_applies_nothing_the_second_time(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_database_url: str
) -> None:
    first = run(monkeypatch, tmp_path, empty_database_url, "migrate", "--json")
    assert json.loads(first.stdout)["applied"][0] == "0001_initial"
    again = run(monkeypatch, tmp_path, empty_database_url, "migrate")
    assert (again.exit_code, again.stdout) == (0, "The schema is up to date\n")


def test_a_database_that_is_not_there_is_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    result = run(monkeypatch, tmp_path, f"host={tmp_path} user=postgres", "migrate")
    assert (result.exit_code, result.stderr.startswith("Error: the database does not answer")) == (1, True)
