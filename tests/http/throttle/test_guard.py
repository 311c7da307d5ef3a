"""Who is held to which limit, what the 101st request gets, and what is never refused (contract/identity §5)."""

from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
import trio
import trio.lowlevel
from quart import Blueprint, Response
from trio.testing import MockClock

from evpower.http.operators.admin import AdminDoor
from evpower.http.wire.answers import Answer, written
from evpower.http.wire.caller import Mode
from evpower.http.wire.rights import needs
from evpower.identifiers import ClientId
from evpower.network.list_cache import NetworkPicture
from evpower.rate_limits.limits import ADDRESS, STAFF, Counted
from evpower.staff.rights import Right
from tests.http.conftest import body_of
from tests.http.fakes import SESSION, World
from tests.worlds import token_issuer as issuer
from tests.worlds.fakes import NOON

ANN, BEN = "/api/v1/balance/ann", "/api/v1/balance/ben"
START, LIST = "/api/v1/charging/start", "/api/v1/locations"
HOME, AWAY = "203.0.113.5", "198.51.100.9"
TOKEN = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
TOO_MANY = {
    "success": False,
    "error": "rate_limit_exceeded",
    "message": "Слишком много запросов. Попробуйте через 60 секунд",
    "retry_after": 60,
}


class Caller:
    """Somebody with an address."""

    def __init__(self, world: World | None = None, address: str = HOME) -> None:
        self.world = world or World()
        self.address = address
        self._phone = self.world.client()

    async def call(self, path: str = ANN, method: str = "GET", **how: Any) -> Response:
        how.setdefault("scope_base", {"client": (self.address, 1)})
        return await self._phone.open(path, method=method, **how)

    async def statuses(self, times: int, path: str = ANN, **how: Any) -> list[int]:
        return [(await self.call(path, **how)).status_code for _ in range(times)]

    async def start(self, client_id: object = "ann", **how: Any) -> Response:
        body = {"client_id": client_id, "station_id": "EVP-001-01", "connector_id": 1}
        return await self.call(START, "POST", json=body, **how)

    async def use_up_address(self, *, but: int = 0) -> None:
        """As if so many requests had come from it."""
        for _ in range(ADDRESS.most - but):
            assert (await self.world.rate_limits.take(Counted(ADDRESS, self.address))).allowed

    def at(self, address: str) -> Caller:
        return Caller(self.world, address)


def rate_headers(response: Response) -> tuple[str | None, ...]:
    names = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset", "Retry-After")
    return tuple(response.headers.get(name) for name in names)


@pytest.fixture
def caller() -> Caller:
    return Caller()


async def test_the_hundred_and_first_request_of_a_minute_is_429_to_the_letter(caller: Caller) -> None:
    assert await caller.statuses(100) == [200] * 100
    refused = await caller.call()
    assert await body_of(refused, 429) == TOO_MANY
    assert rate_headers(refused) == ("100", "0", str(int(NOON.timestamp()) + 60), "60")


async def test_every_counted_answer_has_what_is_left_and_no_wait(caller: Caller) -> None:
    minute_ends = str(int(NOON.timestamp()) + 60)
    assert rate_headers(await caller.call()) == ("100", "99", minute_ends, None)
    caller.world.clock.advance(20)
    assert rate_headers(await caller.call()) == ("100", "98", minute_ends, None)
    assert rate_headers(await caller.call(LIST)) == ("6000", "5997", minute_ends, None)


@pytest.mark.parametrize("waited_s", [1, 17.25, 59, 59.999])
async def test_body_text_and_header_say_the_same_wait_and_who_waits_gets_in(caller: Caller, waited_s: float) -> None:
    await caller.statuses(100)
    caller.world.clock.advance(waited_s)
    refused = await caller.call()
    wait = (await body_of(refused, 429))["retry_after"]
    assert wait == max(1, int(60 - waited_s + 0.999))
    assert refused.headers["Retry-After"] == str(wait)
    assert f" {wait} " in (await refused.get_json())["message"]
    caller.world.clock.advance(wait)
    assert (await caller.call()).status_code == 200


