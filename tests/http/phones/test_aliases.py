"""The first paths, `/api/…`: the same doors, which say that they are deprecated (contract/rest-api §8, §1.9)."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from quart import Response

from evpower.billing.errors import InsufficientBalance
from evpower.charging.session import StoppedSession
from evpower.db.pool import Pool
from evpower.http.wire.caller import Mode
from tests.http.conftest import body_of
from tests.http.fakes import OWNER, RUNNING_HERE, SESSION, SETTLED, STATION, STATION_VIEW, SUNSET, Phone, World
from tests.http.phones.test_callers import MODES, headers, of
from tests.http.test_payment_doors import CARD_FIELDS, Door
from tests.worlds.payments import CLIENT, open_world

ORDER = {"client_id": OWNER, "station_id": STATION, "connector_id": 1}
STOPPED = {"session_id": SESSION, "client_id": OWNER}
#: Of §8, those that need no payments.
ALIASES: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("POST", "/charging/start", ORDER),
    ("POST", "/charging/stop", STOPPED),
    ("GET", f"/charging/status/{SESSION}", None),
    ("GET", f"/station/status/{STATION}", None),
    ("GET", f"/balance/{OWNER}", None),
)
#: And those that do.
TOP_UP = {"client_id": CLIENT, "amount": 5}
PAYMENT_ALIASES: tuple[tuple[str, str, dict[str, Any] | None], ...] = (
    ("POST", "/balance/topup-qr", TOP_UP),
    ("POST", "/balance/topup-card", TOP_UP | CARD_FIELDS),
    ("POST", "/balance/h2h-payment", TOP_UP | CARD_FIELDS),
    ("POST", "/balance/token-payment", TOP_UP | {"card_token": "t", "email": "payer@example.org"}),
    ("GET", "/payment/status/unknown", None),
    ("POST", "/payment/status-check/unknown", None),
    ("POST", "/payment/webhook", {}),
    ("POST", "/payment/create-token", {"days": 15}),
    ("POST", "/payment/h2h-payment", TOP_UP | CARD_FIELDS),
    ("POST", "/payment/token-payment", TOP_UP | {"card_token": "t", "email": "payer@example.org"}),
    ("GET", "/payment/h2h-status/unknown", None),
    ("POST", "/payment/cancel/unknown", None),
)


@pytest.fixture
async def door(pool: Pool) -> AsyncIterator[Door]:
    async with open_world(pool) as world:
        yield Door(world)


async def sent(phone: Phone, method: str, path: str, body: Any, token: str | None = None) -> Response:
    json = {} if body is None else {"json": body}
    return await phone.open(path, method=method, headers=headers(token), **json)


def assert_deprecated(answer: Response) -> None:
    assert answer.headers["X-Deprecated"] == "true"
    assert answer.headers["X-Deprecated-Message"] == "Use /api/v1"
    assert answer.headers["X-Deprecated-Sunset"] == SUNSET
    assert answer.headers["X-API-Deprecated-Warning"]
    assert answer.headers["X-API-Version"] == "1.0"


@pytest.mark.parametrize(("method", "path", "body"), ALIASES)
async def test_an_alias_answers_what_v1_does(method: str, path: str, body: Any) -> None:
    now, old = World().client(), World().client()
    expected, answer = await sent(now, method, f"/api/v1{path}", body), await sent(old, method, f"/api{path}", body)
    assert (answer.status_code, await answer.get_json()) == (expected.status_code, await expected.get_json())
    assert answer.status_code == 200
    assert_deprecated(answer)
    assert "X-Deprecated" not in expected.headers


async def test_a_last_day_that_nobody_has_decided_is_not_named() -> None:
    answer = await sent(World(legacy_sunset="").client(), "GET", f"/api/balance/{OWNER}", None)
    assert answer.headers["X-Deprecated"] == "true"
    assert "X-Deprecated-Sunset" not in answer.headers


@pytest.mark.parametrize(("method", "path", "body"), PAYMENT_ALIASES)
async def test_a_payment_alias_answers_what_v1_does(door: Door, method: str, path: str, body: Any) -> None:
    expected = await sent(door.phone, method, f"/api/v1{path}", body)
    answer = await sent(door.phone, method, f"/api{path}", body)
    assert (answer.status_code, await answer.get_json()) == (expected.status_code, await expected.get_json())
    assert (await answer.get_json()).get("error") not in ("not_found", "method_not_allowed")
    assert_deprecated(answer)
    assert "X-Deprecated" not in expected.headers


@pytest.mark.parametrize(("method", "path", "body"), ALIASES)
@pytest.mark.parametrize("mode", MODES)
async def test_an_alias_has_the_callers_rules(mode: Mode, method: str, path: str, body: Any) -> None:
    """Safe by default 5: by the old path nobody gets in who does not by the new one."""
    for token in (None, of("other"), "a.b.c", of()):
        now, old = World(mode=mode).client(), World(mode=mode).client()
        expected = await sent(now, method, f"/api/v1{path}", body, token)
        answer = await sent(old, method, f"/api{path}", body, token)
        assert (answer.status_code, await answer.get_json()) == (expected.status_code, await expected.get_json())
        assert_deprecated(answer)


async def test_an_alias_names_a_session_to_its_own_client_alone() -> None:
    world = World()
    world.station_pages.answer = replace(STATION_VIEW, running=(RUNNING_HERE,))
    path = f"/api/station/status/{STATION}"
    (session,) = (await body_of(await sent(world.client(), "GET", path, None)))["current_sessions"]
    assert "session_id" not in session
    (session,) = (await body_of(await sent(world.client(), "GET", path, None, of())))["current_sessions"]
    assert session["session_id"] == SESSION


async def test_by_the_old_path_a_stop_that_names_nobody_shows_no_balance() -> None:
    world = World()
    world.charging.stop_answer = StoppedSession(SETTLED, already_stopped=False)
    body = await body_of(await sent(world.client(), "POST", "/api/charging/stop", {"session_id": SESSION}))
    assert body.keys().isdisjoint({"client_id", "new_balance", "current_balance"})


async def test_the_balance_of_a_tokens_client_is_by_the_old_path_too() -> None:
    phone = World().client()
    assert (await body_of(await sent(phone, "GET", "/api/balance/get", None, of())))["client_id"] == OWNER
    await body_of(await sent(phone, "GET", "/api/balance/get", None), 401)


@pytest.mark.parametrize(
    ("limit", "more"),
    [
        ({"amount_som": 270.5}, {"max_allowed_amount": 50, "requested_amount": 270.5}),
        ({"amount_som": 50, "energy_kwh": 20}, {}),
        ({"energy_kwh": 20}, {}),
        ({}, {}),
    ],
)
async def test_a_start_above_the_balance_says_more_to_the_first_app_alone(
    limit: dict[str, Any], more: dict[str, Any]
) -> None:
    for path, extra in (("/api/v1/charging/start", {}), ("/api/charging/start", more)):
        world = World()
        world.charging.start_answer = InsufficientBalance(50_00, 270_00)
        assert await body_of(await sent(world.client(), "POST", path, ORDER | limit)) == {
            "success": False,
            "error": "insufficient_balance",
            "message": "Недостаточно средств. Баланс: 50 сом, требуется: 270 сом",
            "current_balance": 50,
            "required_amount": 270,
            "missing_amount": 220,
            **extra,
        }


async def test_a_key_is_obeyed_by_the_old_path() -> None:
    """Also for a refusal, with what it says more."""
    world = World()
    phone, key = world.client(), {"Idempotency-Key": "k-1"}
    for _ in range(2):
        answer = await phone.post("/api/charging/start", json=ORDER, headers=key)
        assert ((await body_of(answer))["session_id"], answer.headers["Idempotency-Key"]) == (SESSION, "k-1")
    assert len(world.charging.orders) == 1
    await body_of(await phone.post("/api/charging/start", json=ORDER | {"connector_id": 2}, headers=key), 409)
    world.charging.start_answer = InsufficientBalance(50_00, 270_00)
    above, key = ORDER | {"amount_som": 60}, {"Idempotency-Key": "k-2"}
    refused = [await body_of(await phone.post("/api/charging/start", json=above, headers=key)) for _ in range(2)]
    assert refused[0] == refused[1]
    assert refused[0]["max_allowed_amount"] == 50
    assert len(world.charging.orders) == 2


async def test_refusals_of_an_alias_say_that_it_is_deprecated() -> None:
    phone = World(mode="required").client()
    for path, body, status in (("/api/charging/start", ORDER, 401), ("/api/charging/stop", [], 400)):
        answer = await phone.post(path, json=body)
        assert answer.status_code == status
        assert_deprecated(answer)


async def test_aliases_are_counted_as_v1_is() -> None:
    """§8: a naive implementation forgets it. The stop alone is outside."""
    phone = World().client()
    for method, path, body in ALIASES:
        counted = "X-RateLimit-Limit" in (await sent(phone, method, f"/api/v1{path}", body)).headers
        assert ("X-RateLimit-Limit" in (await sent(phone, method, f"/api{path}", body)).headers) is counted
        assert counted is not path.endswith("stop")
    for number in range(101):
        path = ("/api/v1", "/api")[number % 2]
        answer = await sent(phone, "GET", f"{path}/balance/someone", None)
    assert answer.status_code == 429
    assert_deprecated(await sent(phone, "GET", "/api/balance/someone", None))


@pytest.mark.parametrize("path", ["/api/locations", "/api/stations", "/api/ws/locations", "/api/v2", "/api/admin/x"])
async def test_there_is_no_other_alias(path: str) -> None:
    assert (await body_of(await World().client().get(path), 404))["error"] == "not_found"


@pytest.mark.parametrize(("method", "path", "body"), ALIASES)
async def test_there_is_no_second_version(method: str, path: str, body: Any) -> None:
    answer = await sent(World().client(), method, f"/api/v2{path}", body)
    assert (await body_of(answer, 404))["error"] == "not_found"
    assert "X-Deprecated" not in answer.headers
