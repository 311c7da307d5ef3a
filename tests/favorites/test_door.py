"""The doors of favorites (contract/rest-api §7.4)."""

from __future__ import annotations

import pytest

from evpower.http.wire.caller import Mode
from evpower.rate_limits.limits import NEW_CLIENT
from tests.favorites.test_service import CLOSED, HOME, LOCATION, MALL
from tests.worlds.charging import CLIENT, World
from tests.worlds.lost_answers import LOSE_ANSWERS
from tests.worlds.phone_doors import PhoneDoors, token_of

ROUTES = (
    ("GET", "/favorites"),
    ("POST", "/favorites"),
    ("DELETE", f"/favorites/{HOME}"),
    ("GET", f"/favorites/{HOME}/check"),
    ("POST", f"/favorites/{HOME}/toggle"),
)
MODES: tuple[Mode, ...] = ("trust", "optional", "required")
BODY = {"location_id": HOME}


@pytest.mark.parametrize("mode", MODES)
async def test_the_day_of_a_favorite(world: World, mode: Mode) -> None:
    doors = PhoneDoors(world, mode)
    assert await doors.ask("GET", "/favorites") == {"success": True, "favorites": []}
    assert await doors.ask("POST", "/favorites", BODY) == {"success": True, "already_exists": False}
    assert await doors.ask("POST", "/favorites", BODY) == {"success": True, "already_exists": True}
    assert await doors.ask("GET", "/favorites") == {"success": True, "favorites": [HOME]}
    assert await doors.ask("GET", f"/favorites/{HOME}/check") == {"success": True, "is_favorite": True}
    for _ in range(2):
        assert await doors.ask("DELETE", f"/favorites/{HOME}") == {"success": True}
    assert await doors.ask("GET", f"/favorites/{HOME}/check") == {"success": True, "is_favorite": False}
    for is_one, action in ((True, "added"), (False, "removed")):
        expected = {"success": True, "is_favorite": is_one, "action": action}
        assert await doors.ask("POST", f"/favorites/{HOME}/toggle") == expected


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_who_is_not_signed_in_is_401(world: World, method: str, path: str) -> None:
    """Not 200: the app's schema needs `favorites`. A client that is named is believed in mode `trust` alone."""
    body = BODY if method == "POST" else None
    for mode in MODES:
        refused = await PhoneDoors(world, mode).ask(method, path, body, token=None, status=401)
        assert refused["error"] == "unauthorized"
    for mode in MODES[1:]:
        named = f"{path}?client_id={CLIENT}"
        await PhoneDoors(world, mode).ask(method, named, body, token=None, status=401)
    assert await world.sql("SELECT id FROM user_favorites") == []


@pytest.mark.parametrize(("method", "path"), ROUTES)
async def test_in_trust_the_address_names_the_client(world: World, method: str, path: str) -> None:
    doors, body = PhoneDoors(world), BODY if method == "POST" else None
    assert (await doors.ask(method, f"{path}?client_id=someone", body, token=None))["success"] is True
    wrong = await doors.ask(method, f"{path}?client_id=no%20id", body, token=None, status=400)
    assert wrong["detail"][0]["field"] == "client_id"
    assert (await doors.ask(method, f"{path}?client_id=other", body, status=403))["error"] == "forbidden"


async def test_each_has_their_own(world: World) -> None:
    doors = PhoneDoors(world)
    await doors.ask("POST", "/favorites", BODY, token=token_of("other"))
    assert (await doors.ask("GET", "/favorites"))["favorites"] == []
    assert (await doors.ask("GET", "/favorites", token=token_of("other")))["favorites"] == [HOME]


@pytest.mark.parametrize("location", [CLOSED, "EVP-LOC-404", "a\u0001b", "x" * 256])
async def test_a_location_that_is_not_shown_is_refused_with_200(world: World, location: str) -> None:
    await world.sql(LOCATION, CLOSED, "Ош базар", "inactive")
    doors, path = PhoneDoors(world), location.replace("\u0001", "%01")
    refused = [await doors.ask("POST", f"/favorites/{path}/toggle")]
    if len(location) < 256 and location.isprintable():
        refused.append(await doors.ask("POST", "/favorites", {"location_id": location}))
    for each in refused:
        assert (each["success"], each["error"]) == (False, "not_found")
    assert (await doors.ask("GET", f"/favorites/{path}/check"))["is_favorite"] is False
    assert await doors.ask("DELETE", f"/favorites/{path}") == {"success": True}


@pytest.mark.parametrize(
    "wrong", [{}, {"location_id": None}, {"location_id": 7}, {"location_id": ""}, {"location_id": "\0"}]
)
async def test_a_body_without_a_location_is_400_with_the_field(world: World, wrong: dict[str, object]) -> None:
    body = await PhoneDoors(world).ask("POST", "/favorites", wrong, status=400)
    assert (body["error"], body["detail"][0]["field"]) == ("validation_error", "location_id")


async def test_the_limit_has_its_name_and_its_reason(world: World) -> None:
    await world.sql(LOCATION, MALL, "ЦУМ", "active")
    doors = PhoneDoors(world)
    await doors.ask("POST", "/favorites", BODY)
    await world.sql(
        "INSERT INTO user_favorites (user_id, location_id) SELECT %s, n::text FROM generate_series(2, 200) n", CLIENT
    )
    refused = await doors.ask("POST", "/favorites", {"location_id": MALL})
    assert (refused["success"], refused["error"], refused["reason"]) == (False, "invalid_request", "too_many_favorites")


async def test_a_repeated_toggle_is_one_toggle(world: World) -> None:
    """An Idempotency-Key is obeyed (roadmap/common.md)."""
    doors, path = PhoneDoors(world), f"/favorites/{HOME}/toggle"
    first = await doors.ask("POST", path, key="k1")
    assert await doors.ask("POST", path, key="k1") == first
    assert (await doors.ask("GET", "/favorites"))["favorites"] == [HOME]
    assert (await doors.ask("POST", path, key="k2"))["action"] == "removed"
    assert (await doors.ask("DELETE", f"/favorites/{HOME}", key="k1", status=409))["error"] == "invalid_request"


async def test_a_toggle_whose_answer_was_lost_is_not_done_again(world: World) -> None:
    """The process died between the toggle's commit and its answer."""
    doors, path = PhoneDoors(world), f"/favorites/{HOME}/toggle"
    await doors.ask("POST", path, key="k1")
    await world.sql(LOSE_ANSWERS)
    assert await doors.ask("POST", path, key="k1") == {"success": True, "is_favorite": True, "action": "added"}
    assert len(await world.sql("SELECT id FROM user_favorites")) == 1


async def test_an_address_makes_up_so_many_clients_and_no_more(world: World) -> None:
    doors = PhoneDoors(world)
    for number in range(NEW_CLIENT.most):
        await doors.ask("POST", f"/favorites?client_id=new-{number}", BODY, token=None)
    refused = await doors.ask("POST", "/favorites?client_id=one-more", BODY, token=None, status=429)
    assert refused["error"] == "rate_limit_exceeded"
    await doors.ask("POST", "/favorites?client_id=new-1", BODY, token=None)
    await doors.ask("GET", "/favorites?client_id=one-more", token=None)


async def test_switched_off_there_are_none(world: World) -> None:
    doors = PhoneDoors(world, favorites=None)
    for method, path in ROUTES:
        assert (await doors.ask(method, path, status=404))["error"] == "not_found"
