"""`evpower trace` asked at a process where the charger's socket is not."""

from __future__ import annotations

import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import trio

from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.process import Process, Server, start
from tests.e2e.street import FLEET, WITHIN_S, charger_at

pytestmark = pytest.mark.external

STATION = "EVP-E2E-01"
CONNECTED = f"{STATION} is connected"
AWAY = f"{STATION} is not connected"


class Two:
    """The process that has the charger, and the one that is asked."""

    def __init__(self, nursery: trio.Nursery, has_it: Server, is_asked: Server) -> None:
        self._nursery = nursery
        self.has_it = has_it
        self.is_asked = is_asked

    async def trace(self, *options: str) -> Process:
        """`evpower trace` at the other process's control socket."""
        environment = {"EVPOWER_CONTROL_SOCKET": str(self.is_asked.control_socket), "LANG": "C.UTF-8", "COLUMNS": "200"}
        return await start(self._nursery, "trace", STATION, *options, environment=environment)


@asynccontextmanager
async def two(database_url: str, folder: Path, **settings: object) -> AsyncIterator[Two]:
    async with trio.open_nursery() as nursery:
        servers = []
        for name in ("a", "b"):
            (folder / name).mkdir()
            server = Server(nursery, folder / name, database_url=url_of(database_url), **SETTINGS, **settings)
            await server.start()
            servers.append(server)
        await servers[0].import_fleet(FLEET)
        yield Two(nursery, *servers)
        for server in servers:
            await server.stop()
        nursery.cancel_scope.cancel()


async def test_frames_of_the_other_process_come_live_and_kept(database_url: str, tmp_path: Path) -> None:
    async with two(database_url, tmp_path) as both:
        with trio.fail_after(WITHIN_S):
            away = await both.trace("--since", "1h", "--no-follow")
            await away.wait_for_exit()
        assert AWAY in away.lines[0]
        async with charger_at(both.has_it) as charger:
            await charger.is_connected()
            live = await both.trace()
            with trio.fail_after(WITHIN_S):
                assert CONNECTED in await live.wait_for_line(STATION)
                await charger.plug()
                await live.wait_for_line("answer to StatusNotification")
            live.process.send_signal(signal.SIGTERM)
            with trio.fail_after(WITHIN_S):
                await live.wait_for_exit()
                kept = await both.trace("--since", "1h", "--no-follow")
                assert await kept.wait_for_exit() == 0
        assert CONNECTED in live.lines[0]
        assert CONNECTED in kept.lines[0]
        assert [line for line in kept.lines if "→  answer to BootNotification" in line], kept.lines


async def test_without_recording_it_says_why_there_is_nothing(database_url: str, tmp_path: Path) -> None:
    async with two(database_url, tmp_path, ocpp_record_frames="false") as both, charger_at(both.has_it) as charger:
        await charger.is_connected()
        for options, reason in (((), "another process"), (("--since", "1h", "--no-follow"), "no frames of that time")):
            with trio.fail_after(WITHIN_S):
                asked = await both.trace(*options)
                assert await asked.wait_for_exit() == 0
            first, second = asked.lines
            assert CONNECTED in first
            assert reason in second
            assert "ocpp.record_frames is false" in second
