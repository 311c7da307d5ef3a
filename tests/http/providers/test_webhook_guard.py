"""Who may call a webhook and how often (rest-api §5.6, §9), and that whoever is turned away costs nobody money."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from ipaddress import ip_network
from typing import Any

import pytest
from quart import Response

from evpower.db.pool import Pool
from evpower.http.providers.webhook_guard import WebhookLimits
from evpower.identifiers import ClientId
from tests.http.conftest import body_of
from tests.http.test_payment_doors import HOOK, Door
from tests.worlds.fakes import NOON
from tests.worlds.payments import open_world
from tests.worlds.provider import SIGNATURE, paid

PROVIDER, STRANGER, PROXY = "203.0.113.5", "198.51.100.9", "127.0.0.1"
TOO_MANY = {
    "success": False,
    "error": "rate_limit_exceeded",
    "message": "Слишком много запросов. Попробуйте через 60 секунд",
    "retry_after": 60,
}


class Caller:
    """A provider, or whoever says so, at the webhooks' door."""

    def __init__(self, door: Door) -> None:
        self.door = door

    async def call(
        self,
        order_id: str = "tu_nobody",
        *,
        path: str = HOOK,
        peer: str = PROVIDER,
        trans_id: str = "1",
        signature: str = SIGNATURE,
        **headers: str,
    ) -> Response:
        told = {"order_id": order_id, "state": "approved", "trans_id": trans_id}
        named = {"X-Signature": signature} | {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.door.phone.post(path, json=told, headers=named, scope_base={"client": (peer, 1)})

    async def statuses(self, times: int, **how: Any) -> list[int]:
        return [(await self.call(**how)).status_code for _ in range(times)]


@asynccontextmanager
async def calling(pool: Pool, **limits: Any) -> AsyncIterator[Caller]:
    async with open_world(pool) as world:
        yield Caller(Door(world, WebhookLimits(**limits)))


@pytest.fixture
async def caller(pool: Pool) -> AsyncIterator[Caller]:
    """With a limit that a test can reach; the world's clock stands still."""
    async with calling(pool, per_minute=30) as caller:
        yield caller


async def test_the_thirty_first_call_within_a_minute_is_429_to_the_letter(caller: Caller) -> None:
    assert await caller.statuses(30) == [200] * 30
    refused = await caller.call()
    assert await body_of(refused, 429) == TOO_MANY
    assert refused.content_type == "application/json"
    reset = str(int(NOON.timestamp()) + 60)
    told = {"Retry-After": "60", "X-RateLimit-Limit": "30", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": reset}
    assert {name: refused.headers.get(name) for name in told} == told


async def test_a_call_that_is_taken_tells_how_many_more_would_be(caller: Caller) -> None:
    await caller.call()
    response = await caller.call()
    assert (response.headers["X-RateLimit-Limit"], response.headers["X-RateLimit-Remaining"]) == ("30", "28")
    assert "Retry-After" not in response.headers


async def test_a_call_repeated_after_the_time_told_is_taken(caller: Caller) -> None:
    order = (await caller.door.qr())["order_id"]
    await caller.statuses(30)
    refused = await caller.call(order)
    caller.door.world.clock.advance(float(refused.headers["Retry-After"]))
    assert (await caller.call(order)).status_code == 200
    caller.door.world.odengi.answer = paid(100_00, "1")
    await caller.door.world.poll()
    assert await caller.door.world.credits() == [100_00]


async def test_a_burst_of_payments_beyond_the_limit_is_credited_all_the_same(caller: Caller) -> None:
    """A valid burst: the poller needs no webhook."""
    world, statuses = caller.door.world, []
    for number in range(35):
        order = (await world.qr(client=ClientId(f"client-{number}"))).order
        world.odengi.answers[order.order_id] = paid(100_00, f"trans-{number}")
        statuses.append((await caller.call(order.order_id, trans_id=f"trans-{number}")).status_code)
    assert statuses == [200] * 30 + [429] * 5
    await world.poll()
    assert len(await world.credits()) == 30
    await world.poll(after_s=15)
    assert await world.credits() == [100_00] * 35


async def test_every_path_of_a_webhook_the_old_ones_too_shares_the_limit(caller: Caller) -> None:
    paths = (
        HOOK,
        "/api/v1/payment/webhook",
        "/api/payment/webhook/odengi",
        "/api/v1/payment/webhook/obank/token-1",
        "/api/payment/obank/notify",
    )
    for path in paths * 6:
        assert (await caller.call(path=path)).status_code != 429
    assert [(await caller.call(path=path)).status_code for path in paths] == [429] * 5


async def test_one_address_does_not_use_up_anothers_limit(caller: Caller) -> None:
    assert (await caller.statuses(31, peer=STRANGER))[-1] == 429
    assert await caller.statuses(1) == [200]


async def test_a_network_of_ipv6_is_one_address(caller: Caller) -> None:
    assert (await caller.statuses(31, peer="2001:db8::1"))[-1] == 429
    assert await caller.statuses(1, peer="2001:db8::2") == [429]


async def test_unless_it_is_set_an_address_may_call_three_hundred_times(pool: Pool) -> None:
    async with calling(pool) as caller:
        assert (await caller.call()).headers["X-RateLimit-Limit"] == "300"


async def test_behind_a_trusted_proxy_it_is_the_providers_address_that_counts(caller: Caller) -> None:
    assert (await caller.statuses(31, peer=PROXY, X_Forwarded_For=STRANGER))[-1] == 429
    assert await caller.statuses(1, peer=PROXY, X_Forwarded_For=PROVIDER) == [200]


async def test_an_address_made_up_gains_nothing(caller: Caller) -> None:
    await caller.statuses(30, peer=STRANGER)
    assert await caller.statuses(1, peer=STRANGER, X_Forwarded_For=PROVIDER) == [429]
    assert await caller.statuses(1, peer=PROXY, X_Forwarded_For=f"{PROVIDER}, {STRANGER}") == [429]


async def test_forged_calls_count_too_and_are_then_not_even_looked_at(caller: Caller) -> None:
    assert await caller.statuses(31, signature="forged") == [401] * 30 + [429]
    counts = caller.door.world.payments.notices.counts
    assert counts == {("ODENGI", "refused"): 30, ("ODENGI", "limited"): 1}


async def test_phones_and_returning_browsers_are_not_limited_by_it(caller: Caller) -> None:
    await caller.statuses(31)
    scope = {"client": (PROVIDER, 1)}
    returned = await caller.door.phone.post("/api/v1/payment/3ds-return", form={"MD": "x"}, scope_base=scope)
    status = await caller.door.phone.get("/api/v1/payment/status/nobody", scope_base=scope)
    assert (returned.status_code, status.status_code) == (200, 404)
    assert "X-RateLimit-Limit" not in returned.headers


async def test_without_a_limit_all_are_taken(pool: Pool) -> None:
    async with calling(pool, per_minute=0) as caller:
        assert await caller.statuses(40) == [200] * 40
        assert "X-RateLimit-Limit" not in (await caller.call()).headers


async def test_who_is_not_on_the_list_is_403_and_nothing_of_the_call_is_kept(pool: Pool) -> None:
    async with calling(pool, allow=(ip_network("203.0.113.0/24"),)) as caller:
        body = await body_of(await caller.call(peer=STRANGER), 403)
        assert (body["success"], body["error"]) == (False, "forbidden")
        assert await caller.statuses(1) == [200]
        world = caller.door.world
        assert world.payments.notices.counts["ODENGI", "not_allowed"] == 1
        assert len(await world.sql("SELECT id FROM evpower.provider_events")) == 1


async def test_a_payment_whose_call_was_not_allowed_is_found_by_asking(pool: Pool) -> None:
    async with calling(pool, allow=(ip_network("203.0.113.0/24"),)) as caller:
        world, order = caller.door.world, (await caller.door.qr())["order_id"]
        assert await caller.statuses(1, peer=STRANGER, order_id=order) == [403]
        world.odengi.answer = paid(100_00, "1")
        await world.poll(after_s=15)
        assert await world.credits() == [100_00]


async def test_the_log_says_who_was_turned_away_and_when_it_may_be_a_proxy(
    pool: Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, logger="security")
    async with calling(pool, allow=(ip_network("203.0.113.0/24"),)) as caller:
        await caller.call(peer=STRANGER)
        await caller.call(peer="10.0.0.5", X_Forwarded_For=PROVIDER)
    assert caplog.messages == [
        f"webhook turned away: provider=ODENGI, peer={STRANGER}, not_allowed, so far=1",
        "webhook turned away: provider=ODENGI, peer=10.0.0.5 (its X-Forwarded-For is not believed:"
        " http.trusted_proxies), not_allowed, so far=2",
    ]


async def test_a_flood_of_calls_is_one_line_a_minute(caller: Caller, caplog: pytest.LogCaptureFixture) -> None:
    await caller.statuses(30)
    caplog.set_level(logging.WARNING, logger="security")
    caplog.clear()
    assert await caller.statuses(20, peer=PROVIDER) == [429] * 20
    assert caplog.messages == [f"rate limit: refused, kind=webhook, name={PROVIDER}, retry_after=60 s"]
