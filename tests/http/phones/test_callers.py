"""Whose a request is, in each mode, at each door of phones (rest-api §1.8, safe by default 5, design §9.17)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from evpower.errors import ServiceUnavailable
from evpower.http.wire.caller import Mode
from evpower.identifiers import ClientId
from evpower.identity.claims import ClaimRules
from evpower.identity.keys import Key
from evpower.identity.token import Token
from evpower.identity.verifier import Issuer, Verifier
from tests.http.conftest import body_of
from tests.http.fakes import OWNER, RUNNING_HERE, SESSION, STATION, STATION_VIEW, World
from tests.worlds import token_issuer as issuer
from tests.worlds.fakes import NOON, SetClock

START, STOP = "/api/v1/charging/start", "/api/v1/charging/stop"
STATUS, STATION_STATUS = f"/api/v1/charging/status/{SESSION}", f"/api/v1/station/status/{STATION}"
ORDER = {"station_id": STATION, "connector_id": 1}
MODES: tuple[Mode, ...] = ("trust", "optional", "required")
OTHER = ClientId("other")
EXPIRED: dict[str, Any] = {"exp": int(NOON.timestamp()) - 31}


def of(client: str = OWNER, /, **claims: Any) -> str:
    """A token of that client."""
    return issuer.by_secret({"sub": client, **claims})


class Asking:
    """A world in one mode, and the answers it gives."""

    def __init__(self, mode: Mode, verifier: Verifier | None = None) -> None:
        self.world = World(mode=mode, verifier=verifier)
        self.phone = self.world.client()

    async def post(self, path: str, body: dict[str, Any], token: str | None = None, status: int = 200) -> Any:
        return await body_of(await self.phone.post(path, json=body, headers=headers(token)), status)

    async def get(self, path: str, token: str | None = None, status: int = 200) -> Any:
        return await body_of(await self.phone.get(path, headers=headers(token)), status)


def headers(token: str | None) -> dict[str, str]:
    return {} if token is None else {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize("mode", MODES)
async def test_a_token_names_the_client_of_a_start(mode: Mode) -> None:
    asking = Asking(mode)
    await asking.post(START, ORDER, of())
    await asking.post(START, ORDER | {"client_id": OWNER}, of())
    assert [order.client_id for order in asking.world.charging.orders] == [OWNER, OWNER]


@pytest.mark.parametrize("mode", MODES)
async def test_another_client_beside_a_token_is_403(mode: Mode) -> None:
    asking = Asking(mode)
    assert (await asking.post(START, ORDER | {"client_id": OTHER}, of(), 403))["error"] == "forbidden"
    assert (await asking.get(f"/api/v1/balance/{OTHER}", of(), 403))["error"] == "forbidden"
    await asking.post(STOP, {"session_id": SESSION, "client_id": OTHER}, of(), 403)
    await asking.get(f"{STATUS}?client_id={OTHER}", of(), 403)
    await asking.get(f"{STATION_STATUS}?client_id={OTHER}", of(), 403)
    assert (asking.world.charging.orders, asking.world.charging.stops) == ([], [])


@pytest.mark.parametrize("token", [of(**EXPIRED), of(aud="x"), "a.b.c", "", issuer.by_secret(secret="s" * 32)])
@pytest.mark.parametrize("mode", MODES)
async def test_a_token_that_is_not_believed_counts_for_nothing_in_trust_and_is_401_elsewhere(
    mode: Mode, token: str
) -> None:
    asking, named = Asking(mode), ORDER | {"client_id": OWNER}
    assert (await asking.post(START, ORDER, token, 401))["error"] == "unauthorized"
    await asking.get("/api/v1/balance/get", token, 401)
    status = 200 if mode == "trust" else 401
    await asking.post(START, named, token, status)
    await asking.get(f"/api/v1/balance/{OWNER}", token, status)
    await asking.post(STOP, {"session_id": SESSION, "client_id": OWNER}, token, status)
    assert len(asking.world.charging.orders) == (1 if mode == "trust" else 0)


async def test_the_answer_to_a_bad_token_asks_for_a_good_one_and_says_no_more() -> None:
    phone = Asking("required").phone
    bodies = set()
    for token in (of(**EXPIRED), of(aud="x"), "a.b.c", issuer.by_secret(secret="s" * 32)):
        answer = await phone.post(START, json=ORDER, headers=headers(token))
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, 'Bearer error="invalid_token"')
        assert answer.headers["Cache-Control"] == "no-store"
        bodies.add(await answer.get_data())
    assert len(bodies) == 1
    answer = await phone.post(START, json=ORDER)
    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


@pytest.mark.parametrize("mode", MODES)
async def test_without_a_token_the_client_must_be_named_and_believed(mode: Mode) -> None:
    asking = Asking(mode)
    named = ORDER | {"client_id": OWNER}
    if mode == "required":
        for body in (ORDER, named):
            assert (await asking.post(START, body, status=401))["error"] == "unauthorized"
        await asking.get(f"/api/v1/balance/{OWNER}", status=401)
        await asking.post(STOP, {"session_id": SESSION, "client_id": OWNER}, status=401)
        assert (asking.world.charging.orders, asking.world.charging.stops) == ([], [])
        return
    await asking.post(START, named)
    await asking.get(f"/api/v1/balance/{OWNER}")
    body = await asking.post(START, ORDER, status=400)
    assert (body["error"], body["detail"][0]["field"]) == ("validation_error", "client_id")


@pytest.mark.parametrize(
    "authorization", ["Basic dXNlcjpwYXNz", "Bearer", "Token x", "bearer {token}", "BEARER   {token}  "]
)
async def test_only_a_bearers_token_is_one(authorization: str) -> None:
    phone = Asking("required").phone
    answer = await phone.post(START, json=ORDER, headers={"Authorization": authorization.format(token=of())})
    assert answer.status_code == (200 if "{token}" in authorization else 401)


async def test_a_token_in_an_address_is_none() -> None:
    """Identity §1: addresses are kept in logs; the phones' socket alone takes one there."""
    asking = Asking("required")
    await asking.get(f"/api/v1/balance/{OWNER}?token={of()}", status=401)
    assert "reserved_amount" not in await asking.get(f"{STATUS}?token={of()}")


