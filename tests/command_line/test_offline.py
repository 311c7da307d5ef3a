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


def test_the_database_that_was_opened_is_named(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, empty_database_url: str
) -> None:
    """On standard error, so that scripts read JSON alone."""
    result = run(monkeypatch, tmp_path, empty_database_url, "migrate", "--json")
    host = psycopg.conninfo.conninfo_to_dict(empty_database_url)["host"]
    assert result.stderr.startswith(f"Database: evpower_empty at {host}")
    assert json.loads(result.stdout)["applied"]


@pytest.mark.parametrize("command", [("migrate",), ("ledger", "check")])
def test_no_private_database_is_made_by_the_way(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """A second one beside the server's own would look right and be empty."""
    result = without_a_database(monkeypatch, tmp_path, *command)
    assert (result.exit_code, list(tmp_path.iterdir())) == (2, [])
    assert f"there is no private PostgreSQL in {tmp_path / 'postgres'}" in result.stderr
    assert "evpower migrate --create" in result.stderr


@pytest.mark.external
def test_a_private_database_is_made_when_it_is_asked_for_and_found_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    made = without_a_database(monkeypatch, tmp_path, "migrate", "--create")
    assert (made.exit_code, "Applied 0001_initial" in made.stdout) == (0, True)
    assert f"Database: the private PostgreSQL in {tmp_path / 'postgres'}\n" == made.stderr
    again = without_a_database(monkeypatch, tmp_path, "migrate")
    assert (again.exit_code, again.stdout) == (0, "The schema is up to date\n")


def without_a_database(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *arguments: str) -> Result:
    monkeypatch.delenv("EVPOWER_DATABASE_URL", raising=False)
    monkeypatch.delenv("EVPOWER_CONFIG", raising=False)
    monkeypatch.setenv("EVPOWER_STATE_DIR", str(tmp_path))
    monkeypatch.setattr("evpower.command_line.control.SYSTEM_SOCKET", tmp_path / "system.sock")
    return CliRunner().invoke(main, list(arguments))


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
