"""An id that was merged is its survivor's wherever an operator names it (contract/roadmap/identity §2)."""

from __future__ import annotations

import pytest

from evpower.administration.client_accounts import GivenStatus
from evpower.administration.records import Page
from evpower.billing.errors import ClientBlocked
from evpower.identifiers import ClientId, IdTag
from evpower.narrowing import Narrowing
from evpower.tags.cards import Card
from tests.worlds.charging import CLIENT, World

INTO, ANN = ClientId("zz-other"), "operator ann"


@pytest.fixture
async def here(world: World) -> World:
    """Where `client-1` became an alias of `zz-other`."""
    await world.give(100_00)
    await world.give(1_00, INTO)
    await world.app.merging.merge(CLIENT, INTO, "один человек", ANN)
    return world


async def statuses(world: World) -> dict[str, str]:
    return {row["id"]: row["status"] for row in await world.sql("SELECT id, status FROM clients")}


async def block(world: World, status: GivenStatus) -> str:
    return (await world.app.client_accounts.set_status(CLIENT, status, actor=ANN)).before


async def test_who_is_blocked_by_the_old_id_is_the_survivor(here: World) -> None:
    assert await block(here, "blocked") == "active"
    assert await statuses(here) == {CLIENT: "active", INTO: "blocked"}
    with pytest.raises(ClientBlocked):
        await here.order(energy_wh=1_000)
    assert await block(here, "active") == "blocked"
    assert await statuses(here) == {CLIENT: "active", INTO: "active"}


async def test_a_block_by_the_old_id_names_the_survivor(here: World) -> None:
    changed = await here.app.client_accounts.set_status(CLIENT, "blocked", actor=ANN)
    assert changed.client_id == INTO


async def test_the_client_of_the_old_id_is_the_survivor(here: World) -> None:
    assert await here.app.client_accounts.client(CLIENT) == await here.app.client_accounts.client(INTO)


async def test_a_list_has_each_person_once_and_finds_it_by_the_old_id(here: World) -> None:
    for search in (None, CLIENT):
        found = await here.app.client_accounts.clients(search, None, Page())
        assert ([each.id for each in found.records], found.total) == ([INTO], 1)


async def test_a_card_given_to_the_old_id_is_the_survivors(here: World) -> None:
    card = await here.app.tags.put(Card(IdTag("CARD"), "Accepted", None, None, CLIENT))
    assert card.client_id == INTO


async def test_attempts_of_the_old_id_are_the_survivors(here: World) -> None:
    await here.order(energy_wh=1_000, client=INTO)
    found = [await here.app.attempts.listed(Narrowing(client_id=each)) for each in (CLIENT, INTO)]
    assert found[0] == found[1] != []


async def test_the_end_of_the_survivor_is_taken_back_by_the_old_id(here: World) -> None:
    await here.app.accounts.request_deletion(CLIENT, ANN)
    assert await statuses(here) == {CLIENT: "active", INTO: "inactive"}
    await here.app.accounts.restore(CLIENT, ANN)
    assert await statuses(here) == {CLIENT: "active", INTO: "active"}


async def test_the_survivor_is_paid_out_by_the_old_id(here: World) -> None:
    await here.app.accounts.request_deletion(INTO, ANN)
    paid = await here.app.accounts.pay_out(CLIENT, 101_00, "карта", ANN)
    assert (paid.client_id, paid.balance_tyiyn) == (INTO, 0)