async def test_two_tokens_are_none() -> None:
    phone = Asking("required").phone
    both = [("Authorization", f"Bearer {of()}"), ("Authorization", f"Bearer {of(OTHER)}")]
    assert (await phone.post(START, json=ORDER, headers=both)).status_code == 401


@pytest.mark.parametrize("mode", MODES)
async def test_the_balance_of_a_tokens_client(mode: Mode) -> None:
    asking = Asking(mode)
    assert (await asking.get("/api/v1/balance/get", of("someone")))["client_id"] == "someone"
    assert (await asking.get(f"/api/v1/balance/{OWNER}", of()))["client_id"] == OWNER
    await asking.get("/api/v1/balance/get", status=401)


@pytest.mark.parametrize("mode", MODES)
async def test_a_person_without_an_account_may_look_and_move_no_money(mode: Mode) -> None:
    asking, token = Asking(mode), of(is_anonymous=True)
    for body in (ORDER, ORDER | {"client_id": OWNER}):
        assert (await asking.post(START, body, token, 403))["error"] == "forbidden"
    assert asking.world.charging.orders == []
    await asking.get(f"/api/v1/balance/{OWNER}", token)
    await asking.get(STATUS, token)
    await asking.get("/api/v1/locations", token)


@pytest.mark.parametrize("mode", MODES)
async def test_a_token_of_ours_names_a_client_and_one_of_staff_none(mode: Mode) -> None:
    """Staff have doors of their own; a driver's money is not theirs to spend, whatever id they have."""
    asking = Asking(mode)
    ours = {"sub": OWNER, "aud": None}
    await asking.post(START, ORDER, issuer.by_ec({**ours, "type": "client"}, kid="own-1"))
    staff = issuer.by_ec({**ours, "type": "admin", "role": "operator"}, kid="own-1")
    for body in (ORDER, ORDER | {"client_id": OWNER}):
        await asking.post(START, body, staff, 403)
    await asking.post(STOP, {"session_id": SESSION}, staff, 403)
    await asking.get("/api/v1/balance/get", staff, 403)
    await asking.get(f"/api/v1/balance/{OWNER}", staff, 403)
    await asking.get("/api/v1/locations", staff)
    assert (len(asking.world.charging.orders), asking.world.charging.stops) == (1, [])


