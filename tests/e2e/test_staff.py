"""A started server and the people who run it, with tokens of their own: own stations, money, a second factor."""

from __future__ import annotations

import base64
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
import pytest
import trio

from evpower.staff.totp import code_of, step_of
from tests.e2e.conftest import SETTINGS, url_of
from tests.e2e.process import Server
from tests.e2e.street import CLIENT, FLEET, STATION, WITHIN_S
from tests.worlds.token_issuer import SECRET, by_secret

LOCATION = "EVP-LOC-E2E"
PHONE = "+996700000002"
BALANCE = f"/clients/{CLIENT}/balance"
CHANGE = {"amount": 100, "reason": "жалоба 7"}


@pytest.fixture
async def server(database_url: str, tmp_path: Path) -> AsyncIterator[Server]:
    """A server that believes the provider's tokens and asks administrators for a second factor."""
    settings = {**SETTINGS, "auth_jwt_secret": SECRET, "auth_staff_totp": "true", "http_admin_allow": "127.0.0.0/8"}
    async with trio.open_nursery() as nursery:
        server = Server(nursery, tmp_path, database_url=url_of(database_url), **settings)
        await server.start()
        await server.import_fleet(FLEET)
        yield server
        await server.check_ledger()
        await server.stop()
        nursery.cancel_scope.cancel()


def token(subject: str, *, phone: str = "", lives_s: int = 600) -> str:
    now = int(time.time())
    return by_secret({"sub": subject, "aud": "authenticated", "phone": phone, "iat": now, "exp": now + lives_s})


async def ask(server: Server, method: str, path: str, token: str, status: int = 200, **request: Any) -> Any:
    headers = {"Authorization": f"Bearer {token}"}
    async with httpx2.AsyncClient(base_url=server.http_url, timeout=WITHIN_S) as client:
        response = await client.request(method, f"/api/v1/admin{path}", headers=headers, **request)
    assert response.status_code == status, response.text
    answer = response.json()
    return answer["data"] if answer["success"] else answer


async def test_an_operator_sees_what_is_theirs_from_the_moment_it_is_given(server: Server) -> None:
    await server.control("POST", "users", json={"role": "operator", "id": "U1"})
    operator = token("U1")
    assert (await ask(server, "GET", "/stations", operator))["total"] == 0
    assert (await ask(server, "GET", f"/stations/{STATION}", operator, 403))["reason"] == "not_own"
    await server.control("PUT", f"users/U1/locations/{LOCATION}", json={})
    assert (await ask(server, "GET", f"/stations/{STATION}", operator))["location_id"] == LOCATION
    refused = await ask(server, "POST", f"/stations/{STATION}/operations/reset", operator, json={})
    assert refused["error"] == "station_offline"
    assert (await ask(server, "PUT", f"/stations/{STATION}", operator, 403, json={}))["reason"] == "no_right"


async def test_who_is_switched_off_is_refused_from_the_next_request_on(server: Server) -> None:
    """First by their row (403); as soon as the process has heard of it their token is not believed either (401)."""
    await server.control("POST", "users", json={"role": "admin", "id": "U1"})
    hers = token("U1")
    await ask(server, "GET", "/stations", hers)
    await server.control("DELETE", "users/U1")
    async with httpx2.AsyncClient(base_url=server.http_url, timeout=WITHIN_S) as client:
        for _ in range(3):
            response = await client.get("/api/v1/admin/stations", headers={"Authorization": f"Bearer {hers}"})
            assert response.status_code in (401, 403)


@pytest.mark.parametrize("who", ["expired", "forged", "nobody", "driver"])
async def test_no_other_token_opens_the_door(server: Server, who: str) -> None:
    await server.control("POST", "users", json={"role": "superadmin", "id": "U1"})
    tokens = {
        "expired": (token("U1", lives_s=-31), 401),
        "forged": (by_secret({"sub": "U1", "aud": "authenticated", "exp": 2**31}, "another secret" * 3), 401),
        "nobody": (token("U2"), 403),
        "driver": (token(CLIENT), 403),
    }
    await ask(server, "GET", "/stations", *tokens[who])


async def test_a_superadministrator_moves_money_after_a_code_and_under_their_name(server: Server) -> None:
    person = await server.control("POST", "users", json={"role": "superadmin", "phone": PHONE})
    hers = token("a-supabase-uuid", phone=PHONE.removeprefix("+"))
    assert (await ask(server, "PUT", BALANCE, hers, 403, json=CHANGE))["reason"] == "totp_required"
    enrolment = await server.control("POST", f"users/{person['id']}/totp", json={})
    secret = base64.b32decode(enrolment["secret"])
    step = step_of(datetime.now(UTC))
    await server.control("POST", f"users/{person['id']}/totp/confirm", json={"code": code_of(secret, step)})
    await ask(server, "POST", "/totp", hers, json={"code": code_of(secret, step + 1)})
    done = await ask(server, "PUT", BALANCE, hers, json=CHANGE)
    assert done["new_balance"] - done["old_balance"] == 100
    assert f"actor=operator:{person['id']}, PUT /api/v1/admin{BALANCE}" in server.log()
    assert f"ADMIN_ADJUSTMENT: client_id={CLIENT}, amount=100.00, actor=operator:{person['id']}" in server.log()
    assert enrolment["secret"] not in server.log()
