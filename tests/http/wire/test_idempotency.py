"""Idempotency-Key (billing-rules §8, design §9.7): one effect, one answer."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import psycopg
import pytest
import trio
from quart import Response

from evpower.billing.errors import InsufficientBalance
from evpower.charging.session import StoppedSession
from evpower.db.pool import Pool
from evpower.db.unit_of_work import unit_of_work
from evpower.errors import IdempotencyMismatch
from evpower.http.wire.answers import Answer
from evpower.http.wire.idempotency import Idempotency, KeyedWork, body_hash
from evpower.http.wire.requests import parse_object
from evpower.idempotency.claim import IdempotencyClaim, StoredAnswer
from evpower.idempotency.keys import KeyRows, claim_key
from evpower.identifiers import SessionId
from tests.http.conftest import body_of
from tests.http.fakes import OWNER, RESERVED, SESSION, SETTLED, STARTED, STATION, Phone, World
from tests.worlds.fakes import NOON, SetClock

START = "/api/v1/charging/start"
STOP = "/api/v1/charging/stop"
ORDER = {"client_id": OWNER, "station_id": STATION, "connector_id": 1, "energy_kwh": 20}
KEY = "5f0c2b1e-7a55-4c53-9a2f-0c8f3a1f9d11"


async def start(client: Phone, order: dict[str, Any] | None = None, key: str = KEY) -> Response:
    return await client.post(START, json=order or ORDER, headers={"Idempotency-Key": key})


async def test_the_key_is_echoed(client: Phone) -> None:
    assert (await start(client)).headers["Idempotency-Key"] == KEY


async def test_the_same_request_again_gets_the_same_answer_and_does_nothing(world: World, client: Phone) -> None:
    first, second = await start(client), await start(client)
    assert await first.get_data() == await second.get_data()
    assert len(world.charging.orders) == 1


async def test_key_order_and_number_spelling_make_no_difference(world: World, client: Phone) -> None:
    await start(client)
    respelled = b'{"energy_kwh":20.0,"connector_id":1,"station_id":"EVP-001-01","client_id":"6f1c"}'
    await body_of(await client.post(START, data=respelled, headers={"Idempotency-Key": KEY}))
    assert len(world.charging.orders) == 1


async def test_an_unknown_field_makes_no_difference(world: World, client: Phone) -> None:
    """Safe by default 3: only what can matter is compared, so nothing else costs anything."""
    await start(client)
    await body_of(await start(client, ORDER | {"app_version": "2.1", "trace": [[1]] * 100}))
    assert len(world.charging.orders) == 1


async def test_the_same_key_with_another_body_is_409(world: World, client: Phone) -> None:
    await start(client)
    body = await body_of(await start(client, ORDER | {"energy_kwh": 21}), 409)
    assert (body["success"], body["error"]) == (False, "invalid_request")
    assert len(world.charging.orders) == 1


async def test_the_same_key_on_another_path_is_409(client: Phone) -> None:
    await start(client)
    await body_of(await client.post(STOP, json={"session_id": SESSION}, headers={"Idempotency-Key": KEY}), 409)


async def test_the_same_key_of_another_client_is_another_key(world: World, client: Phone) -> None:
    await start(client)
    await body_of(await start(client, ORDER | {"client_id": "other"}))
    assert len(world.charging.orders) == 2


async def test_a_stop_is_scoped_to_the_sessions_owner(world: World, client: Phone) -> None:
    for _ in range(2):
        await client.post(STOP, json={"session_id": SESSION}, headers={"Idempotency-Key": KEY})
    assert len(world.charging.stops) == 1
    assert (OWNER, KEY) in world.keys.rows


async def test_a_refusal_is_remembered(world: World, client: Phone) -> None:
    world.charging.start_answer = InsufficientBalance(5000, 27000)
    first = await body_of(await start(client))
    world.charging.start_answer = STARTED
    assert await body_of(await start(client)) == first
    assert len(world.charging.orders) == 1


async def test_a_failure_is_not_remembered(world: World, client: Phone) -> None:
    world.charging.start_answer = RuntimeError("bug")
    await body_of(await start(client), 500)
    world.charging.start_answer = STARTED
    assert (await body_of(await start(client)))["success"] is True


async def test_an_unreadable_request_is_not_remembered(world: World, client: Phone) -> None:
    await body_of(await start(client, ORDER | {"connector_id": "1"}), 400)
    await body_of(await start(client))


async def test_a_start_whose_answer_was_lost_is_rebuilt_from_its_session(world: World, client: Phone) -> None:
    world.keys.store_error = psycopg.OperationalError("gone")
    first = await body_of(await start(client))
    world.keys.store_error = None
    assert await body_of(await start(client)) == first
    assert len(world.charging.orders) == 1


async def test_a_rebuilt_start_that_has_failed_since_is_the_refusal(world: World, client: Phone) -> None:
    world.keys.store_error = psycopg.OperationalError("gone")
    await start(client)
    world.keys.store_error = None
    world.charging.start_answer = replace(STARTED, session=replace(RESERVED, status="error"))
    assert (await body_of(await start(client)))["error"] == "session_failed"


async def test_a_stop_whose_answer_was_lost_is_rebuilt(world: World, client: Phone) -> None:
    headers = {"Idempotency-Key": KEY}
    world.keys.store_error = psycopg.OperationalError("gone")
    await body_of(await client.post(STOP, json={"session_id": SESSION}, headers=headers))
    world.charging.stop_answer = StoppedSession(SETTLED, already_stopped=True)
    body = await body_of(await client.post(STOP, json={"session_id": SESSION}, headers=headers))
    assert body["final_cost"] == 202.5


async def test_a_twin_waits_for_the_first_and_gets_its_answer(world: World, client: Phone) -> None:
    world.charging.hold = trio.Event()
    answers: list[bytes] = []

    async def tap() -> None:
        answers.append(await (await start(client)).get_data(as_text=False))

    with trio.fail_after(5):
        async with trio.open_nursery() as taps:
            taps.start_soon(tap)
            await world.charging.waiting.wait()
            taps.start_soon(tap)
            await trio.testing.wait_all_tasks_blocked()
            world.charging.hold.set()
    assert answers[0] == answers[1]
    assert len(world.charging.orders) == 1


async def test_a_twin_does_the_work_when_the_first_failed(world: World, client: Phone) -> None:
    world.charging.hold = trio.Event()
    world.charging.start_answer = RuntimeError("bug")
    statuses: list[int] = []

    async def tap() -> None:
        statuses.append((await start(client)).status_code)
        world.charging.start_answer = STARTED

    with trio.fail_after(5):
        async with trio.open_nursery() as taps:
            taps.start_soon(tap)
            await world.charging.waiting.wait()
            taps.start_soon(tap)
            await trio.testing.wait_all_tasks_blocked()
            world.charging.hold.set()
    assert len(world.charging.orders) == 2
    assert statuses[0] == 500


async def test_a_twin_waits_no_longer_than_five_seconds(
    world: World, client: Phone, autojump_clock: trio.abc.Clock
) -> None:
    world.charging.hold = trio.Event()
    waited: list[float] = []

    async def tap_twice() -> None:
        began = trio.current_time()
        await body_of(await start(client), 409)
        waited.append(trio.current_time() - began)

    async with trio.open_nursery() as taps:
        taps.start_soon(start, client)
        await world.charging.waiting.wait()
        await tap_twice()
        world.charging.hold.set()
    assert waited == [pytest.approx(5, abs=0.1)]


async def test_a_twin_with_another_body_is_refused_at_once(
    world: World, client: Phone, autojump_clock: trio.abc.Clock
) -> None:
    world.charging.hold = trio.Event()
    async with trio.open_nursery() as taps:
        taps.start_soon(start, client)
        await world.charging.waiting.wait()
        await body_of(await start(client, ORDER | {"energy_kwh": 21}), 409)
        assert trio.current_time() < 1
        world.charging.hold.set()


# -------------------------------------------------------------------------------------------- two processes
CLAIM = IdempotencyClaim(OWNER, KEY, "POST", START, "hash")


class Process:
    """One of several on a database; its work claims the key, and its answer comes when it is let go on."""

    def __init__(self, pool: Pool, name: str) -> None:
        self._pool = pool
        self._name = name
        self._idempotency = Idempotency(KeyRows(pool, SetClock()))
        self.may_claim, self.claimed, self.may_answer = trio.Event(), trio.Event(), trio.Event()
        self.working = trio.Event()
        self.rebuilt: list[SessionId] = []

    async def answer(self, claim: IdempotencyClaim = CLAIM) -> Answer:
        return await self._idempotency.answer(claim, KeyedWork(self._run, self._rebuild))

    async def _run(self, claim: IdempotencyClaim | None) -> Answer:
        assert claim is not None
        self.working.set()
        await self.may_claim.wait()
        async with unit_of_work(self._pool) as uow:
            await claim_key(uow.conn, claim, SESSION, NOON)
        self.claimed.set()
        await self.may_answer.wait()
        return Answer({"by": self._name})

    async def _rebuild(self, effect: SessionId) -> Answer:
        self.rebuilt.append(effect)
        return Answer({"by": f"{self._name}, rebuilt"})


@pytest.fixture
def a(pool: Pool) -> Process:
    return Process(pool, "a")


@pytest.fixture
def b(pool: Pool) -> Process:
    return Process(pool, "b")


@pytest.mark.parametrize("b_looked_before_a_claimed", [True, False])
async def test_the_same_request_at_another_process_gets_the_first_ones_answer(
    a: Process, b: Process, b_looked_before_a_claimed: bool
) -> None:
    answers: list[Answer] = []

    async def ask(process: Process) -> None:
        answers.append(await process.answer())

    with trio.fail_after(4):
        async with trio.open_nursery() as phones:
            if b_looked_before_a_claimed:
                phones.start_soon(ask, b)
                await b.working.wait()
            a.may_claim.set()
            phones.start_soon(ask, a)
            await a.claimed.wait()
            if not b_looked_before_a_claimed:
                phones.start_soon(ask, b)
            b.may_claim.set()
            await trio.sleep(0.3)
            assert answers == []
            a.may_answer.set()
    assert answers == [Answer({"by": "a"}), Answer({"by": "a"})]
    assert (b.rebuilt, b.claimed.is_set()) == ([], False)


@pytest.mark.parametrize("b_looked_before_a_claimed", [True, False])
async def test_another_request_at_another_process_is_refused_at_once(
    a: Process, b: Process, b_looked_before_a_claimed: bool
) -> None:
    async def ask_b() -> None:
        with pytest.raises(IdempotencyMismatch):
            await b.answer(replace(CLAIM, body_hash="other"))
        a.may_answer.set()

    with trio.fail_after(2):
        async with trio.open_nursery() as phones:
            if b_looked_before_a_claimed:
                phones.start_soon(ask_b)
                await b.working.wait()
            a.may_claim.set()
            phones.start_soon(a.answer)
            await a.claimed.wait()
            b.may_claim.set()
            if not b_looked_before_a_claimed:
                phones.start_soon(ask_b)
    assert not b.claimed.is_set()


async def test_what_another_process_never_answers_is_rebuilt_after_five_seconds(
    world: World, client: Phone, autojump_clock: trio.abc.Clock
) -> None:
    claim = IdempotencyClaim(OWNER, KEY, "POST", START, body_hash(ORDER))
    world.keys.rows[OWNER, KEY] = StoredAnswer(claim, SESSION, None, None, wait_s=5)
    began = trio.current_time()
    assert (await body_of(await start(client)))["session_id"] == SESSION
    assert trio.current_time() - began == pytest.approx(5, abs=0.3)
    assert world.charging.orders == []


@pytest.mark.parametrize("key", ["", "a b", "x" * 201, "ключ"])
async def test_an_unusable_key_is_400_and_is_not_echoed(client: Phone, key: str) -> None:
    response = await start(client, key=key)
    assert (await body_of(response, 400))["detail"][0]["field"] == "Idempotency-Key"
    assert "Idempotency-Key" not in response.headers


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"a":1,"b":[2,{"c":3}]}', b'{ "b":[2.0,{"c":3}], "a":1e0 }', True),
        (b'{"a":1}', b'{"a":"1"}', False),
        (b'{"a":1}', b'{"a":true}', False),
        (b'{"a":0}', b'{"a":false}', False),
        (b'{"a":null}', b"{}", False),
        (b'{"a":-0.0}', b'{"a":0}', True),
        (b'{"a":10}', b'{"a":100}', False),
        (b'{"a":1.00000000000000000000000000000000001}', b'{"a":1}', False),
        (b'{"a":[1,2]}', b'{"a":[2,1]}', False),
        (b'{"a":{"#":"1"}}', b'{"a":1}', False),
    ],
)
def test_bodies_are_compared_as_values(one: bytes, other: bytes, same: bool) -> None:
    assert (body_hash(parse_object(one)) == body_hash(parse_object(other))) is same


@pytest.mark.parametrize("number", [b"1e999999", b"1e99999999999", b"-1e-99999999999"])
def test_an_extreme_number_costs_nothing_to_hash(number: bytes) -> None:
    assert body_hash(parse_object(b'{"a":' + number + b"}"))
