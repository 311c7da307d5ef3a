"""The profile of a client and of staff (contract/rest-api §7.5), through its doors."""

from __future__ import annotations

import logging

import pytest

from evpower.http.wire.caller import Mode
from evpower.identifiers import ClientId
from evpower.rate_limits.limits import NEW_CLIENT
from tests.worlds.charging import CLIENT, World
from tests.worlds.phone_doors import PhoneDoors, token_of

MODES: tuple[Mode, ...] = ("trust", "optional", "required")
NEW = {"success": True, "user_type": "client", "client_id": CLIENT, "balance": 0, "status": "active"}


@pytest.mark.parametrize("mode", MODES)
async def test_a_client_sees_itself_and_an_unknown_one_is_created(world: World, mode: Mode) -> None:
    doors = PhoneDoors(world, mode)
    assert await doors.ask("GET", "/profile") == NEW
    await world.give(123_45)
    await world.sql("UPDATE clients SET phone = '+996700123456', status = 'blocked'")
    assert await doors.ask("GET", "/profile") == NEW | {
        "balance": 123.45,
        "phone": "+996700123456",
        "status": "blocked",
    }


async def test_what_is_given_is_changed_and_the_rest_stays(world: World) -> None:
    doors = PhoneDoors(world)
    named = NEW | {"name": "Айгүл", "email": "a.b+c@example.co.kg"}
    assert await doors.ask("PUT", "/profile", {"name": "  Айгүл ", "email": "a.b+c@example.co.kg"}) == named
    assert await doors.ask("PUT", "/profile", {"birthday": "1990-05-15"}) == named | {"birthday": "1990-05-15"}
    whole = named | {"birthday": "1991-01-01", "name": "Айгүл А."}
    change = {"name": "Айгүл А.", "birthday": "1991-01-01", "email": None}
    assert await doors.ask("PUT", "/profile", change) == whole
    assert await doors.ask("PUT", "/profile", {}) == whole
    assert await doors.ask("PUT", "/profile") == whole
    assert await doors.ask("GET", "/profile") == whole


async def test_nothing_else_can_be_changed(world: World) -> None:
    """A phone proves itself by a code; money moves by entries."""
    await world.give(1_00)
    body = {"phone": "+996700999999", "balance": 1000, "status": "blocked", "client_id": CLIENT, "role": "admin"}
    assert await PhoneDoors(world).ask("PUT", "/profile", body) == NEW | {"balance": 1}
    assert (await world.sql("SELECT phone FROM clients"))[0]["phone"] is None


@pytest.mark.parametrize(
    ("given", "day"),
    [
        ("1990-05-15", "1990-05-15"),
        ("1990-05-15T00:00:00", "1990-05-15"),
        ("1990-05-15T00:00:00Z", "1990-05-15"),
        ("1990-05-14T18:00:00.000Z", "1990-05-15"),
        ("1990-05-15T00:00:00+06:00", "1990-05-15"),
        ("1900-01-01", "1900-01-01"),
        ("2026-11-23", "2026-11-23"),
    ],
)
async def test_a_birthday_is_the_day_in_bishkek(world: World, given: str, day: str) -> None:
    """A browser writes local midnight in UTC."""
    assert (await PhoneDoors(world).ask("PUT", "/profile", {"birthday": given}))["birthday"] == day


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "   "}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"name": "a\0b"}, "name"),
        ({"name": "a\nb"}, "name"),
        ({"name": 7}, "name"),
        ({"name": ["a"]}, "name"),
        ({"email": ""}, "email"),
        ({"email": "a"}, "email"),
        ({"email": "a@b"}, "email"),
        ({"email": "a@b@c.kg"}, "email"),
        ({"email": "a b@c.kg"}, "email"),
        ({"email": "a@c.kg\n"}, "email"),
        ({"email": "<a@c.kg>"}, "email"),
        ({"email": f"a@{'b' * 250}.kg"}, "email"),
        ({"email": 7}, "email"),
        ({"birthday": "15.05.1990"}, "birthday"),
        ({"birthday": "1990-02-30"}, "birthday"),
        ({"birthday": "1899-12-31"}, "birthday"),
        ({"birthday": "2026-11-24"}, "birthday"),
        ({"birthday": "0001-01-01T00:00:00+14:00"}, "birthday"),
        ({"birthday": "9999-12-31T23:59:59-14:00"}, "birthday"),
        ({"birthday": 19900515}, "birthday"),
    ],
)
async def test_what_cannot_be_is_400_with_its_field_and_changes_nothing(
    world: World, body: dict[str, object], field: str
) -> None:
    doors = PhoneDoors(world)
    good = {"name": "Айгүл", "email": "a@example.com", "birthday": "1990-05-15"}
    before = await doors.ask("PUT", "/profile", good)
    refused = await doors.ask("PUT", "/profile", {"name": "Other"} | body, status=400)
    assert (refused["error"], [each["field"] for each in refused["detail"]]) == ("validation_error", [field])
    assert await doors.ask("GET", "/profile") == before