@pytest.mark.parametrize("mode", MODES)
async def test_who_was_revoked_is_let_in_no_more(mode: Mode) -> None:
    asking = Asking(mode)
    await asking.post(START, ORDER, of())
    asking.world.revoked.add(OWNER)
    await asking.post(START, ORDER, of(), 401)


@pytest.mark.parametrize("token", [None, of(**EXPIRED), "a.b.c", of(OTHER)])
@pytest.mark.parametrize("mode", MODES)
async def test_what_is_public_is_public_in_every_mode(mode: Mode, token: str | None) -> None:
    asking = Asking(mode)
    for path in (
        "/api/v1/locations",
        "/api/v1/locations/EVP-LOC-001",
        STATION_STATUS,
        "/health",
        "/readyz",
        "/version",
    ):
        await asking.get(path, token)


@pytest.mark.parametrize("mode", MODES)
async def test_a_session_on_a_stations_page_is_named_to_its_own_client_alone(mode: Mode) -> None:
    """Safe by default 5: a stranger stopped a charge with the id that the page showed."""
    asking = Asking(mode)
    asking.world.station_pages.answer = replace(STATION_VIEW, running=(RUNNING_HERE,))

    async def shown(token: str | None, query: str = "") -> bool:
        (session,) = (await asking.get(STATION_STATUS + query, token))["current_sessions"]
        assert "client_id" not in session
        assert session["energy_consumed"] == 10
        return "session_id" in session

    assert await shown(of())
    for token in (None, of(OTHER), of(**EXPIRED), "a.b.c"):
        assert not await shown(token)
    assert not await shown(None, f"?client_id={OTHER}")
    # A mode that believes the named client believes it here too.
    assert await shown(None, f"?client_id={OWNER}") is (mode != "required")


async def test_in_trust_mode_knowing_a_session_shows_all_of_it() -> None:
    body = await Asking("trust").get(STATUS)
    assert (body["client_id"], body["reserved_amount"], body["session"]["current_cost"]) == (OWNER, 270, 135)


async def test_in_optional_mode_a_session_is_shown_without_its_client() -> None:
    asking = Asking("optional")
    body = await asking.get(STATUS)
    assert ("client_id" in body, body["reserved_amount"]) == (False, 270)
    assert (await asking.get(f"{STATUS}?client_id={OWNER}"))["client_id"] == OWNER
    assert (await asking.get(STATUS, of()))["client_id"] == OWNER


@pytest.mark.parametrize("token", [None, of(**EXPIRED), "a.b.c"])
async def test_where_a_token_is_required_a_session_id_alone_shows_progress_alone(token: str | None) -> None:
    """Design §9.17, safe by default 5: energy, power and phase; a charge outlives the token."""
    asking = Asking("required")
    body = await asking.get(f"{STATUS}?client_id={OWNER}", token)
    assert body == {
        "success": True,
        "session_id": SESSION,
        "status": "started",
        "energy_consumed": 10,
        "energy_consumed_kwh": 10,
        "current_energy": 10,
        "charging_power": 21.5,
        "message": "Зарядка активна",
        "session": {
            "id": SESSION,
            "session_id": SESSION,
            "status": "started",
            "energy_consumed": 10,
            "energy_kwh": 10,
        },
    }
    assert (await asking.get(STATUS, of()))["reserved_amount"] == 270


@pytest.mark.parametrize("mode", MODES)
async def test_a_foreign_token_is_shown_no_session(mode: Mode) -> None:
    asking = Asking(mode)
    assert (await asking.get(STATUS, of(OTHER), 403))["error"] == "forbidden"
    assert (await asking.get("/api/v1/charging/status/unknown", of(OTHER), 404))["error"] == "session_not_found"


@pytest.mark.parametrize("mode", MODES)
async def test_a_stop_of_anothers_charge_is_403_and_of_an_unknown_one_404(mode: Mode) -> None:
    """Field ruling 6.3."""
    asking = Asking(mode)
    assert (await asking.post(STOP, {"session_id": SESSION}, of(OTHER), 403))["error"] == "forbidden"
    assert (await asking.post(STOP, {"session_id": "unknown"}, of(), 404))["error"] == "session_not_found"
    assert asking.world.charging.stops == []
    body = await asking.post(STOP, {"session_id": SESSION}, of())
    assert (body["client_id"], body["new_balance"], body["current_balance"]) == (OWNER, 297.5, 297.5)


