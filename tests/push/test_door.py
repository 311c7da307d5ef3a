"""The doors of devices and their messages (contract/rest-api §7.2; roadmap/history-favorites-push §3)."""

from __future__ import annotations

from typing import Any

import pytest
from quart import Response

from evpower.db.pool import Pool
from evpower.http.wire.caller import Mode
from evpower.push.devices import PushRules
from evpower.push.recipient import Recipient
from evpower.push.services.vapid import base64url
from tests.worlds.push import (
    DEVICES,
    ENDPOINT,
    HOSTS,
    ME,
    NOTIFICATIONS,
    OTHER,
    OWNER,
    RULES,
    STAFF_PHONE,
    PushWorld,
    token,
)

SUBSCRIPTION = {
    "endpoint": ENDPOINT,
    "expirationTime": None,
    "keys": {"p256dh": base64url(b"\4" + b"k" * 64), "auth": base64url(b"a" * 16)},
}
REGISTER = {"fcm_token": token(), "platform": "android", "app_version": "1.2.3"}
MINE, OTHERS, STAFF = ({"Authorization": f"Bearer {name}"} for name in ("mine", "others", "staff"))
DOORS: list[tuple[str, str, dict[str, Any]]] = [
    ("POST", f"{DEVICES}/register", REGISTER),
    ("POST", f"{DEVICES}/unregister", {"fcm_token": token()}),
    ("POST", f"{NOTIFICATIONS}/subscribe", {"subscription": SUBSCRIPTION, "user_type": "client"}),
    ("POST", f"{NOTIFICATIONS}/unsubscribe", {"endpoint": ENDPOINT}),
    ("GET", f"{NOTIFICATIONS}/preferences", {}),
    ("PUT", f"{NOTIFICATIONS}/preferences", {"promotions": True}),
    ("POST", f"{NOTIFICATIONS}/test", {}),
]


@pytest.fixture
async def world(pool: Pool) -> PushWorld:
    return PushWorld(pool)


async def asked(
    world: PushWorld,
    method: str,
    path: str,
    body: dict[str, Any],
    headers: dict[str, str] | None = None,
    mode: Mode = "trust",
) -> tuple[int, Any]:
    door = world.door(mode)
    json = None if method == "GET" else body
    answer: Response = await door.open(path, method=method, json=json, headers=headers or {})
    return answer.status_code, await answer.get_json()


async def test_a_phone_is_registered_for_the_tokens_person(world: PushWorld) -> None:
    answer = await asked(world, "POST", f"{DEVICES}/register", REGISTER, MINE)
    assert answer == (200, {"success": True})
    assert await asked(world, "POST", f"{DEVICES}/register", REGISTER, MINE) == answer
    (row,) = await world.sql("SELECT owner_type, owner_id, platform, app_version, sign_in_id FROM evpower.push_targets")
    assert list(row.values()) == ["client", ME.owner_id, "android", "1.2.3", "sign-in-1"]


async def test_staff_registers_as_the_owner_of_locations(world: PushWorld) -> None:
    await asked(world, "POST", f"{DEVICES}/register", REGISTER, STAFF)
    assert await world.devices(OWNER) == [token()]


async def test_in_trust_the_named_client_is_believed(world: PushWorld) -> None:
    body = {**REGISTER, "client_id": OTHER.owner_id}
    assert (await asked(world, "POST", f"{DEVICES}/register", body))[0] == 200
    assert await world.devices(OTHER) == [token()]


@pytest.mark.parametrize(("method", "path", "body"), DOORS)
async def test_nobody_is_401_and_another_client_403(
    world: PushWorld, method: str, path: str, body: dict[str, Any]
) -> None:
    modes: tuple[Mode, ...] = ("trust", "optional", "required")
    for mode in modes:
        status, answer = await asked(world, method, path, body, mode=mode)
        assert (status, answer["error"]) == (401, "unauthorized")
    other = f"{path}?client_id={OTHER.owner_id}"
    status, answer = await asked(world, method, other, {**body, "client_id": OTHER.owner_id}, MINE)
    assert (status, answer["error"]) == (403, "forbidden")
    assert await world.sql("SELECT 1 FROM evpower.push_targets UNION SELECT 1 FROM evpower.push_preferences") == []


@pytest.mark.parametrize(("method", "path", "body"), DOORS)
async def test_what_is_not_set_up_is_404_and_writes_nothing(
    pool: Pool, method: str, path: str, body: dict[str, Any]
) -> None:
    world = PushWorld(pool, PushRules(hosts=HOSTS))
    status, answer = await asked(world, method, path, body, MINE)
    assert (status, answer["error"]) == (404, "not_found")
    assert await world.sql("SELECT 1 FROM evpower.push_targets UNION SELECT 1 FROM evpower.push_preferences") == []


