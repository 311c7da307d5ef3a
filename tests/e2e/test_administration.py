"""A started server's network is changed by an administrator while phones listen and a charge runs."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio
from trio_websocket import open_websocket_url

from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.process import Server
from tests.e2e.street import CLIENT, FLEET, OPENING, STATION, WITHIN_S, Phone, charger_at, cost_of

TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """A server with a door for administrators."""
    async with trio.open_nursery() as nursery:
        settings = {**SETTINGS, "http_admin_token": TOKEN}
        server = Server(nursery, tmp_path, database_url=url_of(database_url), **settings)
        await server.start()
        await server.import_fleet(FLEET)
        yield server
        await server.check_ledger()
        await server.stop()
        nursery.cancel_scope.cancel()


async def ask(server: Server, method: str, path: str, status: int = 200, token: str = TOKEN, **request: Any) -> Any:
    """An administrator's request."""
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=server.http_url, timeout=WITHIN_S) as client:
        response = await client.request(method, f"/api/v1/admin{path}", headers=headers, **request)
    assert response.status_code == status, response.text
    return response.json()


async def test_a_phone_hears_at_once_of_what_an_administrator_changes_at_either_door(server: Server) -> None:
    url = f"{server.http_url.replace('http', 'ws', 1)}/api/v1/ws/locations?client_id={CLIENT}"
    async with charger_at(server) as charger, open_websocket_url(url) as socket:
        await charger.is_connected()
        await socket.send_message(json.dumps({"action": "subscribe", "channel": "location_stations:EVP-LOC-E2E"}))

        async def hear(status: str) -> None:
            with trio.fail_after(WITHIN_S):
                while True:
                    message = json.loads(await socket.get_message())
                    if message["type"] == "station_status_update" and message["status"] == status:
                        return

        answer = await ask(server, "PUT", f"/stations/{STATION}", json={"status": "maintenance"})
        assert answer["data"]["status"] == "maintenance"
        await hear("maintenance")
        await server.control("PUT", f"stations/{STATION}", json={"status": "active"})
        await hear("available")
    assert "station changed: station=EVP-E2E-01" in server.log()
    assert ", by=admin" in server.log()


async def test_a_charge_outlives_the_end_of_its_station_and_nobody_else_begins_one(server: Server) -> None:
    phone = Phone(server)
    async with charger_at(server) as charger:
        await charger.plug()
        session_id = (await phone.start(energy_kwh=5))["session_id"]
        await charger.has_begun()
        await charger.deliver(200)
        await ask(server, "PUT", f"/stations/{STATION}", json={"status": "inactive"})
        assert (await Phone(server, "driver-2").start(connector=2))["error"] == "station_unavailable"
        assert (await phone.stop(session_id))["success"]
        await phone.receipt(session_id)
    assert await phone.balance() == OPENING - cost_of(charger.stopped_wh)


async def test_the_lists_of_both_doors_are_what_each_is_for(server: Server) -> None:
    page = (await ask(server, "GET", "/stations?is_online=false"))["data"]
    assert ([station["id"] for station in page["stations"]], page["total"]) == ([STATION], 1)
    assert [station["id"] for station in await server.control("GET", "stations")] == [STATION]
    assert (await ask(server, "GET", "/tariff-plans"))["data"] == []


async def test_without_the_token_nothing_is_shown_or_changed_and_with_it_nothing_deleted(server: Server) -> None:
    one, connector = f"/stations/{STATION}", f"/stations/{STATION}/connectors/1"
    for path in ("/stations", one, "/locations", "/locations/EVP-LOC-E2E", "/tariff-plans"):
        assert (await ask(server, "GET", path, 401, token="wrong"))["error"] == "unauthorized"
    body = {"status": "inactive"}
    for method, path in (("PUT", one), ("POST", "/stations"), ("PUT", connector), ("PUT", "/locations/EVP-LOC-E2E")):
        assert (await ask(server, method, path, 401, token="wrong", json=body))["error"] == "unauthorized"
    await ask(server, "DELETE", one, 405)
    assert (await ask(server, "GET", one))["data"]["status"] == "active"