async def test_in_trust_mode_a_stop_by_who_names_nobody_shows_nothing_of_the_client() -> None:
    """Safe by default 5: a stranger read client id and balance."""
    asking = Asking("trust")
    body = await asking.post(STOP, {"session_id": SESSION})
    assert (body["success"], body["final_cost"], body["refunded_amount"]) == (True, 202.5, 67.5)
    assert body.keys().isdisjoint({"client_id", "new_balance", "current_balance"})
    assert (await asking.post(STOP, {"session_id": SESSION, "client_id": OWNER}))["new_balance"] == 297.5


async def test_a_key_gives_nobody_the_balance_that_its_first_caller_was_shown() -> None:
    asking = Asking("trust")
    key = {"Idempotency-Key": "k-1"}
    for token, shown in ((of(), True), (None, False), (of(), True)):
        answer = await asking.phone.post(STOP, json={"session_id": SESSION}, headers=headers(token) | key)
        assert ("new_balance" in await body_of(answer)) is shown
    assert len(asking.world.charging.stops) == 1


async def test_in_optional_mode_a_stop_needs_its_client() -> None:
    asking = Asking("optional")
    await asking.post(STOP, {"session_id": SESSION}, status=404)
    await asking.post(STOP, {"session_id": SESSION, "client_id": OTHER}, status=403)
    assert asking.world.charging.stops == []
    assert (await asking.post(STOP, {"session_id": SESSION, "client_id": OWNER}))["new_balance"] == 297.5


class NoKeys:
    """A provider whose keys cannot be had."""

    async def find(self, token: Token) -> Key | None:
        raise ServiceUnavailable

    def holds(self, key: Key) -> bool:
        raise ServiceUnavailable


@pytest.mark.parametrize("mode", MODES)
async def test_while_keys_cannot_be_had_only_what_needs_none_is_answered(mode: Mode) -> None:
    """503, never "accept" (identity §1); public pages stay public."""
    asking = Asking(mode, Verifier([Issuer(NoKeys(), ClaimRules())], SetClock()))
    assert (await asking.post(START, ORDER, of(), 503))["error"] == "service_unavailable"
    await asking.post(START, ORDER | {"client_id": OWNER}, of(), 200 if mode == "trust" else 503)
    await asking.get("/api/v1/locations", of())
    await asking.get(STATUS, of())


OLD = ClientId("old-id")


@pytest.mark.parametrize("mode", MODES)
async def test_a_token_of_an_id_that_was_merged_acts_as_the_survivor(mode: Mode) -> None:
    """Also beside either of the two names (roadmap/identity §2)."""
    asking = Asking(mode)
    asking.world.aliases[OLD] = OWNER
    for named in ({}, {"client_id": OLD}, {"client_id": OWNER}):
        await asking.post(START, ORDER | named, of(OLD))
        await asking.post(STOP, {"session_id": SESSION} | named, of(OLD))
    await asking.post(START, ORDER | {"client_id": OLD}, of())
    assert [order.client_id for order in asking.world.charging.orders] == [OWNER] * 4
    assert len(asking.world.charging.stops) == 3
    await asking.post(START, ORDER | {"client_id": OTHER}, of(OLD), 403)
    assert (await asking.get(STATUS, of(OLD)))["session_id"] == SESSION


async def test_a_name_of_an_id_that_was_merged_is_the_survivors() -> None:
    asking = Asking("trust")
    asking.world.aliases[OLD] = OWNER
    await asking.post(START, ORDER | {"client_id": OLD})
    await asking.post(STOP, {"session_id": SESSION, "client_id": OLD})
    assert [order.client_id for order in asking.world.charging.orders] == [OWNER]
    assert (await asking.get(f"/api/v1/balance/{OLD}"))["client_id"] == OWNER
    assert (await asking.get(f"{STATUS}?client_id={OLD}"))["session_id"] == SESSION
