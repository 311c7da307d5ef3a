"""The phones' socket obeys the rules of a request: whose it is, by token or by name (contract/websocket-api §1)."""

from __future__ import annotations

from typing import Any

import pytest
import trio.testing

from evpower.http.wire.caller import Mode
from evpower.identity.claims import ClaimRules
from evpower.identity.verifier import Issuer, Verifier
from tests.http.fakes import OWNER, World
from tests.http.phones.test_callers import EXPIRED, MODES, NoKeys, of
from tests.http.phones.test_live import PATH, let_pass, phone, served
from tests.worlds.fakes import SetClock

NOT_LET_IN = (1008, "token")


async def greeted(host: str, query: str) -> Any:
    """The client of the greeting, or the close code and reason."""
    async with phone(host, PATH + query) as one:
        try:
            return (await one.hear())["client_id"]
        except Exception:
            return await one.closed_with()


@pytest.mark.parametrize("path", [PATH, "/api/v1/locations/ws/locations"])
@pytest.mark.parametrize("mode", MODES)
async def test_a_token_names_the_client_of_a_socket(mode: Mode, path: str) -> None:
    async with served(World(mode=mode)) as host:
        async with phone(host, f"{path}?token={of()}") as one:
            assert (await one.hear())["client_id"] == OWNER
        async with phone(host, path, Authorization=f"Bearer {of()}") as one:
            assert (await one.hear())["client_id"] == OWNER
        assert await greeted(host, f"?token={of()}&client_id={OWNER}") == OWNER
        assert await greeted(host, f"?token={of()}&client_id=other") == NOT_LET_IN


@pytest.mark.parametrize("mode", MODES)
async def test_a_token_that_is_not_believed_lets_nobody_in_but_a_named_client_in_trust(mode: Mode) -> None:
    async with served(World(mode=mode)) as host:
        for token in (of(**EXPIRED), "a.b.c"):
            assert await greeted(host, f"?token={token}") == NOT_LET_IN
            named = await greeted(host, f"?token={token}&client_id={OWNER}")
            assert named == (OWNER if mode == "trust" else NOT_LET_IN)


@pytest.mark.parametrize("mode", MODES)
async def test_without_a_token_a_socket_is_open_unless_one_is_required(mode: Mode) -> None:
    async with served(World(mode=mode)) as host:
        for query in ("", "?token=", f"?client_id={OWNER}"):
            greeting = await greeted(host, query)
            assert (greeting == NOT_LET_IN) is (mode == "required"), (query, greeting)


async def test_a_person_without_an_account_may_listen() -> None:
    async with served(World(mode="required")) as host:
        assert await greeted(host, f"?token={of(is_anonymous=True)}") == OWNER


async def test_while_keys_cannot_be_had_a_token_is_to_come_again() -> None:
    verifier = Verifier([Issuer(NoKeys(), ClaimRules())], SetClock())
    async with served(World(mode="required", verifier=verifier)) as host:
        assert (await greeted(host, f"?token={of()}"))[0] == 1013


@pytest.mark.parametrize("ending", ["expired", "revoked"])
async def test_a_socket_ends_with_its_token(ending: str, mock_clock: trio.testing.MockClock) -> None:
    """Looked at every 25 s; the phone comes again with a new one. Another's socket goes on."""
    world = World(mode="required")
    async with served(world) as host, phone(host, f"{PATH}?token={of('other')}", within_s=1000) as other:
        await other.hear()
        async with phone(host, f"{PATH}?token={of()}", within_s=1000) as one:
            await one.hear()
            await let_pass(mock_clock, 25)
            assert (await one.ask({"action": "ping"}))["type"] == "pong"
            if ending == "expired":
                world.clock.advance(3600 + 31)
            else:
                world.revoked.add(OWNER)
            await let_pass(mock_clock, 25)
            assert await one.closed_with() == NOT_LET_IN
        if ending == "revoked":
            assert (await other.ask({"action": "ping"}))["type"] == "pong"


async def test_a_socket_stays_while_its_token_cannot_be_checked(mock_clock: trio.testing.MockClock) -> None:
    world = World(mode="required")
    async with served(world) as host, phone(host, f"{PATH}?token={of()}", within_s=1000) as one:
        await one.hear()
        issuers = world.tokens.verifier._issuers
        world.tokens.verifier._issuers = (Issuer(NoKeys(), ClaimRules()),)
        world.tokens.verifier._remembered.clear()
        await let_pass(mock_clock, 25)
        assert (await one.ask({"action": "ping"}))["type"] == "pong"
        world.tokens.verifier._issuers = issuers