async def test_every_wrong_field_is_named_at_once(world: World) -> None:
    refused = await PhoneDoors(world).ask("PUT", "/profile", {"name": "", "email": "a", "birthday": "x"}, status=400)
    assert [each["field"] for each in refused["detail"]] == ["name", "email", "birthday"]


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_who_is_not_signed_in_is_401(world: World, method: str) -> None:
    for mode in MODES:
        await PhoneDoors(world, mode).ask(method, "/profile", token=None, status=401)
    for mode in MODES[1:]:
        await PhoneDoors(world, mode).ask(method, f"/profile?client_id={CLIENT}", token=None, status=401)
    assert await world.sql("SELECT id FROM clients") == []
    named = await PhoneDoors(world).ask(method, f"/profile?client_id={CLIENT}", token=None)
    assert named == NEW
    assert (await PhoneDoors(world).ask(method, "/profile?client_id=other", status=403))["error"] == "forbidden"


async def test_an_account_that_ends_is_read_and_not_changed(world: World) -> None:
    doors = PhoneDoors(world)
    await doors.ask("PUT", "/profile", {"name": "Айгүл"})
    await world.app.accounts.request_deletion(CLIENT, "client")
    assert (await doors.ask("PUT", "/profile", {"name": "Other"}))["error"] == "client_deleted"
    assert await doors.ask("GET", "/profile") == NEW | {"name": "Айгүл", "status": "inactive"}


async def test_a_repeated_change_is_one_change(world: World) -> None:
    doors = PhoneDoors(world)
    first = await doors.ask("PUT", "/profile", {"name": "Айгүл"}, key="k1")
    await doors.ask("PUT", "/profile", {"name": "Айгүл А."}, key="k2")
    assert await doors.ask("PUT", "/profile", {"name": "Айгүл"}, key="k1") == first
    assert (await doors.ask("GET", "/profile"))["name"] == "Айгүл А."
    await doors.ask("PUT", "/profile", {"name": "Other"}, key="k1", status=409)


async def test_the_log_says_which_fields_changed_and_never_what_is_in_them(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.INFO):
        await PhoneDoors(world).ask("PUT", "/profile", {"name": "Айгүл", "email": "a@example.com"})
    assert f"profile changed: client_id={CLIENT}, fields=('name', 'email')" in caplog.messages
    assert "Айгүл" not in caplog.text
    assert "a@example.com" not in caplog.text


async def test_a_merged_persons_birthday_is_the_survivors(world: World) -> None:
    other = ClientId("client-2")
    doors = PhoneDoors(world)
    await doors.ask("PUT", "/profile", {"birthday": "1990-05-15"})
    await doors.ask("PUT", "/profile", {"name": "B"}, token=token_of(other))
    await world.app.merging.merge(CLIENT, other, "один человек", "ann")
    assert (await doors.ask("GET", "/profile"))["birthday"] == "1990-05-15"


async def test_an_address_makes_up_so_many_clients_and_no_more(world: World) -> None:
    doors = PhoneDoors(world)
    for number in range(NEW_CLIENT.most):
        await doors.ask("GET", f"/profile?client_id=new-{number}", token=None)
    for method in ("GET", "PUT"):
        await doors.ask(method, "/profile?client_id=one-more", token=None, status=429)


async def test_staff_have_their_role_and_how_much_is_their_own(world: World) -> None:
    """Known by a token of another issuer too, which cannot say that it is staff's."""
    await world.sql(
        "INSERT INTO users (id, role, email, admin_id) VALUES ('staff-1', 'operator', 's@example.com', 'boss'), "
        "('staff-2', 'admin', NULL, NULL)"
    )
    await world.sql("UPDATE locations SET user_id = 'staff-1'")
    doors = PhoneDoors(world)
    assert await doors.ask("GET", "/profile", token=token_of("staff-1")) == {
        "success": True,
        "user_type": "admin",
        "client_id": "staff-1",
        "email": "s@example.com",
        "role": "operator",
        "is_active": True,
        "admin_id": "boss",
        "stations_count": 1,
        "locations_count": 1,
    }
    other = await doors.ask("GET", "/profile", token=token_of("staff-2"))
    assert (other["role"], other["stations_count"], other["locations_count"]) == ("admin", 0, 0)
    assert await world.sql("SELECT id FROM clients") == []
