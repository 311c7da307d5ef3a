"""The stranger's script against a started server behind a proxy, in the modes an operator may open it in (safe by
default 1, 2, 5 and 14): each attack that once worked fails, beside a charge that goes on and is billed to its driver.

The proxy is played by this test: it connects from loopback and names in `X-Forwarded-For` whom it serves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio

from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.hostile import Hand, assert_quiet, fleet_of, peer_at, refusal, station_of, upgrade_request
from tests.e2e.process import Server
from tests.e2e.street import OPENING, RATE, WITHIN_S
from tests.http.phones.test_live import phone
from tests.worlds import token_issuer

VICTIM, PASSWORD = "VICTIM", "a-password-of-its-own"
STATION = station_of(VICTIM)
METER_START_WH, METER_STOP_WH = 1_000, 3_000
STRANGER, FORGED = "203.0.113.9", "6.6.6.6"
MODES: Mapping[str, Mapping[str, object]] = {
    "required": {"auth_mode": "required", "auth_jwt_secret": token_issuer.SECRET},
    "trust": {"auth_mode": "trust", "auth_allow_trust": "true"},
}


def now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def token_of(client_id: str) -> str:
    at = int(datetime.now(UTC).timestamp())
    return token_issuer.by_secret({"sub": client_id, "iat": at, "exp": at + 3600})


@dataclass
class Scene:
    """The server in one mode, the driver's running charge, and the stranger's means."""

    server: Server
    mode: str
    hand: Hand
    session_id: str = ""

    async def ask(self, method: str, path: str, body: Any = None, *, by: str | None = None, **more: str) -> Any:
        """A request through the proxy: by the stranger, or with the token of `by`."""
        headers = {"X-Forwarded-For": STRANGER, **more} | ({"Authorization": f"Bearer {token_of(by)}"} if by else {})
        async with httpx2.AsyncClient(base_url=self.server.http_url, timeout=WITHIN_S, verify=False) as client:
            return await client.request(method, path, json=body, headers=headers)

    async def owned(self, method: str, path: str, body: dict[str, Any] | None = None) -> Any:
        """The driver's own request: with a token, or, where the mode believes it, by name."""
        named = self.mode == "trust"
        body = {**(body or {}), "client_id": VICTIM} if named and method == "POST" else body
        return (await self.ask(method, path, body, by=None if named else VICTIM)).json()

    async def raw(self, request: bytes) -> bytes:
        """Everything the phones' listener answers to these bytes."""
        host, port = self.server.http_url.removeprefix("http://").split(":")
        answer = b""
        with trio.fail_after(WITHIN_S):
            async with await trio.open_tcp_stream(host, int(port)) as stream:
                await stream.send_all(request)
                async for part in stream:
                    answer += part
        return answer


