"""The owner's page against the started server: what his snippets ask for, and from where a page may ask.

Node and a browser run the snippets themselves in `make foreign`, because newcomers have neither.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import psycopg
import pytest
import trio

from tests.e2e.conftest import url_of
from tests.e2e.process import Server
from tests.e2e.street import WITHIN_S
from tests.foreign.page import follow_the_snippets
from tests.foreign.reader import by_reading
from tests.http.phones.test_live import PATH as SOCKET
from tests.http.phones.test_live import phone

ALLOWED = "https://app.example"


@pytest.fixture
async def choosy(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """A server with `[http] allowed_origins`."""
    async with trio.open_nursery() as nursery:
        server = Server(nursery, tmp_path, database_url=url_of(database_url), http_allowed_origins=ALLOWED)
        await server.start()
        yield server
        await server.stop()
        nursery.cancel_scope.cancel()


async def may_read(server: Server, origin: str) -> bool:
    """Whether a browser would let a page of another origin see the list."""
    async with httpx2.AsyncClient(base_url=server.http_url, timeout=WITHIN_S) as page:
        answer = await page.get("/api/v1/locations", headers={"Origin": origin})
    assert answer.json()["success"] is True
    return answer.headers.get("Access-Control-Allow-Origin") == origin


async def test_what_the_owners_snippets_ask_for_is_answered_and_told(server: Server) -> None:
    await follow_the_snippets(server, by_reading)


async def test_who_only_listens_is_no_client(server: Server, database_url: str) -> None:
    async with phone(urlsplit(server.http_url).netloc, f"{SOCKET}?client_id=listener-1") as page:
        assert (await page.hear())["client_id"] == "listener-1"
    with psycopg.connect(database_url) as database:
        assert database.execute("SELECT count(*) FROM clients WHERE id = 'listener-1'").fetchone() == (0,)


async def test_pages_of_this_host_and_of_allowed_origins_may_listen_and_no_others(choosy: Server) -> None:
    host = urlsplit(choosy.http_url).netloc
    for origin in (choosy.http_url, ALLOWED):
        async with phone(host, Origin=origin) as page:
            assert (await page.hear())["type"] == "connection"
    for origin in ("https://evil.example", f"{ALLOWED}.evil.example", "null"):
        async with phone(host, Origin=origin) as page:
            assert (await page.closed_with())[0] == 1008


async def test_pages_of_allowed_origins_may_read_and_no_others(choosy: Server) -> None:
    assert await may_read(choosy, ALLOWED)
    assert not await may_read(choosy, "https://evil.example")