@pytest.mark.parametrize("path", ["/api/v1/charging/stop", "/api/charging/stop"])
async def test_a_stop_is_answered_at_that_moment(caller: Caller, path: str) -> None:
    for _ in range(100):
        await caller.start()
    assert (await caller.start()).status_code == 429
    stopped = await caller.call(path, "POST", json={"session_id": SESSION, "client_id": "6f1c"})
    assert stopped.status_code == 200
    assert rate_headers(stopped) == (None,) * 4


async def test_path_query_and_body_name_the_same_client(caller: Caller) -> None:
    await caller.statuses(90)
    await caller.statuses(8, "/api/balance/ann")
    assert rate_headers(await caller.start())[1] == "1"
    assert rate_headers(await caller.call("/api/v1/charging/status/0b6e?client_id=ann"))[1] == "0"
    assert (await caller.call()).status_code == 429
    assert (await caller.start()).status_code == 429


async def test_a_stranger_elsewhere_cannot_use_up_a_clients_window(caller: Caller) -> None:
    assert (await caller.at(AWAY).statuses(101))[-1] == 429
    assert await caller.statuses(1) == [200]


async def test_one_client_does_not_use_up_anothers_window(caller: Caller) -> None:
    assert (await caller.statuses(101))[-1] == 429
    assert await caller.statuses(1, BEN) == [200]


async def test_a_refused_request_reaches_no_service(caller: Caller) -> None:
    await caller.statuses(100)
    assert (await caller.start()).status_code == 429
    assert caller.world.charging.orders == []


async def test_whoever_names_ever_new_clients_is_held_to_the_addresss_limit(caller: Caller) -> None:
    await caller.use_up_address(but=100)
    for number in range(100):
        assert (await caller.call(f"/api/v1/balance/client-{number}")).status_code == 200
    assert rate_headers(await caller.call("/api/v1/balance/one-more"))[0] == "6000"
    assert (await caller.start("one-more")).status_code == 429


async def test_the_6001st_public_read_of_an_address_is_429_and_another_address_is_free(caller: Caller) -> None:
    paths = (LIST, "/api/v1/stations", "/api/v1/station/status/EVP-001-01", "/api/v1/nowhere")
    await caller.use_up_address(but=4)
    assert [(await caller.call(path)).status_code for path in paths] == [200, 200, 200, 404]
    assert [(await caller.call(path)).status_code for path in paths] == [429] * 4
    assert (await caller.at(AWAY).call(LIST)).status_code == 200


async def test_a_network_of_ipv6_is_one_address(caller: Caller) -> None:
    one, neighbour, other = (caller.at(each) for each in ("2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"))
    await one.statuses(100)
    assert (await neighbour.call()).status_code == 429
    assert rate_headers(await neighbour.call(LIST))[1] == "5898"
    assert (await other.call()).status_code == 200


async def test_an_address_made_up_gains_nothing_and_a_trusted_proxy_names_it(caller: Caller) -> None:
    await caller.statuses(100)
    assert (await caller.call(headers={"X-Forwarded-For": AWAY})).status_code == 429
    proxy = caller.at("127.0.0.1")
    assert (await proxy.call(headers={"X-Forwarded-For": HOME})).status_code == 429
    assert (await proxy.call(headers={"X-Forwarded-For": AWAY})).status_code == 200


@pytest.mark.parametrize("name", [None, 7, "", "a b", "x" * 65, ["ann"], "ключ"])
async def test_what_can_be_no_client_is_counted_by_address_alone(caller: Caller, name: object) -> None:
    response = await caller.start(name)
    assert (response.status_code, rate_headers(response)[0]) == (400, "6000")


