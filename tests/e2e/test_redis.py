"""The list in Redis, with real servers and a real Redis that dies, hangs and comes back (contract/rest-api §2.1)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import trio

from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.process import Server, poll
from tests.e2e.street import FLEET, WITHIN_S, Phone, charger_at
from tests.worlds.redis_server import RedisServer

KEY = "locations_status:all"
#: Longer than the server gives Redis, and shorter than it would take if somebody waited for it.
DEGRADED_WITHIN_S = 6.0


@pytest.fixture
async def pair(database_url: str, redis_server: RedisServer, tmp_path: Path) -> AsyncIterator[tuple[Server, Server]]:
    """Two processes on one database and one Redis, with nobody connected."""
    settings = {**SETTINGS, "database_url": url_of(database_url), "redis_url": redis_server.url}
    async with trio.open_nursery() as nursery:
        servers = []
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            server = Server(nursery, tmp_path / name, **settings)
            await server.start()
            servers.append(server)
        await servers[0].import_fleet(FLEET)
        yield servers[0], servers[1]
        for server in servers:
            await server.stop()
        nursery.cancel_scope.cancel()


async def listed(server: Server, query: str = "") -> dict[str, Any]:
    """The list; an answer that waited for Redis would come too late."""
    with trio.fail_after(DEGRADED_WITHIN_S):
        answer = await Phone(server).request("GET", f"locations{query}")
    assert answer["success"], answer
    return answer


async def becomes(server: Server, word: str) -> None:
    """Wait until /health says it of Redis."""

    async def says_it() -> bool:
        said: str = (await health(server))["redis"]
        return said == word

    with trio.fail_after(WITHIN_S):
        await poll(says_it)


async def health(server: Server, path: str = "health") -> dict[str, Any]:
    return await Phone(server).request("GET", f"../../{path}")


async def refresh(server: Server) -> None:
    """Drop the list, as a phone may ask for; that takes effect once a second."""
    assert (await Phone(server).request("POST", "locations/EVP-LOC-E2E/refresh-status"))["success"]


async def comes_to_be_dropped(*, by: Server, at: Server) -> None:
    """Wait until a refresh of `by` makes `at` read anew."""

    async def reads_anew() -> bool:
        await refresh(by)
        return not (await listed(at))["cached"]

    # A list that nobody drops lives 30 s.
    with trio.fail_after(15):
        await poll(reads_anew)


async def comes_to_share(a: Server, b: Server) -> None:
    """Wait until what `a` reads is what `b`, which has nothing of its own, answers with."""

    async def shares() -> bool:
        await refresh(a)
        await listed(a)
        return bool((await listed(b))["cached"])

    with trio.fail_after(WITHIN_S):
        await poll(shares)


async def test_what_one_process_has_read_the_other_shows_until_it_changes(
    pair: tuple[Server, Server], redis_server: RedisServer
) -> None:
    a, b = pair
    await comes_to_share(a, b)
    assert (await listed(b, "?city=Ош"))["total"] == 0
    assert b"E2E-001" in redis_server.run("GET", KEY)  # a filtered answer is not kept in its place
    assert (await listed(b))["total"] == 1
    await comes_to_be_dropped(by=a, at=b)
    async with charger_at(a) as charger:

        async def b_shows_it() -> bool:
            occupied: int = (await listed(b))["locations"][0]["connectors_summary"]["occupied"]
            return occupied == 1

        await charger.plug()
        with trio.fail_after(WITHIN_S):
            await poll(b_shows_it)


async def test_a_redis_that_dies_and_hangs_and_comes_back_is_hardly_noticed(
    pair: tuple[Server, Server], redis_server: RedisServer
) -> None:
    a, b = pair
    assert (await health(a, "health-force"))["redis"] == "connected"
    await comes_to_share(a, b)
    redis_server.kill()
    for server in pair:
        assert (await listed(server))["total"] == 1
        await becomes(server, "disconnected")
        assert (await health(server))["status"] == "unhealthy"
        assert (await health(server, "readyz")) == {"status": "ready"}
    await comes_to_be_dropped(by=a, at=a)
    assert (await listed(a))["cached"]  # its own
    redis_server.start()
    for server in pair:
        await becomes(server, "connected")
    await comes_to_share(b, a)
    redis_server.freeze()
    for server in pair:
        assert (await listed(server))["total"] == 1
        await becomes(server, "disconnected")
    redis_server.thaw()
    for server in pair:
        await becomes(server, "connected")
    assert "WARNING - Redis is away" in a.log()
    redis_server.freeze()  # and so they stop
