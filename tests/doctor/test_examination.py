"""The doctor asks a real database, and puts everything together."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
import trio

from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.doctor.examination import ask_database, examine, file_facts
from evpower.doctor.finding import CHECKS, sentence
from evpower.doctor.settings_read import FileFacts
from evpower.settings.config import Config, load
from tests.doctor.english import english
from tests.worlds.fakes import NOON, SetClock

ADD_STATION = """
INSERT INTO locations (id, name, address, city, country) VALUES ('L1', 'x', 'x', 'x', 'x');
INSERT INTO stations (id, serial_number, model, manufacturer, location_id, power_capacity, connectors_count)
VALUES ('S1', 'N1', 'x', 'x', 'L1', 22, 1)
"""
ADD_CERTIFICATE = """
INSERT INTO evpower.station_certificates (station_id, state, csr, chain, common_name, requested_at, not_after)
VALUES ('S1', 'delivered', 'x', 'x', 'S1', %(at)s, %(until)s)
"""


async def test_the_database_says_what_checks_go_by(pool: Pool) -> None:
    async with unit_of_work(pool) as uow:
        await uow.conn.execute(ADD_STATION.encode())
    answer = await ask_database(pool, "here", SetClock(), is_private=False)
    assert (answer.facts.which, list(answer.facts.pending), list(answer.facts.unknown)) == ("here", [], [])
    assert answer.facts.major >= 15
    assert answer.facts.size_bytes > 1_000_000
    assert (answer.stations, answer.ending) == (1, [])
    assert answer.network is not None
    assert list(answer.network.without_credentials) == ["S1"]


@pytest.mark.parametrize(("days", "named"), [(29, ["S1"]), (31, [])])
async def test_stations_whose_certificate_ends_soon_are_found(pool: Pool, days: int, named: list[str]) -> None:
    async with unit_of_work(pool) as uow:
        await uow.conn.execute(ADD_STATION.encode())
        await uow.conn.execute(ADD_CERTIFICATE, {"at": NOON, "until": NOON + timedelta(days=days)})
    assert (await ask_database(pool, "here", SetClock(), is_private=False)).ending == named


async def test_a_schema_that_is_behind_or_ahead_is_seen(pool: Pool) -> None:
    await rename_the_first_migration(pool, "0001_other")
    try:
        answer = await ask_database(pool, "here", SetClock(), is_private=False)
    finally:
        with trio.move_on_after(5, shield=True):
            await rename_the_first_migration(pool, "0001_initial")  # no test's rows, so nobody takes it back
    assert (list(answer.facts.pending), list(answer.facts.unknown)) == (["0001_initial"], ["0001_other"])
    assert answer.network is None


async def rename_the_first_migration(pool: Pool, name: str) -> None:
    async with unit_of_work(pool) as uow:
        await uow.conn.execute("UPDATE evpower.schema_migrations SET name = %s WHERE version = 1", (name,))


async def test_every_check_is_made_whatever_is_there(tmp_path: Path) -> None:
    """No server, no database: each check says so or is good."""
    config = replace(Config(), server=replace(Config().server, state_dir=str(tmp_path)))
    findings = await examine(config, FileFacts(None, []), SetClock(), sentence("database.reason", reason="none"), None)
    assert {each.check for each in findings} | {"certificates"} == set(CHECKS)
    assert [each.check for each in findings] == sorted((each.check for each in findings), key=CHECKS.index)
    assert all(english(each.found) for each in findings)
    assert {each.state for each in findings if each.check in ("database", "stations")} == {"unknown"}


def test_secrets_in_a_file_are_named_by_setting(tmp_path: Path) -> None:
    file = tmp_path / "evpower.toml"
    file.write_text(f'[http]\nadmin_token = "{"ab" * 16}"\n[log]\nlevel = "INFO"\n', encoding="utf-8")
    facts = file_facts(load(file, {}), ["EVPOWER_X"], tmp_path / "other.toml")
    assert (facts.file, list(facts.secrets_in_it), facts.unread) == (file, ["http.admin_token"], None)


def test_a_usual_file_that_was_not_read_is_seen(tmp_path: Path) -> None:
    (tmp_path / "evpower.toml").touch()
    assert file_facts(Config(), [], tmp_path / "evpower.toml").unread == tmp_path / "evpower.toml"
    assert file_facts(Config(), [], tmp_path / "none.toml").unread is None