@pytest.mark.parametrize("body", [b"{", b"[1]", b"\xff", b'{"client_id": 1e999}'])
async def test_a_body_that_cannot_be_read_is_the_routes_to_refuse(caller: Caller, body: bytes) -> None:
    assert (await caller.call(START, "POST", data=body)).status_code == 400
    refreshed = await caller.call("/api/v1/locations/EVP-LOC-001/refresh-status", "POST", data=body)
    assert refreshed.status_code == 200


async def test_the_servers_own_state_and_preflights_are_not_counted(caller: Caller) -> None:
    await caller.use_up_address()
    for path in ("/health", "/readyz", "/version"):
        assert rate_headers(await caller.call(path)) == (None,) * 4
    assert (await caller.call(LIST, "OPTIONS")).status_code == 204


async def test_internal_services_are_not_counted() -> None:
    world = World(rate_limit_exempt=(ip_network("203.0.113.0/24"),))
    caller = Caller(world)
    assert await caller.statuses(101) == [200] * 101
    assert rate_headers(await caller.call()) == (None,) * 4
    assert (await caller.at(AWAY).statuses(101))[-1] == 429


async def test_a_page_may_read_the_headers_also_of_a_429() -> None:
    caller = Caller(World(allowed_origins=("https://app.example",)))
    await caller.statuses(100)
    refused = await caller.call(headers={"Origin": "https://app.example"})
    exposed = refused.headers["Access-Control-Expose-Headers"].split(", ")
    assert refused.status_code == 429
    assert {"X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset"} <= set(exposed)


async def test_staff_have_600_and_a_wrong_token_uses_none_of_them() -> None:
    routes = Blueprint("things", __name__, url_prefix="/things")

    @routes.get("/<thing>")
    @needs(Right.READ)
    async def thing(thing: str) -> Response:
        return written(Answer({"success": True}))

    caller, path = Caller(World(admin=AdminDoor(TOKEN), operations=(routes,))), "/api/v1/admin/things/1?client_id=ann"
    wrong, right = ({"Authorization": f"Bearer {token}"} for token in ("wrong" * 8, TOKEN))
    assert await caller.statuses(10, path, headers=wrong) == [401] * 10
    assert rate_headers(await caller.call(path, headers=wrong))[:2] == ("6000", "5989")
    assert rate_headers(await caller.call(path, headers=right))[:2] == ("600", "599")
    for _ in range(599):
        await caller.world.rate_limits.take(Counted(STAFF, "admin"))
    refused = await caller.at(AWAY).call(path, headers=right)
    assert (refused.status_code, rate_headers(refused)[0]) == (429, "600")


def token(client: str = "ann", **claims: Any) -> dict[str, str]:
    return {"Authorization": f"Bearer {issuer.by_secret({'sub': client, **claims})}"}


async def test_a_client_who_proves_it_has_one_window_wherever_they_are(caller: Caller) -> None:
    assert rate_headers(await caller.call(LIST, headers=token()))[:2] == ("100", "99")
    assert await caller.statuses(98, headers=token()) == [200] * 98
    assert rate_headers(await caller.at(AWAY).call(headers=token()))[:2] == ("100", "0")
    assert (await caller.call(LIST, headers=token())).status_code == 429
    assert (await caller.at(AWAY).start(headers=token())).status_code == 429
    assert (await caller.call(LIST, headers=token("ben"))).status_code == 200


async def test_who_proves_it_and_who_names_it_use_up_nothing_of_each_other(caller: Caller) -> None:
    assert (await caller.statuses(101))[-1] == 429
    assert (await caller.call(headers=token())).status_code == 200
    await caller.use_up_address(but=101)
    assert (await caller.call(LIST)).status_code == 429
    assert (await caller.call(LIST, headers=token())).status_code == 200, "nor does a crowd behind one address"


