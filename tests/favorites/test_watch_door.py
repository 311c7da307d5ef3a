"""The doors of watches (contract/roadmap/history-favorites-push §2)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.http.wire.values import instant
from tests.favorites.test_service import HOME
from tests.worlds.charging import World
from tests.worlds.lost_answers import LOSE_ANSWERS
from tests.worlds.phone_doors import PhoneDoors

WATCH = f"/favorites/{HOME}/watch"


async def test_a_watch_begins_and_ends(world: World) -> None:
    doors, now = PhoneDoors(world), world.clock.now()
    longest = instant(now + timedelta(hours=12))
    assert await doors.ask("PUT", WATCH) == {"success": True, "watching_until": longest}
    assert await doors.ask("PUT", WATCH, {}) == {"success": True, "watching_until": longest}
    until = instant(now + timedelta(hours=1))
    assert await doors.ask("PUT", WATCH, {"connector_type": "GBT", "until": until}) == {
        "success": True,
        "watching_until": until,
    }
    assert len(await world.sql("SELECT id FROM evpower.favorite_watches WHERE connector_type = 'GBT'")) == 1
    for _ in range(2):
        assert await doors.ask("DELETE", WATCH) == {"success": True}
    assert await world.sql("SELECT id FROM evpower.favorite_watches") == []


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"until": "soon"}, "until"),
        ({"until": 7}, "until"),
        ({"until": "2000-01-01T00:00:00Z"}, "until"),
        ({"until": "9999-12-31T23:59:59-14:00"}, "until"),
        ({"until": "0001-01-01T00:00:00+14:00"}, "until"),
        ({"connector_type": 7}, "connector_type"),
        ({"connector_type": ""}, "connector_type"),
        ({"connector_type": "a\0"}, "connector_type"),
    ],
)
async def test_what_cannot_be_read_is_400_with_its_field(world: World, body: dict[str, object], field: str) -> None:
    refused = await PhoneDoors(world).ask("PUT", WATCH, body, status=400)
    assert (refused["error"], refused["detail"][0]["field"]) == ("validation_error", field)


async def test_refusals_are_200_with_the_apps_names(world: World) -> None:
    doors = PhoneDoors(world)
    assert (await doors.ask("PUT", "/favorites/EVP-LOC-404/watch"))["error"] == "not_found"
    assert (await doors.ask("PUT", "/favorites/a%01b/watch"))["error"] == "not_found"
    assert (await doors.ask("PUT", WATCH, {"connector_type": "CHAdeMO"}))["error"] == "connector_not_found"
    assert await doors.ask("DELETE", "/favorites/a%01b/watch") == {"success": True}


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_who_is_not_signed_in_is_401(world: World, method: str) -> None:
    await PhoneDoors(world).ask(method, WATCH, token=None, status=401)
    await PhoneDoors(world, "required").ask(method, f"{WATCH}?client_id=client-1", token=None, status=401)
    assert (await PhoneDoors(world).ask(method, f"{WATCH}?client_id=client-1", token=None))["success"] is True


async def test_a_repeated_request_has_the_answer_it_had(world: World) -> None:
    doors = PhoneDoors(world)
    first = await doors.ask("PUT", WATCH, key="k1")
    await doors.ask("DELETE", WATCH, key="k2")
    world.clock.advance(60)
    assert await doors.ask("PUT", WATCH, key="k1") == first
    assert await world.sql("SELECT id FROM evpower.favorite_watches") == []


async def test_a_watch_whose_answer_was_lost_is_not_made_again(world: World) -> None:
    """The phone repeats its request after a death of ours; meanwhile the watch may have had its one notice."""
    doors = PhoneDoors(world)
    first = await doors.ask("PUT", WATCH, key="k1")
    await world.sql(LOSE_ANSWERS)
    assert await doors.ask("PUT", WATCH, key="k1") == first
    await world.sql(LOSE_ANSWERS)
    await world.sql("DELETE FROM evpower.favorite_watches")
    again = await doors.ask("PUT", WATCH, key="k1")
    assert again == {"success": True, "watching_until": instant(world.clock.now())}
    assert await world.sql("SELECT id FROM evpower.favorite_watches") == []


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
async def test_switched_off_there_is_none(world: World, method: str) -> None:
    doors = PhoneDoors(world, favorites=None, watches=None)
    assert (await doors.ask(method, WATCH, status=404))["error"] == "not_found"
