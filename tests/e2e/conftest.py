"""A running server for each test that asks, on a database of its own."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trio

from tests.e2e.process import Server
from tests.e2e.street import FLEET
from tests.worlds.push_services import FcmStandIn, fcm_stand_in

#: Short waits, so that no test sits out the patience meant for people.
SETTINGS = {
    "ocpp_sample_interval_s": 1,
    "charging_start_wait_s": 2,
    "charging_stop_wait_s": 2,
    "charging_start_repeat_s": 1,
    "server_drain_timeout_s": 10,
}


def url_of(conninfo: str) -> str:
    """A conninfo of a Unix socket as the URL the settings want."""
    parts = dict(part.split("=", 1) for part in conninfo.split())
    host = parts.pop("host")
    return f"postgresql://{parts['user']}@/{parts['dbname']}?host={host}"


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """A server with the fleet imported; ended by SIGTERM with exit code 0 unless the test ended it."""
    async with trio.open_nursery() as nursery:
        server = Server(nursery, tmp_path, database_url=url_of(database_url), **SETTINGS)
        await server.start()
        await server.import_fleet(FLEET)
        yield server
        if server.run is not None:
            await server.check_ledger()
            await server.stop()
        nursery.cancel_scope.cancel()


@pytest.fixture
async def fcm() -> AsyncIterator[FcmStandIn]:
    async with fcm_stand_in() as fcm:
        yield fcm


@pytest.fixture
async def messaging_server(database_url: str, tmp_path: Path, fcm: FcmStandIn) -> AsyncIterator[Server]:
    """A server that delivers messages by the stand-in of FCM."""
    account = tmp_path / "account.json"
    account.write_text(json.dumps(fcm.account()))
    push = {"push_fcm_service_account": account, "push_fcm_url": fcm.url}
    async with trio.open_nursery() as nursery:
        server = Server(nursery, tmp_path, database_url=url_of(database_url), **{**SETTINGS, **push})
        await server.start()
        await server.import_fleet(FLEET)
        yield server
        await server.check_ledger()
        await server.stop()
        nursery.cancel_scope.cancel()
