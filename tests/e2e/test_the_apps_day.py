"""The whole life of a phone, as the owner's installed app lives it: through the real doors, with a token alone.

From the origin of the app on Android, in the mode in which nobody is believed without a token: sign in by the code that
an SMS brings, find a station, pay by QR code, start by the serial number, watch, stop, look at oneself, sign out.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio
from trio_websocket import open_websocket_url

from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.money_in import banked_server
from tests.e2e.process import Server, poll
from tests.e2e.street import WITHIN_S, charger_at
from tests.payments.gateways.peer import Peer, answer
from tests.ports import free_port

ORIGIN = "https://localhost"
PHONE = "+996700123456"
SERIAL_NUMBER = "E2E-001"


@pytest.fixture
async def sms() -> AsyncIterator[Peer]:
    """A gateway that takes three SMS."""
    peer = Peer(*[answer('{"status": "accepted"}')] * 3)
    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, peer.serve, 0, host="127.0.0.1"))
        peer.port = listeners[0].socket.getsockname()[1]
        yield peer
        nursery.cancel_scope.cancel()


@pytest.fixture
async def server(database_url: str, tmp_path: Path, sms: Peer) -> AsyncIterator[Server]:
    """Nobody is believed without a token, and codes go through the gateway."""
    settings = {
        **SETTINGS,
        "auth_mode": "required",
        "sms_transport": "http",
        "sms_url": f"http://127.0.0.1:{sms.port}/send",
        "sms_body": '{"to": "{phone}", "text": "{text}", "key": "{secret}"}',
        "sms_secret": "gateway-secret",
        "sms_accepted": "accepted",
    }
    async with banked_server(url_of(database_url), tmp_path, free_port(), **settings) as (running, _bank):
        yield running


class App:
    """The installed app: every call has its origin and, once signed in, its token."""

    def __init__(self, server: Server) -> None:
        self.http_url = server.http_url
        self.tokens: dict[str, str] = {}

    async def call(self, method: str, path: str, body: dict[str, Any] | None = None, *, status: int = 200) -> Any:
        """The answer's JSON, which the app's page may read."""
        headers = {"Origin": ORIGIN}
        if self.tokens:
            headers["Authorization"] = f"Bearer {self.tokens['access_token']}"
        async with httpx2.AsyncClient(base_url=f"{self.http_url}/api/v1", timeout=WITHIN_S, verify=False) as http:
            got = await http.request(method, path, json=body, headers=headers)
        assert got.status_code == status, got.text
        assert got.headers["Access-Control-Allow-Origin"] == ORIGIN
        return got.json() if got.content else None

    async def sign_in(self, sms: Peer) -> dict[str, Any]:
        sent = await self.call("POST", "/auth/send-otp", {"phone": PHONE})
        assert sent == {"success": True, "phone": PHONE, "expires_in_seconds": 300, "resend_available_in_seconds": 60}
        message = json.loads(sms.received[-1].body)
        assert (message["to"], message["key"]) == (PHONE, "gateway-secret")
        code = re.search(r"\d{6}", message["text"])
        assert code is not None
        body: dict[str, Any] = await self.call("POST", "/auth/verify-otp", {"phone": PHONE, "code": code[0]})
        self.tokens = {name: body[name] for name in ("access_token", "refresh_token")}
        return body

    async def until(self, path: str, condition: Callable[[Any], bool]) -> Any:
        async def look() -> Any:
            seen = await self.call("GET", path)
            return seen if condition(seen) else None

        with trio.fail_after(WITHIN_S):
            return await poll(look, 0.1)

    @asynccontextmanager
    async def watching(self, channel: str) -> AsyncIterator[Callable[[], Any]]:
        """The live socket, subscribed: how the app shows a station."""
        url = f"{self.http_url.replace('http', 'ws', 1)}/api/v1/ws/locations?token={self.tokens['access_token']}"
        async with open_websocket_url(url, extra_headers=[(b"Origin", ORIGIN.encode())]) as socket:
            assert json.loads(await socket.get_message())["type"] == "connection"
            await socket.send_message(json.dumps({"action": "subscribe", "channel": channel}))
            assert json.loads(await socket.get_message())["status"] == "subscribed"

            async def next_message() -> Any:
                with trio.fail_after(WITHIN_S):
                    return json.loads(await socket.get_message())

            yield next_message


async def test_the_apps_whole_day(server: Server, sms: Peer) -> None:
    app = App(server)
    await app.call("OPTIONS", "/auth/send-otp", status=204)
    # Without a token the public list, and nothing of anybody's.
    listed = await app.call("GET", "/locations?include_stations=true")
    assert SERIAL_NUMBER in json.dumps(listed)
    order = {"station_id": SERIAL_NUMBER, "connector_id": 1, "energy_kwh": 2}
    await app.call("POST", "/charging/start", order, status=401)

    signed_in = await app.sign_in(sms)
    assert (signed_in["is_new_user"], signed_in["user_type"], signed_in["user"]["balance"]) == (True, "client", 0)
    client_id = signed_in["user"]["id"]

    async with charger_at(server) as charger:
        await charger.plug()
        assert (await app.call("POST", "/charging/start", order))["error"] == "insufficient_balance"
        await top_up(app, 200)

        async with app.watching(f"station:{SERIAL_NUMBER}") as next_message:
            started = await app.call("POST", "/charging/start", order)
            assert started["success"], started
            session_id = started["session_id"]
            assert (await next_message())["type"] == "station_status_update"
        await charger.deliver(500)
        live = await app.until(f"/charging/status/{session_id}", lambda seen: seen["energy_consumed"] > 0)
        assert live["status"] == "started"

        stopped = await app.call("POST", "/charging/stop", {"session_id": session_id})
        assert (stopped["success"], stopped["status"]) == (True, "stopped")
    me = await app.call("GET", "/auth/me")
    assert (me["user"]["id"], me["user"]["balance"]) == (client_id, stopped["new_balance"])
    assert 0 < stopped["new_balance"] < 200

    await stays_signed_in_until_it_signs_out(app)
    for secret in (*app.tokens.values(), "gateway-secret"):
        assert secret not in server.log()


async def top_up(app: App, som: int) -> None:
    """By QR code: the app shows it, the payer's wallet opens its link."""
    order = await app.call("POST", "/balance/topup-qr", {"amount": som})
    async with httpx2.AsyncClient() as wallet:
        await wallet.post(f"{order['app_link']}/approve", follow_redirects=True)
    paid = await app.until(f"/payment/status/{order['invoice_id']}", lambda seen: seen["status"] == 1)
    assert paid["can_start_charging"]


async def stays_signed_in_until_it_signs_out(app: App) -> None:
    refresh_token = {"refresh_token": app.tokens["refresh_token"]}
    refreshed = await app.call("POST", "/auth/refresh", refresh_token)
    assert "refresh_token" not in refreshed
    app.tokens["access_token"] = refreshed["access_token"]
    await app.call("GET", "/auth/me")
    assert await app.call("POST", "/auth/logout", refresh_token) == {"success": True}
    await app.call("GET", "/auth/me", status=401)
    await app.call("GET", "/balance/get", status=401)
    await app.call("POST", "/auth/refresh", refresh_token, status=401)