async def by_http_2(scene: Scene) -> None:
    """HTTP/2 was served, with forged addresses and without bounds."""
    answer = await scene.raw(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n"
    answer = await scene.raw(b"GET /version HTTP/1.1\r\nHost: x\r\n" + upgrade + b"Connection: close\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 ")


async def by_two_lengths(scene: Scene) -> None:
    lengths = b"Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n"
    behind = b"0\r\n\r\nGET /behind HTTP/1.1\r\n\r\n"
    answer = await scene.raw(b"POST /version HTTP/1.1\r\nHost: x\r\n" + lengths + behind)
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"/behind" not in answer
    assert answer.count(b"HTTP/1.1 ") == 1


async def by_a_second_name(scene: Scene) -> None:
    """`//metrics` and `//api/v1/admin` passed the proxy's rules."""
    for path in ("//metrics", "/%2Fmetrics", "//api/v1/admin/stations", "//api/v1/balance/" + VICTIM, "/metrics"):
        answer = await scene.raw(
            f"GET {path} HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: {STRANGER}\r\nConnection: close\r\n\r\n".encode()
        )
        status = answer.split(b" ", 2)[1]
        assert status in ((b"401", b"403", b"404") if path == "/metrics" else (b"404",)), (path, answer)
        assert b"# HELP" not in answer


async def by_a_forged_address(scene: Scene) -> None:
    """What a caller wrote before the proxy's own address counts for nothing."""
    await scene.ask("GET", "/version", **{"X-Forwarded-For": f"{FORGED}, {STRANGER}"})
    await scene.ask("GET", "/api/v1/locations", **{"X-Real-IP": FORGED, "Forwarded": f"for={FORGED}"})
    assert FORGED not in scene.server.log()
    assert f"IP: {STRANGER}" in scene.server.log()


async def by_the_administrators_door(scene: Scene) -> None:
    for by in (None, "stranger"):
        answer = await scene.ask("GET", "/api/v1/admin/stations", by=by)
        assert (answer.status_code, answer.json()["success"]) in ((401, False), (403, False))


async def by_a_twin_of_the_charger(scene: Scene) -> None:
    """A twin of a live charger stopped its charge with meterStop = meterStart: billed 0."""
    logins = ("", f"{STATION}:", f"{STATION}:wrong-password-16", f"EVP-OTHER:{PASSWORD}")
    for number, login in enumerate(logins):
        address = f"127.0.1.{number + 1}"  # failures are slowed by address
        answer = await refusal(scene.server, upgrade_request(f"/ws/{STATION}", password=login), local_address=address)
        assert answer.startswith(b"HTTP/1.1 401"), (login, answer)
    await scene.hand.lives()


async def by_a_certificate_request(scene: Scene) -> None:
    """An anonymous plain socket got a year's client certificate; a plain one with a password gets none either."""
    for station in (STATION, "EVP-UNKNOWN"):
        answer = await refusal(scene.server, upgrade_request(f"/ws/{station}"), local_address="127.0.2.1")
        assert answer.startswith((b"HTTP/1.1 401", b"HTTP/1.1 404")), answer
    request = "-----BEGIN CERTIFICATE REQUEST-----\nMII\n-----END"
    signed = await scene.hand.call("SignCertificate", csr=request)
    assert signed[0] == 4 or signed[2]["status"] == "Rejected", signed


async def by_the_stations_page(scene: Scene) -> None:
    """A stranger took the session from the page, stopped the charge, and read client id and balance."""
    for prefix in ("/api/v1", "/api"):
        for by in (None, "stranger"):
            body = (await scene.ask("GET", f"{prefix}/station/status/{STATION}", by=by)).json()
            assert len(body["current_sessions"]) == 1
            assert scene.session_id not in str(body)
            assert VICTIM not in str(body["current_sessions"])
    page = await scene.owned("GET", f"/api/v1/station/status/{STATION}?client_id={VICTIM}")
    assert page["current_sessions"][0]["session_id"] == scene.session_id


async def by_anothers_token(scene: Scene) -> None:
    """Nobody's token opens another's door, by any path."""
    if scene.mode == "trust":
        return  # there are no keys in this server: no token names anybody
    for prefix in ("/api/v1", "/api"):
        for method, path, body in (
            ("GET", f"{prefix}/balance/{VICTIM}", None),
            ("GET", f"{prefix}/charging/status/{scene.session_id}", None),
            ("POST", f"{prefix}/charging/stop", {"session_id": scene.session_id}),
            ("POST", f"{prefix}/charging/stop", {"session_id": scene.session_id, "client_id": VICTIM}),
            ("POST", f"{prefix}/charging/start", {"client_id": VICTIM, "station_id": STATION, "connector_id": 2}),
            ("POST", f"{prefix}/balance/topup-qr", {"client_id": VICTIM, "amount": 100}),
        ):
            answer = await scene.ask(method, path, body, by="stranger")
            assert (answer.status_code, answer.json()["error"]) == (403, "forbidden"), (path, answer.json())
            assert str(OPENING) not in answer.text


async def by_no_token(scene: Scene) -> None:
    """A known session id shows progress where tokens are required, and stops nothing."""
    if scene.mode == "trust":
        return
    for prefix in ("/api/v1", "/api"):
        shown = (await scene.ask("GET", f"{prefix}/charging/status/{scene.session_id}?client_id={VICTIM}")).json()
        assert set(shown) - {"charging_power"} == {
            *("success", "session_id", "status", "energy_consumed", "energy_consumed_kwh", "current_energy", "message"),
            "session",
        }
        for method, path, body in (
            ("GET", f"{prefix}/balance/{VICTIM}", None),
            ("GET", f"{prefix}/balance/get", None),
            ("POST", f"{prefix}/charging/stop", {"session_id": scene.session_id, "client_id": VICTIM}),
            ("POST", f"{prefix}/charging/start", {"client_id": VICTIM, "station_id": STATION, "connector_id": 2}),
            ("GET", f"{prefix}/payment/status/1?client_id={VICTIM}", None),
            ("POST", f"{prefix}/payment/cancel/1?client_id={VICTIM}", None),
        ):
            answer = await scene.ask(method, path, body)
            assert (answer.status_code, answer.json()["error"]) == (401, "unauthorized"), (path, answer.json())
            assert answer.headers["WWW-Authenticate"] == "Bearer"


async def by_a_token_of_their_own_making(scene: Scene) -> None:
    """Not signed, signed with another secret, or out of date: one answer, which says nothing."""
    at = int(datetime.now(UTC).timestamp())
    claims = {**token_issuer.CLAIMS, "sub": VICTIM, "iat": at, "exp": at + 3600}
    made = (
        token_issuer.token({"alg": "none"}, claims, lambda _: b"x"),
        token_issuer.by_secret(claims, "another secret, of as many bits and more"),
        token_issuer.by_secret({**claims, "exp": at - 31}),
        token_issuer.by_secret({**claims, "role": "service_role"}),
        token_issuer.by_rsa(claims),
    )
    answers = set()
    for text in made:
        bearer = {"Authorization": f"Bearer {text}"}
        answer = await scene.ask("POST", "/api/v1/charging/start", {"station_id": STATION, "connector_id": 2}, **bearer)
        answers.add((answer.status_code, answer.text, answer.headers["WWW-Authenticate"]))
    ((status, _, challenge),) = answers
    assert (status, challenge) == (401, 'Bearer error="invalid_token"')


async def by_the_phones_socket(scene: Scene) -> None:
    """The same rules: the driver's name opens nothing where a token is required."""
    if scene.mode == "trust":
        return
    address = scene.server.http_url.removeprefix("http://")
    for query in (f"?client_id={VICTIM}", f"?client_id={VICTIM}&token={token_of('stranger')}", "?token=a.b.c"):
        async with phone(address, f"/api/v1/ws/locations{query}") as one:
            assert (await one.closed_with())[0] == 1008


ATTACKS: tuple[Callable[[Scene], Awaitable[None]], ...] = (
    by_http_2,
    by_two_lengths,
    by_a_second_name,
    by_a_forged_address,
    by_the_administrators_door,
    by_a_twin_of_the_charger,
    by_a_certificate_request,
    by_the_stations_page,
    by_anothers_token,
    by_no_token,
    by_a_token_of_their_own_making,
    by_the_phones_socket,
)


async def begin(scene: Scene) -> int:
    """The driver's charge, by phone; the transaction's id."""
    async with trio.open_nursery() as both:

        async def start() -> None:
            order = {"station_id": STATION, "connector_id": 1, "energy_kwh": 20}
            started = await scene.owned("POST", "/api/v1/charging/start", order)
            assert started["success"], started
            scene.session_id = started["session_id"]

        both.start_soon(start)
        tag = await scene.hand.remote_start()
    verdict, transaction_id = await scene.hand.start(tag, METER_START_WH, at=now())
    assert verdict == "Accepted"
    await scene.hand.meter(transaction_id, METER_STOP_WH, at=now())
    return transaction_id


async def obey_a_stop(scene: Scene, transaction_id: int) -> None:
    """The charger is asked to stop and does."""
    while True:
        call = await scene.hand.peer.next_call()
        if call[2] == "RemoteStopTransaction":
            break
        await scene.hand.refuse(call)
    await scene.hand.peer.send(3, call[1], {"status": "Accepted"})
    await scene.hand.stop(transaction_id, METER_STOP_WH, at=now())


async def the_end(scene: Scene, transaction_id: int) -> None:
    """The driver is billed by the register. In trust, who knows the session may end it, and is shown nobody's money."""
    stop = {"session_id": scene.session_id}
    answers: list[Any] = []
    async with trio.open_nursery() as both:

        async def ask() -> None:
            path = "/api/v1/charging/stop"
            asked = scene.ask("POST", path, stop) if scene.mode == "trust" else None
            answers.append((await asked).json() if asked is not None else await scene.owned("POST", path, stop))

        both.start_soon(ask)
        await obey_a_stop(scene, transaction_id)
    cost = RATE * (METER_STOP_WH - METER_START_WH) / 1000
    assert (answers[0]["success"], answers[0]["final_cost"]) == (True, cost)
    account = {"client_id", "new_balance", "current_balance"}
    assert account & answers[0].keys() == (set() if scene.mode == "trust" else account)
    again = await scene.owned("POST", "/api/v1/charging/stop", stop)
    assert (again["already_stopped"], again["client_id"], again["new_balance"]) == (True, VICTIM, OPENING - cost)


@pytest.mark.parametrize("mode", MODES)
async def test_a_stranger_gets_nothing(mode: str, database_url: str, tmp_path: Path) -> None:
    opened = {"http_public_url": "https://charge.example", **MODES[mode], **SETTINGS}
    async with trio.open_nursery() as nursery:
        server = Server(nursery, tmp_path, database_url=url_of(database_url), **opened)
        await server.start()
        await server.import_fleet(fleet_of([VICTIM], password=PASSWORD, street=""))
        peer = await peer_at(server, STATION, password=PASSWORD)
        async with peer.wire:
            scene = Scene(server, mode, Hand(peer))
            await scene.hand.boot()
            transaction_id = await begin(scene)
            for attack in ATTACKS:
                await attack(scene)
                progress = (await scene.ask("GET", f"/api/v1/charging/status/{scene.session_id}")).json()
                assert (progress["status"], progress["energy_consumed"]) == ("started", 2), attack
            await the_end(scene, transaction_id)
        warnings = [line for line in server.log().splitlines() if "spend that client's money" in line]
        assert len(warnings) == (1 if mode == "trust" else 0)
        assert_quiet(server)
        await server.check_ledger()
        await server.stop()
        nursery.cancel_scope.cancel()