async def test_each_kind_is_on_by_its_own_key(pool: Pool) -> None:
    only_fcm, only_web = PushWorld(pool, PushRules(fcm=True)), PushWorld(pool, PushRules(False, "key", HOSTS))
    subscribe = {"subscription": SUBSCRIPTION}
    for world, register, web in ((only_fcm, 200, 404), (only_web, 404, 200)):
        assert (await asked(world, "POST", f"{DEVICES}/register", REGISTER, MINE))[0] == register
        assert (await asked(world, "POST", f"{NOTIFICATIONS}/subscribe", subscribe, MINE))[0] == web
        assert (await asked(world, "GET", f"{NOTIFICATIONS}/vapid-public-key", {}))[0] == web


async def test_what_is_no_token_of_fcms_is_refused_by_name(world: PushWorld) -> None:
    for wrong in ("short", "не токен " * 5, "x" * 1001):
        status, answer = await asked(world, "POST", f"{DEVICES}/register", {**REGISTER, "fcm_token": wrong}, MINE)
        assert (status, answer["detail"][0]["field"]) == (400, "fcm_token")
    assert answer["error"] == "fcm_token_invalid"
    assert await world.devices() == []


@pytest.mark.parametrize("field", ["fcm_token", "platform"])
async def test_a_missing_field_is_named(world: PushWorld, field: str) -> None:
    body = {name: value for name, value in REGISTER.items() if name != field}
    status, answer = await asked(world, "POST", f"{DEVICES}/register", body, MINE)
    assert (status, answer["error"], [wrong["field"] for wrong in answer["detail"]]) == (
        400,
        "validation_error",
        [field],
    )


async def test_a_device_that_is_not_the_callers_is_not_found(world: PushWorld) -> None:
    await asked(world, "POST", f"{DEVICES}/register", REGISTER, MINE)
    unregister = ("POST", f"{DEVICES}/unregister", {"fcm_token": token()})
    status, answer = await asked(world, *unregister, OTHERS)
    assert (status, answer["success"], answer["error"]) == (200, False, "device_not_found")
    assert await asked(world, *unregister, MINE) == (200, {"success": True})
    assert await world.devices() == []


async def test_a_browser_subscribes_with_the_servers_key(world: PushWorld) -> None:
    assert await asked(world, "GET", f"{NOTIFICATIONS}/vapid-public-key", {}) == (
        200,
        {"success": True, "data": {"public_key": RULES.vapid_public_key}},
    )
    body = {"subscription": SUBSCRIPTION, "user_type": "client"}
    status, answer = await asked(world, "POST", f"{NOTIFICATIONS}/subscribe", body, MINE)
    assert (status, answer["success"], answer["subscription_id"].isdigit()) == (200, True, True)
    assert await world.devices() == [ENDPOINT]
    assert await asked(world, "POST", f"{NOTIFICATIONS}/unsubscribe", {"endpoint": ENDPOINT}, MINE) == (
        200,
        {"success": True},
    )
    assert await world.devices() == []


@pytest.mark.parametrize("endpoint", ["https://127.0.0.1/x", "https://fcm.googleapis.com.evil.kg/"])
async def test_an_endpoint_of_another_host_is_400(world: PushWorld, endpoint: str) -> None:
    """Otherwise the server would be a proxy into the operator's network (acceptance 5)."""
    body = {"subscription": {**SUBSCRIPTION, "endpoint": endpoint}}
    status, answer = await asked(world, "POST", f"{NOTIFICATIONS}/subscribe", body, MINE)
    assert (status, answer["error"]) == (400, "validation_error")
    assert answer["detail"][0]["field"] == "subscription.endpoint"
    assert await world.devices() == []


@pytest.mark.parametrize(
    "wrong",
    [
        "text",
        {},
        {"endpoint": ENDPOINT},
        {"endpoint": ENDPOINT, "keys": {"p256dh": "AAAA", "auth": base64url(b"a" * 16)}},
        {"endpoint": ENDPOINT, "keys": {**SUBSCRIPTION["keys"], "auth": "AAAA"}},  # type: ignore[dict-item]
        {"endpoint": ENDPOINT, "keys": {**SUBSCRIPTION["keys"], "auth": 5}},  # type: ignore[dict-item]
        {"endpoint": ENDPOINT, "keys": {**SUBSCRIPTION["keys"], "p256dh": "A"}},  # type: ignore[dict-item]
        {"endpoint": 5, "keys": SUBSCRIPTION["keys"]},
    ],
)
async def test_what_is_no_subscription_is_400(world: PushWorld, wrong: object) -> None:
    status, answer = await asked(world, "POST", f"{NOTIFICATIONS}/subscribe", {"subscription": wrong}, MINE)
    assert (status, answer["detail"][0]["field"]) == (400, "subscription")


async def test_a_client_cannot_subscribe_as_an_owner(world: PushWorld) -> None:
    body = {"subscription": SUBSCRIPTION, "user_type": "owner"}
    assert (await asked(world, "POST", f"{NOTIFICATIONS}/subscribe", body, MINE))[0] == 403
    assert (await asked(world, "POST", f"{NOTIFICATIONS}/subscribe", body, STAFF))[0] == 200
    assert await world.devices(OWNER) == [ENDPOINT]


