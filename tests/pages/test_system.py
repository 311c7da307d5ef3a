"""What the process stands on, whether a restart is safe, and that no secret is shown (§8)."""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import gettempdir

import pytest
import trio

import evpower
from evpower.clock import ClockWatch
from evpower.db.pool import open_pool
from evpower.errors import ProviderTimeout
from evpower.identifiers import ProcessId
from evpower.ocpp.door.failed_logins import FailedLogins
from evpower.ocpp.watch.traffic import Refusal, Traffic
from evpower.payments.gateway import Gateways
from evpower.server.doors import station_server
from evpower.server.process import Process, build_process
from evpower.server.system_page import facts as system
from evpower.server.system_page.recent_lines import RecentLines
from evpower.settings.config import Config
from evpower.settings.operator import OperatorSettings
from evpower.sign_in.means import SignInMeans
from tests.db.proxy import open_proxy
from tests.worlds.charging import STATION, World, open_world
from tests.worlds.fakes import CountingIds
from tests.worlds.pages import Browser
from tests.worlds.provider import ScriptedProvider

SECRET = "s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t-s3cr3t"
ME = ProcessId("process-1")


class Machine:
    """A process whose page is looked at; nothing of it runs but what a test starts."""

    def __init__(self, world: World, process: Process) -> None:
        self.world = world
        self.process = process
        self.traffic = Traffic(())
        self.read = partial(system.read_system, process, self.traffic, FailedLogins())


@asynccontextmanager
async def machine(world: World, config: Config | None = None) -> AsyncIterator[Machine]:
    """Built over the world's database."""
    config = config or Config()
    config = replace(config, server=replace(config.server, state_dir=gettempdir()))
    async with trio.open_nursery() as conversations:
        process = build_process(
            config,
            ME,
            world.pool,
            Gateways(qr=ScriptedProvider("ODENGI"), card=None),
            world.clock,
            ClockWatch(world.clock),
            CountingIds(),
            conversations,
            sign_in_means=SignInMeans(b"x" * 32, sms=None),
        )
        yield Machine(world, process)
        conversations.cancel_scope.cancel()


async def test_processes_have_their_lease_their_version_and_their_stations(world: World) -> None:
    async with machine(world) as here:
        await here.process.processes.look()
        await world.sql(
            "INSERT INTO evpower.charger_connections (station_id, process_id, connected_at)"
            " VALUES ('EVP-001-01', %s, %s)",
            ME,
            world.clock.now(),
        )
        await world.sql(
            "INSERT INTO evpower.processes (process_id, started_at, lease_until) VALUES ('old', %s, %s)",
            world.clock.now(),
            world.clock.now(),
        )
        world.clock.advance(5)
        facts = await here.read()
        assert facts.database is not None
        mine, old = sorted(facts.database.processes, key=lambda each: each.process_id != ME)
        assert (mine.version, mine.stations, old.version) == (evpower.__version__, 1, None)
        page = await (await Browser(world, read=here.read).sign_in()).get("/system")
        assert "process-1 · this one" in page.text
        assert "over since" in page.text


async def test_a_restart_is_safe_when_nothing_starts_or_stops(world: World) -> None:
    await world.give(50_000)
    async with machine(world) as here:
        browser = await Browser(world, read=here.read).sign_in()
        assert "✔ Yes: nothing starts" in (await browser.get("/system")).text
        session_id = (await world.order(amount_tyiyn=10_000)).session.session_id
        assert "Better wait: 1 starting, 0 stopping" in (await browser.get("/system")).text
        await world.begin(await world.tag_of(session_id))
        assert "✔ Yes: nothing starts" in (await browser.get("/system")).text