@pytest.mark.parametrize("mode", ["trust", "optional", "required"])
async def test_a_token_that_is_not_believed_is_counted_by_address(mode: Mode) -> None:
    caller = Caller(World(mode=mode))
    expired = token(exp=int(NOON.timestamp()) - 31)
    refused = await caller.call("/api/v1/balance/get", headers=expired)
    assert (refused.status_code, rate_headers(refused)[:2]) == (401, ("6000", "5999"))
    await caller.use_up_address(but=1)
    assert (await caller.call("/api/v1/balance/get", headers=expired)).status_code == 429


async def test_a_person_without_an_account_proves_no_more_than_an_address(caller: Caller) -> None:
    answers = [await caller.call(LIST, headers=token(each, is_anonymous=True)) for each in ("x", "y")]
    assert [rate_headers(each)[:2] for each in answers] == [("6000", "5999"), ("6000", "5998")]


async def test_where_names_are_not_believed_none_is_counted() -> None:
    caller = Caller(World(mode="required"))
    assert rate_headers(await caller.call())[:2] == ("6000", "5999")


async def test_each_refusal_is_counted_by_kind(caller: Caller) -> None:
    await caller.statuses(103)
    assert caller.world.rate_limits.refused == {"named_client": 3}


class SlowLocations:
    """Reading the list holds the loop for `seconds` each time."""

    def __init__(self, caller: Caller, seconds: float) -> None:
        self._seconds, self._cpu = seconds, caller.world.cpu
        self._picture = caller.world.locations.picture
        caller.world.locations.picture = self.picture  # type: ignore[method-assign]

    async def picture(self) -> tuple[NetworkPicture, bool]:
        await trio.lowlevel.checkpoint()
        self._cpu.work(self._seconds)
        return await self._picture()


async def test_an_address_that_holds_the_loop_too_long_is_429_and_others_are_not(
    caller: Caller, mock_clock: MockClock
) -> None:
    SlowLocations(caller, 0.25)
    stations = "/api/v1/stations"
    assert await caller.statuses(1, LIST) == [200]
    refused = await caller.call(stations)
    wait = (await body_of(refused, 429))["retry_after"]
    assert rate_headers(refused) == ("6000", "0", str(int(NOON.timestamp()) + wait), str(wait))
    assert wait == 1
    assert await caller.statuses(1, LIST) == [429]
    assert await caller.at(AWAY).statuses(1, LIST) == [200]
    assert (await caller.start()).status_code == 200, "what a driver asks for by name is not a public read"
    stopped = await caller.call("/api/v1/charging/stop", "POST", json={"session_id": SESSION, "client_id": "6f1c"})
    assert stopped.status_code == 200
    mock_clock.jump(wait)
    assert await caller.statuses(1, stations) == [200]
    assert caller.world.rate_limits.refused == {"loop_time": 2}


async def test_an_internal_service_may_hold_the_loop(mock_clock: MockClock) -> None:
    caller = Caller(World(rate_limit_exempt=(ip_network("203.0.113.0/24"),)))
    SlowLocations(caller, 0.25)
    assert await caller.statuses(3, LIST) == [200] * 3


async def test_looking_at_balances_makes_up_twenty_clients_a_minute_and_address(caller: Caller) -> None:
    caller.world.billing.unknown = {ClientId(f"client-{number}") for number in range(40)}
    paths = [f"/api/v1/balance/client-{number}" for number in range(40)]
    created = [await caller.call(path) for path in paths[:20]]
    assert [each.status_code for each in created] == [200] * 20
    assert rate_headers(created[-1])[:2] == ("100", "99")
    refused = await caller.call(paths[20])
    assert await body_of(refused, 429) == TOO_MANY
    assert rate_headers(refused)[:2] == ("20", "0")
    assert len(caller.world.billing.unknown) == 20
    assert await caller.statuses(1, paths[0]) == [200], "a client who is there is never refused"
    assert await caller.at(AWAY).statuses(1, paths[20]) == [200]
    caller.world.clock.advance(60)
    assert await caller.statuses(1, paths[21]) == [200]