@pytest.mark.parametrize(
    ("field", "header", "kept"),
    [
        ("ky", "en", "ky"),
        (None, "en-US,en;q=0.9,ru;q=0.8", "en"),
        (None, "ky-KG", "ky"),
        (None, "de", "ru"),
        (None, None, "ru"),
    ],
)
async def test_the_language_is_the_named_one_else_the_phones(
    world: PushWorld, field: str | None, header: str | None, kept: str
) -> None:
    body = REGISTER if field is None else {**REGISTER, "locale": field}
    headers = MINE if header is None else {**MINE, "Accept-Language": header}
    await asked(world, "POST", f"{DEVICES}/register", body, headers)
    assert (await world.sql("SELECT locale FROM evpower.push_targets"))[0]["locale"] == kept


async def test_preferences_bear_the_apps_names(world: PushWorld) -> None:
    path = f"{NOTIFICATIONS}/preferences"
    defaults = {"chargingUpdates": True, "paymentAlerts": True, "promotions": False, "systemAlerts": True}
    assert await asked(world, "GET", path, {}, MINE) == (200, {"success": True, **defaults})
    chosen = {"promotions": True, "systemAlerts": False}
    assert await asked(world, "PUT", path, chosen, MINE) == (200, {"success": True, **defaults, **chosen})
    assert await asked(world, "GET", f"{path}?client_id={ME.owner_id}", {}) == (
        200,
        {"success": True, **defaults, **chosen},
    )
    status, answer = await asked(world, "PUT", path, {"promotions": "yes"}, MINE)
    assert (status, answer["detail"][0]["field"]) == (400, "promotions")


async def test_a_test_says_how_many_devices_it_is_on_its_way_to(world: PushWorld) -> None:
    path = f"{NOTIFICATIONS}/test"
    assert (await asked(world, "POST", path, {}, MINE))[1]["sent_to"] == 0
    assert await world.sql("SELECT 1 FROM evpower.push_outbox") == []
    await asked(world, "POST", f"{DEVICES}/register", REGISTER, MINE)
    await asked(world, "POST", f"{NOTIFICATIONS}/subscribe", {"subscription": SUBSCRIPTION}, MINE)
    assert (await asked(world, "POST", path, {}, MINE))[1]["sent_to"] == 2
    (row,) = await world.sql("SELECT owner_id, event, state FROM evpower.push_outbox")
    assert list(row.values()) == [ME.owner_id, "test", "queued"]


async def a_member_of_staff(world: PushWorld, *, active: bool = True) -> None:
    await world.sql(
        "INSERT INTO users (id, role, phone, is_active) VALUES (%s, 'operator', %s, %s)",
        OWNER.owner_id,
        STAFF_PHONE,
        active,
    )


@pytest.mark.parametrize("name", ["foreign staff", "phone of staff"])
async def test_staff_with_another_issuers_token_is_an_owner_too(world: PushWorld, name: str) -> None:
    """Field ruling 6.7: such a token cannot say that it is of staff; the row of `users` does, by its id or phone."""
    await a_member_of_staff(world)
    headers = {"Authorization": f"Bearer {name}"}
    await asked(world, "POST", f"{DEVICES}/register", REGISTER, headers)
    assert await world.devices(OWNER) == [token()]
    assert (await asked(world, "POST", f"{NOTIFICATIONS}/test", {}, headers))[1]["sent_to"] == 1
    assert await world.sql("SELECT owner_type, owner_id FROM evpower.push_outbox") == [
        {"owner_type": "owner", "owner_id": OWNER.owner_id}
    ]


async def test_staff_that_charges_a_car_gets_a_clients_messages_when_it_says_so(world: PushWorld) -> None:
    await a_member_of_staff(world)
    headers = {"Authorization": "Bearer foreign staff"}
    body = {**REGISTER, "user_type": "client"}
    assert (await asked(world, "POST", f"{DEVICES}/register", body, headers))[0] == 200
    assert await world.devices(Recipient("client", OWNER.owner_id)) == [token()]
    assert (await asked(world, "POST", f"{DEVICES}/register", body, STAFF))[0] == 403


@pytest.mark.parametrize(
    ("name", "active"), [("foreign staff", False), ("anonymous", True), ("others", True), ("mine", True)]
)
async def test_who_is_no_staff_or_no_more_is_a_client(world: PushWorld, name: str, active: bool) -> None:
    await a_member_of_staff(world, active=active)
    headers = {"Authorization": f"Bearer {name}"}
    assert (await asked(world, "POST", f"{DEVICES}/register", REGISTER, headers))[0] == 200
    assert await world.devices(OWNER) == []
    body = {"subscription": SUBSCRIPTION, "user_type": "owner"}
    status, answer = await asked(world, "POST", f"{NOTIFICATIONS}/subscribe", body, headers)
    assert (status, answer["error"], answer["reason"]) == (403, "forbidden", "not_staff")
