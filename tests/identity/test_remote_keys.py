"""A provider's keys: fetched, kept, fetched once more (contract/roadmap/identity §1 and §6.3). On a real socket."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
import trio
import trio.testing
from trio.testing import MockClock

from evpower.errors import InvalidToken, ServiceUnavailable
from evpower.identity.claims import ClaimRules
from evpower.identity.remote_keys import RemoteKeys
from evpower.identity.verifier import Issuer, Verifier
from tests.worlds import token_issuer as issuer
from tests.worlds.fakes import SetClock
from tests.worlds.token_issuer import KeyServer, open_key_server

MINUTE, DAY = 60.0, 24 * 3600.0


@asynccontextmanager
async def remote(server: KeyServer) -> AsyncIterator[Verifier]:
    """A verifier of that provider alone; its task has tried once."""
    keys = RemoteKeys(server.url, ssl.create_default_context())
    async with trio.open_nursery() as nursery:
        with trio.fail_after(30):
            await nursery.start(keys.run)
        yield Verifier([Issuer(keys, ClaimRules("authenticated"))], SetClock())
        nursery.cancel_scope.cancel()


async def subject(verifier: Verifier, text: str) -> str:
    return (await verifier.verify(text)).subject


async def asked(server: KeyServer, times: int) -> None:
    """Return once the provider was asked so often, on the real network, and what it answers has arrived."""
    while server.asked < times:
        await server.next_request.wait()
    await trio.testing.wait_all_tasks_blocked(0.02)


async def test_tokens_of_the_published_keys_are_believed(mock_clock: MockClock) -> None:
    async with open_key_server() as server, remote(server) as verifier:
        for sign in (issuer.by_rsa, issuer.by_ec, issuer.by_ed):
            assert await subject(verifier, sign()) == issuer.CLIENT
        assert server.asked == 1


async def test_a_new_key_is_found_by_one_more_fetch(mock_clock: MockClock) -> None:
    """Identity acceptance 3, the rotation; the key that left verifies no more, remembered tokens neither."""
    async with open_key_server() as server, remote(server) as verifier:
        assert await subject(verifier, issuer.by_ec(kid="ec-1")) == issuer.CLIENT
        server.keys = [issuer.ec_jwk("ec-2")]
        assert await subject(verifier, issuer.by_ec(kid="ec-2")) == issuer.CLIENT
        assert server.asked == 2
        with pytest.raises(InvalidToken):
            await verifier.verify(issuer.by_ec(kid="ec-1"))
        assert server.asked == 2


async def test_a_thousand_random_key_ids_in_a_minute_cost_one_fetch(mock_clock: MockClock) -> None:
    """Identity acceptance 3: one after the other, and at once."""
    async with open_key_server() as server, remote(server) as verifier:
        template = issuer.by_ec()

        async def refused(kid: str) -> None:
            head = issuer.token({"alg": "ES256", "kid": kid}, {}, lambda _: b"x").partition(".")[0]
            with pytest.raises(InvalidToken):
                await verifier.verify(f"{head}.{template.partition('.')[2]}")

        async with trio.open_nursery() as callers:
            for number in range(500):
                callers.start_soon(refused, f"at-once-{number}")
        for number in range(500):
            await refused(f"later-{number}")
        assert server.asked == 2
        mock_clock.jump(MINUTE + 1)
        await refused("a minute later")
        assert server.asked == 3


async def test_a_kid_of_another_algorithm_or_none_costs_no_fetch(mock_clock: MockClock) -> None:
    async with open_key_server() as server, remote(server) as verifier:
        for text in (issuer.by_secret(kid="new"), issuer.by_ec(kid="rsa-1"), issuer.by_ec(kid="new", alg="none")):
            with pytest.raises(InvalidToken):
                await verifier.verify(text)
        assert server.asked == 1


async def test_who_waits_for_the_fetch_of_another_is_believed_by_it(mock_clock: MockClock) -> None:
    async with open_key_server() as server, remote(server) as verifier:
        server.keys, server.may_answer = [issuer.ec_jwk("ec-2")], trio.Event()
        believed: list[str] = []

        async def ask(number: int) -> None:
            believed.append(await subject(verifier, issuer.by_ec({"sub": f"c{number}"}, kid="ec-2")))

        async with trio.open_nursery() as callers:
            for number in range(5):
                callers.start_soon(ask, number)
            await asked(server, 2)
            server.may_answer.set()
        assert sorted(believed) == [f"c{number}" for number in range(5)]
        assert server.asked == 2


async def test_keys_are_fetched_every_ten_minutes(mock_clock: MockClock) -> None:
    async with open_key_server() as server, remote(server) as verifier:
        await subject(verifier, issuer.by_ec())
        server.keys = [issuer.rsa_jwk()]
        mock_clock.jump(599)
        await trio.testing.wait_all_tasks_blocked()
        assert server.asked == 1
        mock_clock.jump(1)
        await asked(server, 2)
        with pytest.raises(InvalidToken):
            await verifier.verify(issuer.by_ec())


@pytest.mark.parametrize("failing", ["down", "status", "no keys", "no JSON", "too long", "unusable"])
async def test_a_provider_that_fails_changes_nothing_for_a_day(failing: str, mock_clock: MockClock) -> None:
    """Then nothing can be verified, a remembered token neither, until the provider is back: 503, never "accept"."""
    async with open_key_server() as server, remote(server) as verifier:
        server.down = failing == "down"
        server.status = "500 Oops" if failing == "status" else "200 OK"
        server.keys = [{"kty": "oct", "k": "AA"}] if failing == "unusable" else []
        server.answer = {"no JSON": b"<html>", "too long": b" " * 300_000}.get(failing)
        mock_clock.jump(600)
        await asked(server, 2)
        assert await subject(verifier, issuer.by_ec()) == issuer.CLIENT
        mock_clock.jump(DAY - 600)
        await asked(server, 3)
        assert await subject(verifier, issuer.by_ec()) == issuer.CLIENT
        mock_clock.jump(1)
        for text in (issuer.by_ec(), issuer.by_rsa(), issuer.by_ec(kid="new")):
            with pytest.raises(ServiceUnavailable):
                await verifier.verify(text)
        server.down, server.status, server.answer, server.keys = False, "200 OK", None, [issuer.ec_jwk()]
        mock_clock.jump(MINUTE)
        await asked(server, 4)
        assert await subject(verifier, issuer.by_ec()) == issuer.CLIENT


async def test_without_any_key_tokens_are_neither_believed_nor_refused(mock_clock: MockClock) -> None:
    """The server starts all the same, and asks again soon."""
    async with open_key_server() as server:
        server.down = True
        async with remote(server) as verifier:
            with pytest.raises(ServiceUnavailable):
                await verifier.verify(issuer.by_ec())
            server.down = False
            mock_clock.jump(5)
            await asked(server, 2)
            assert await subject(verifier, issuer.by_ec()) == issuer.CLIENT


async def test_a_provider_that_never_answers_keeps_nobody_waiting_for_long(mock_clock: MockClock) -> None:
    async with open_key_server() as server, remote(server) as verifier:
        server.may_answer = trio.Event()
        async with trio.open_nursery() as callers:

            async def refused() -> None:
                with pytest.raises(InvalidToken):
                    await verifier.verify(issuer.by_ec(kid="new"))

            callers.start_soon(refused)
            await asked(server, 2)
            mock_clock.jump(4)
        assert trio.current_time() == 4


async def test_a_redirect_is_not_followed(mock_clock: MockClock) -> None:
    async with open_key_server() as server:
        server.status = "302 Found\r\nLocation: http://127.0.0.1:1/"
        async with remote(server) as verifier:
            with pytest.raises(ServiceUnavailable):
                await verifier.verify(issuer.by_ec())
