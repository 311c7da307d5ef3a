"""Favorite locations (contract/roadmap/history-favorites-push §2): what is one, what is shown, what is refused."""

from __future__ import annotations

import pytest
import trio
import trio.lowlevel

from evpower.billing.errors import ClientDeleted
from evpower.favorites.errors import NoSuchLocation, TooManyFavorites
from evpower.favorites.service import FAVORITES_MOST, Favorites
from evpower.identifiers import ClientId
from tests.worlds.by_hand import by_hand
from tests.worlds.charging import CLIENT, World

HOME, MALL, CLOSED = "EVP-LOC-001", "EVP-LOC-002", "EVP-LOC-003"
OTHER = ClientId("client-2")
LOCATION = "INSERT INTO locations (id, name, address, status) VALUES (%s, %s, 'ул. Киевская, 1', %s)"


@pytest.fixture
async def favorites(world: World) -> Favorites:
    await world.sql(LOCATION, MALL, "ЦУМ", "active")
    await world.sql(LOCATION, CLOSED, "Ош базар", "inactive")
    return world.app.favorites


async def stored(world: World, client: ClientId = CLIENT) -> int:
    return len(await world.sql("SELECT id FROM user_favorites WHERE user_id = %s", client))


async def test_the_newest_is_first_and_others_have_their_own(world: World, favorites: Favorites) -> None:
    assert await favorites.locations(CLIENT) == []
    assert not await favorites.add(CLIENT, HOME)
    world.clock.advance(1)
    assert not await favorites.add(CLIENT, MALL)
    assert await favorites.locations(CLIENT) == [MALL, HOME]
    assert await favorites.locations(OTHER) == []


async def test_one_that_is_there_already_stays_in_its_place(world: World, favorites: Favorites) -> None:
    await favorites.add(CLIENT, HOME)
    world.clock.advance(1)
    await favorites.add(CLIENT, MALL)
    assert await favorites.add(CLIENT, HOME)
    assert await favorites.locations(CLIENT) == [MALL, HOME]


@pytest.mark.parametrize("location", [CLOSED, "EVP-LOC-404"])
async def test_what_is_not_shown_does_not_become_one(world: World, favorites: Favorites, location: str) -> None:
    for refused in (favorites.add, favorites.toggle):
        with pytest.raises(NoSuchLocation):
            await refused(CLIENT, location)
    assert await stored(world) == 0


async def test_a_favorite_survives_its_locations_absence(world: World, favorites: Favorites) -> None:
    await favorites.add(CLIENT, HOME)
    for status in ("inactive", "maintenance"):
        await world.sql("UPDATE locations SET status = %s WHERE id = %s", status, HOME)
        assert await favorites.locations(CLIENT) == []
        assert await favorites.includes(CLIENT, HOME)
    await world.sql("UPDATE locations SET status = 'active' WHERE id = %s", HOME)
    assert await favorites.locations(CLIENT) == [HOME]


@pytest.mark.parametrize("status", ["active", "inactive", "maintenance"])
async def test_what_is_listed_is_what_the_public_sees(world: World, favorites: Favorites, status: str) -> None:
    await favorites.add(CLIENT, HOME)
    await world.sql("UPDATE locations SET status = %s WHERE id = %s", status, HOME)
    public = [each.id for each in (await world.app.locations.read(HOME)).locations]
    assert await favorites.locations(CLIENT) == public


async def test_removed_is_removed_and_removing_it_again_is_a_success(world: World, favorites: Favorites) -> None:
    await favorites.add(CLIENT, HOME)
    await favorites.add(OTHER, HOME)
    for _ in range(2):
        await favorites.remove(CLIENT, HOME)
        assert not await favorites.includes(CLIENT, HOME)
    assert await favorites.includes(OTHER, HOME)


async def test_one_that_is_not_shown_any_more_can_be_toggled_off(world: World, favorites: Favorites) -> None:
    await favorites.add(CLIENT, HOME)
    await world.sql("UPDATE locations SET status = 'inactive' WHERE id = %s", HOME)
    assert await favorites.toggle(CLIENT, HOME) is False
    assert await stored(world) == 0


