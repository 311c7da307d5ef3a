"""Two processes on one database serve one network (design §7): nobody can tell on which of them he is."""

from __future__ import annotations

import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, LiteralString

import psycopg
import pytest
import trio
from trio_websocket import WebSocketConnection, open_websocket_url

from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.process import Server, poll
from tests.e2e.street import CLIENT, FLEET, OPENING, WITHIN_S, Phone, charger_at, cost_of

OWNERS = "SELECT process_id FROM evpower.charger_connections"
END_LEASE = f"DELETE FROM evpower.processes WHERE process_id IN ({OWNERS}) RETURNING process_id"
END_LISTENING = """
SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity
WHERE datname = current_database() AND query IN ('LISTEN evpower', 'SELECT 1')
"""


class Both:
    """Two servers; a charger dials whichever it is sent to."""

    def __init__(self, a: Server, b: Server) -> None:
        self.a = a
        self.b = b
        self.goes_to = a

    async def dial(self, url: str) -> trio.abc.Stream:
        return await self.goes_to.dial(url)


class Once:
    """A server that is reached once: whoever loses his socket there stays away."""

    def __init__(self, server: Server) -> None:
        self._servers = [server]

    async def dial(self, url: str) -> trio.abc.Stream:
        if not self._servers:
            raise ConnectionRefusedError
        return await self._servers.pop().dial(url)


@pytest.fixture
async def both(database_url: str, tmp_path: Path) -> AsyncIterator[Both]:
    async with trio.open_nursery() as nursery:
        servers = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            server = Server(nursery, tmp_path / name, database_url=url_of(database_url), **SETTINGS)
            await server.start()
            servers.append(server)
        await servers[0].import_fleet(FLEET)
        yield Both(*servers)
        for server in servers:
            if server.run is not None:
                await server.check_ledger()
                await server.stop()
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def listening(server: Server) -> AsyncIterator[WebSocketConnection]:
    """A phone's socket that hears of the location's stations."""
    url = f"{server.http_url.replace('http', 'ws', 1)}/api/v1/ws/locations?client_id={CLIENT}"
    async with open_websocket_url(url) as socket:
        await socket.send_message(json.dumps({"action": "subscribe", "channel": "location_stations:EVP-LOC-E2E"}))
        yield socket


async def hear(socket: WebSocketConnection, word: str) -> dict[str, Any]:
    """The first push in which `word` is said of a station's connector."""
    while True:
        message: dict[str, Any] = json.loads(await socket.get_message())
        if message.get("type") == "station_status_update" and word in json.dumps(message):
            return message


async def test_a_charge_survives_the_death_of_the_process_its_charger_is_at(both: Both) -> None:
    phone = Phone(both.b)
    async with listening(both.b) as socket, charger_at(both) as charger:
        await charger.plug()
        with trio.fail_after(WITHIN_S):
            session_id = await _start(phone)
            await hear(socket, "Charging")
        await charger.has_begun()
        await charger.deliver(200)
        both.goes_to = both.b
        await both.a.kill()
        await charger.is_connected()
        await charger.deliver(400)
        answer = await phone.stop(session_id)
        assert answer["success"], answer
        receipt = await phone.receipt(session_id)
        with trio.fail_after(WITHIN_S):
            await hear(socket, "Available")
        assert not _estimated(receipt), receipt
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_a_stop_asked_of_one_process_reaches_the_charger_of_the_other(both: Both) -> None:
    phone = Phone(both.b)
    async with charger_at(both) as charger:
        await charger.plug()
        session_id = await _start(phone)
        await charger.has_begun()
        await charger.deliver(100)
        answer = await phone.stop(session_id)
        assert answer["success"], answer
        await charger.has_received("RemoteStopTransaction")
        await phone.receipt(session_id)
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_a_charger_that_moves_leaves_no_ghost_behind(both: Both) -> None:
    async with charger_at(both) as first:
        await first.is_connected()
        assert await _connected(both.a) == 1
        both.goes_to = both.b
        async with charger_at(both) as second:
            await second.is_connected()
            with trio.fail_after(WITHIN_S):
                await poll(lambda: _is_empty(both.a))


async def test_a_process_stopped_past_its_lease_wakes_and_leaves_its_charger_to_the_other(
    both: Both, database_url: str
) -> None:
    """The old socket is still open there: it is a ghost."""
    async with charger_at(Once(both.a)) as first:
        await first.is_connected()
        with stopped(both.a):
            await _outlast_the_lease(database_url)
            async with charger_at(both.b) as second:
                await second.plug()
                phone = Phone(both.b)
                session_id = await _start(phone)
                await second.has_begun()
                both.a.signal(signal.SIGCONT)
                with trio.fail_after(WITHIN_S):
                    await poll(lambda: _is_empty(both.a))
                assert await _connected(both.b) == 1
                assert (await phone.stop(session_id))["success"]
                await second.has_received("RemoteStopTransaction")


async def test_a_process_stopped_past_its_lease_wakes_and_has_its_chargers_again(both: Both, database_url: str) -> None:
    phone = Phone(both.b)
    async with charger_at(both) as charger:
        await charger.plug()
        with stopped(both.a):
            await _outlast_the_lease(database_url)
        with trio.fail_after(WITHIN_S):
            await poll(lambda: _has_an_owner(database_url))
        session_id = await _start(phone)
        await charger.has_begun()
        assert (await phone.stop(session_id))["success"]
        await phone.receipt(session_id)


async def test_a_phone_hears_what_happened_while_its_process_could_not_listen(both: Both, database_url: str) -> None:
    async with listening(both.b) as socket, charger_at(both) as charger:
        await charger.is_connected()
        assert _sql(database_url, END_LISTENING)
        await charger.plug()
        with trio.fail_after(WITHIN_S):
            await hear(socket, "Occupied")


@contextmanager
def stopped(server: Server) -> Iterator[None]:
    """SIGSTOP: nothing in it runs, its sockets stay open."""
    server.signal(signal.SIGSTOP)
    try:
        yield
    finally:
        server.signal(signal.SIGCONT)


async def _outlast_the_lease(database_url: str) -> None:
    """Return when the charger's process has been forgotten. Its lease is ended here, so that nobody waits for that."""
    assert _sql(database_url, END_LEASE)
    with trio.fail_after(WITHIN_S):
        await poll(lambda: _has_no_owner(database_url))


async def _has_an_owner(database_url: str) -> bool:
    return bool(_sql(database_url, OWNERS))


async def _has_no_owner(database_url: str) -> bool:
    return not _sql(database_url, OWNERS)


def _sql(database_url: str, query: LiteralString) -> list[tuple[Any, ...]]:
    with psycopg.connect(database_url, autocommit=True) as database:
        return database.execute(query).fetchall()


async def _is_empty(server: Server) -> bool:
    return await _connected(server) == 0


async def _connected(server: Server) -> int:
    health = await Phone(server).request("GET", "../../health")
    return int(health["connected_stations"])


async def _start(phone: Phone) -> str:
    """Start as soon as the charger's coming is known there."""
    answer = await phone.start(energy_kwh=2)
    assert answer["success"], answer
    return str(answer["session_id"])


def _estimated(receipt: dict[str, Any]) -> bool:
    return bool(receipt.get("estimated"))