async def test_the_page_is_there_when_the_database_is_not(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async with (
        open_proxy(database_url) as proxy,
        open_pool(proxy.url, size=4) as pool,
        open_world(pool) as world,
        machine(world) as here,
    ):
        browser = await Browser(world, read=here.read).sign_in()
        await browser.get("/system")
        monkeypatch.setattr(system, "DATABASE_WITHIN_S", 0.5)
        proxy.cut()
        page = await browser.get("/system")
        assert "The database does not answer." in page.text
        assert "Free disk" in page.text
        assert "✔ Yes" not in page.text
        proxy.mend()


async def test_secrets_are_set_or_not_and_never_shown(world: World) -> None:
    config = Config()
    config = replace(config, http=replace(config.http, admin_token=SECRET))
    async with machine(world, config) as here:
        browser = await Browser(world, read=here.read).sign_in()
        page = await browser.get("/system")
        assert SECRET not in page.html
        assert "http.admin_token secret: set" in page.text
        assert "database.url secret: not set (default)" in page.text
        assert "ocpp.sample_interval_s" in page.text
        settings = {each.name: each for each in (await here.read()).settings}
        assert {each.value for each in settings.values() if each.is_secret} == {"set", "not set"}


async def test_the_age_of_a_backup_is_that_of_its_newest_file(world: World, tmp_path: Path) -> None:
    for path, words in ((tmp_path, "not there"), (tmp_path / "gone", "not there")):
        config = Config(operator=OperatorSettings(backup_path=str(path)))
        async with machine(world, config) as here:
            assert words in (await (await Browser(world, read=here.read).sign_in(name=path.name)).get("/system")).text
    for name, age_s in (("old.dump", 7200), ("new.dump", 600)):
        (tmp_path / name).write_text("x")
        at_s = world.clock.now().timestamp() - age_s
        os.utime(tmp_path / name, (at_s, at_s))
    async with machine(world, Config(operator=OperatorSettings(backup_path=str(tmp_path)))) as here:
        facts = await here.read()
        assert facts.backup == (str(tmp_path), world.clock.now() - timedelta(seconds=600))


@pytest.mark.parametrize(("role", "status"), [("operator", 403), ("admin", 200)])
async def test_settings_are_for_chief_administrators(world: World, role: str, status: int) -> None:
    async with machine(world) as here:
        browser = await Browser(world, read=here.read).sign_in(role)  # type: ignore[arg-type]  # one of the roles
        page = await browser.get("/system", status)
        assert "http.admin_token" not in page.text


async def test_providers_have_their_last_five_calls_with_how_they_ended(world: World) -> None:
    async def answer(never: trio.Event | None = None) -> int:
        if never is not None:
            await never.wait()
        return 1

    async with machine(world) as here:
        calls = here.process.app.payments.calls
        for _ in range(6):
            await calls.answer("ODENGI", "status", answer(), within_s=1)
        with pytest.raises(ProviderTimeout):
            await calls.answer("ODENGI", "cancel", answer(trio.Event()), within_s=0)
        kept = (await here.read()).provider_calls["ODENGI"]
        assert [(each.operation, each.outcome) for each in kept] == [("status", "answered")] * 4 + [
            ("cancel", "timeout")
        ]
        here.traffic.refusals[Refusal.CREDENTIALS] += 3
        page = await (await Browser(world, read=here.read).sign_in()).get("/system")
        assert "wrong password or certificate: 3" in page.text
        assert "cancel timeout" in page.text


async def test_the_last_warnings_are_kept_and_filtered(world: World) -> None:
    log = logging.getLogger("payment")
    async with machine(world) as here, trio.open_nursery() as nursery:
        await nursery.start(here.process.recent_lines.run)
        log.info("all is well")
        log.warning("the provider is slow: %s", "ODENGI")
        log.error("<b>broken</b>", exc_info=ValueError("why"))
        nursery.cancel_scope.cancel()
    log.error("nobody listens any more")
    assert [line.text for line in here.process.recent_lines.lines] == [
        "the provider is slow: ODENGI",
        "<b>broken</b> (ValueError: why)",
    ]
    browser = await Browser(world, read=here.read).sign_in()
    page = await browser.get("/system")
    assert "<b>broken" not in page.html
    assert "provider is slow" in page.text
    assert "provider is slow" not in (await browser.get("/system?level=ERROR")).text
    assert "broken" not in (await browser.get("/system?word=odengi")).text


def test_no_more_lines_are_kept_than_are_shown() -> None:
    recent = RecentLines()
    for number in range(300):
        recent.handle(logging.LogRecord("x", logging.WARNING, "", 0, f"{number}", None, None))
    assert [recent.lines[0].text, recent.lines[-1].text, len(recent.lines)] == ["100", "299", 200]


async def test_what_the_chargers_door_sees_of_a_clock_is_on_the_first_screen(world: World) -> None:
    async with machine(world) as here:
        door = station_server(here.process, FailedLogins())
        await world.sql("UPDATE stations SET last_heartbeat_at = %s", world.clock.now())
        door.habits.clocks.showed(STATION, datetime(1970, 1, 1, tzinfo=UTC), world.clock.now())
        await here.process.app.pictures.look()
        assert here.process.app.pictures.latest is not None
        (entry,) = here.process.app.pictures.latest.todo.entries
        assert entry.item.head.kind.value == "wrong_clock"