async def test_a_client_has_two_hundred_at_most(world: World, favorites: Favorites) -> None:
    await favorites.add(CLIENT, HOME)
    await world.sql(
        "INSERT INTO user_favorites (user_id, location_id) SELECT %s, 'old-' || n FROM generate_series(2, %s) n",
        CLIENT,
        FAVORITES_MOST,
    )
    for refused in (favorites.add, favorites.toggle):
        with pytest.raises(TooManyFavorites) as refusal:
            await refused(CLIENT, MALL)
        assert (refusal.value.code, refusal.value.details["reason"]) == ("invalid_request", "too_many_favorites")
    assert await stored(world) == FAVORITES_MOST
    assert await favorites.add(CLIENT, HOME)
    await favorites.remove(CLIENT, HOME)
    assert not await favorites.add(CLIENT, MALL)


@pytest.mark.parametrize("number", [2, 5])
async def test_toggles_at_once_end_as_if_one_had_come_after_the_other(
    world: World, favorites: Favorites, number: int
) -> None:
    results: list[bool] = []

    async def toggle() -> None:
        results.append(await favorites.toggle(CLIENT, HOME))

    async with trio.open_nursery() as phones:
        for _ in range(number):
            phones.start_soon(toggle)
    assert sorted(results) == sorted([True, False] * (number // 2) + [True] * (number % 2))
    assert await favorites.includes(CLIENT, HOME) == (number % 2 == 1)


async def test_additions_at_once_are_one(world: World, favorites: Favorites) -> None:
    async with trio.open_nursery() as phones:
        for _ in range(5):
            phones.start_soon(favorites.add, CLIENT, HOME)
    assert await stored(world) == 1


async def test_the_limit_holds_for_additions_at_once(world: World, favorites: Favorites) -> None:
    await favorites.add(CLIENT, HOME)
    await world.sql(
        "INSERT INTO user_favorites (user_id, location_id) SELECT %s, 'old-' || n FROM generate_series(3, %s) n",
        CLIENT,
        FAVORITES_MOST,
    )
    await world.sql(LOCATION, "EVP-LOC-004", "Вефа", "active")
    refused: list[str] = []

    async def add(location: str) -> None:
        try:
            await favorites.add(CLIENT, location)
        except TooManyFavorites:
            refused.append(location)

    async with trio.open_nursery() as phones:
        phones.start_soon(add, MALL)
        phones.start_soon(add, "EVP-LOC-004")
    assert (len(refused), await stored(world)) == (1, FAVORITES_MOST)


async def test_what_the_app_writes_directly_at_the_same_moment_is_no_error(world: World, favorites: Favorites) -> None:
    """Field ruling 6.8: it takes no lock of ours."""
    await world.give(1)
    async with trio.open_nursery() as phones, by_hand(world.pool) as conn, conn.transaction():
        await conn.execute("INSERT INTO user_favorites (user_id, location_id) VALUES (%s, %s)", (CLIENT, HOME))
        phones.start_soon(favorites.add, CLIENT, HOME)
        await trio.lowlevel.checkpoint()
    assert await stored(world) == 1


async def test_an_account_that_ends_keeps_nothing_new(world: World, favorites: Favorites) -> None:
    await favorites.add(CLIENT, HOME)
    await world.app.accounts.request_deletion(CLIENT, "client")
    for refused in (favorites.add, favorites.toggle):
        with pytest.raises(ClientDeleted):
            await refused(CLIENT, MALL)
    assert await favorites.locations(CLIENT) == [HOME]


async def test_a_blocked_client_still_has_favorites(world: World, favorites: Favorites) -> None:
    await world.give(1)
    await world.sql("UPDATE clients SET status = 'blocked' WHERE id = %s", CLIENT)
    assert not await favorites.add(CLIENT, HOME)


async def test_a_merged_id_adds_for_its_survivor(world: World, favorites: Favorites) -> None:
    """The lock is the survivor's, also for a request that began under the old id."""
    await world.give(1)
    await world.give(1, OTHER)
    await world.app.merging.merge(CLIENT, OTHER, "один человек", "ann")
    await favorites.add(CLIENT, HOME)
    assert (await favorites.locations(OTHER), await stored(world, CLIENT)) == ([HOME], 0)
