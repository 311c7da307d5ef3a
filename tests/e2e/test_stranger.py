"""What a stranger can send to the phones' listener leaves it, and the chargers beside it, as quick as before."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

import httpx2
import pytest
import trio

from tests.e2e.hostile import assert_quiet, hand_at
from tests.e2e.process import Server
from tests.e2e.street import CLIENT, STATION

#: Nothing of speed: far above what a busy machine takes, far below the 19 s of old.
ANSWER_WITHIN_S = 5.0
BODY_BYTES_MAX = 64 * 1024
#: Every path that reads a body without asking who sends it.
PATHS = (
    "/api/v1/charging/start",
    "/api/v1/charging/stop",
    "/api/v1/balance/topup-qr",
    "/api/v1/balance/topup-card",
    "/api/v1/payment/token-payment",
    "/api/v1/payment/create-token",
    "/api/v1/payment/webhook",
    "/api/v1/payment/webhook/odengi",
    "/api/v1/payment/webhook/obank/token",
    "/api/v1/payment/3ds-return",
    "/api/payment/webhook",
    "/api/charging/start",
    "/api/v1/auth/send-otp",
    "/api/v1/auth/verify-otp",
    "/api/v1/auth/refresh",
    "/api/v1/auth/logout",
    "/api/v1/devices/register",
    "/api/v1/notifications/subscribe",
    "/api/v1/favorites",
    "/nowhere",
)


def order_with(extra: str) -> bytes:
    """A start that would be good, but for what more it says."""
    return json.dumps({"client_id": CLIENT, "station_id": STATION, "connector_id": 9})[:-1].encode() + extra.encode()


def filled(begin: str, part: str, end: str) -> str:
    """As many parts as a body may have room for."""
    return begin + part * ((BODY_BYTES_MAX - 200 - len(begin) - len(end)) // len(part)) + end


BODIES = {
    "ten megabytes": b" " * 10 * 1024 * 1024,
    "a list": order_with(filled(',"x":[0', ",0", "]}")),
    "a depth": order_with(',"x":' + "[" * 30_000 + "]" * 30_000 + "}"),
    "numbers": order_with(filled(',"x":[0', ",1e999999", "]}")),
    "one number": order_with(filled(',"energy_kwh":1', "1", "}")),
    "keys": order_with("".join(f',"{number}":0' for number in range(6_000)) + "}"),
    "fields": filled("MD=1", "&a", "").encode(),
    "elements": filled("<x>", "<y/>", "</x>").encode(),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES.keys())
async def test_beside_the_worst_bodies_chargers_and_probes_are_answered(server: Server, body: bytes) -> None:
    """Safe by default 3: one POST of 10 MB kept every charger waiting for 19 s."""
    async with (
        hand_at(server, STATION) as hand,
        httpx2.AsyncClient(base_url=server.http_url, timeout=30, verify=False) as stranger,
        httpx2.AsyncClient(base_url=server.http_url, timeout=30, verify=False) as probe,
    ):
        sent = trio.Event()

        async def watch(ask: Callable[[], Awaitable[object]]) -> None:
            while not sent.is_set():
                with trio.fail_after(ANSWER_WITHIN_S):
                    await ask()

        async with trio.open_nursery() as watching:
            watching.start_soon(watch, lambda: probe.get("/readyz"))
            watching.start_soon(watch, hand.lives)
            for path in PATHS:
                kind = "text/xml" if body.startswith(b"<") else "application/json"
                headers = {"Content-Type": kind, "Idempotency-Key": path}
                answer = await stranger.post(path, content=body, headers=headers)
                assert 400 <= answer.status_code < 500 or path.endswith("3ds-return"), (path, answer.status_code)
            sent.set()
    assert_quiet(server)
