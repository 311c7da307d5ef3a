"""The door to codes: /api/v1/auth (contract/rest-api §7.1)."""

from __future__ import annotations

from typing import Any

import jwt
import pytest

from evpower.db.pool import Pool
from evpower.http.operators.people.signing_keys import signing_key_routes
from evpower.sign_in.codes import CodeRules
from evpower.sign_in.errors import SmsNotSent, SmsUnanswered
from evpower.sign_in.graph import build_sign_in
from evpower.sign_in.means import SignInMeans
from tests.http.fakes import Phone
from tests.http.operators.test_operators_work import client_of
from tests.worlds.sign_in import AUTH, PHONE, SHARED_SECRET, SignInWorld, body_of

SENT = {"success": True, "phone": PHONE, "expires_in_seconds": 300, "resend_available_in_seconds": 60}


@pytest.fixture
async def world(pool: Pool) -> SignInWorld:
    return SignInWorld(pool)


@pytest.mark.parametrize("path", ["/send-otp", "/otp/send"])
async def test_a_code_is_sent(world: SignInWorld, path: str) -> None:
    answer = await world.door().post(f"{AUTH}{path}", json={"phone": PHONE})
    assert await body_of(answer) == SENT
    assert answer.headers["Cache-Control"] == "no-store"
    assert [phone for phone, _ in world.sms.sent] == [PHONE]
    assert "код для входа" in world.sms.sent[0][1]


async def test_the_answer_is_the_same_whosever_the_phone_is(world: SignInWorld) -> None:
    phones = ["+996700000001", "+996700000002", "+996700000003", "+996700000004"]
    await world.sql("INSERT INTO clients (id, phone) VALUES ('known', %s)", phones[0])
    await world.sql("INSERT INTO clients (id, phone, status) VALUES ('blocked', %s, 'blocked')", phones[1])
    await world.sql("INSERT INTO users (id, phone, role) VALUES ('staff', %s, 'admin')", phones[2])
    door = world.door()
    for phone in phones:
        assert await body_of(await door.post(f"{AUTH}/send-otp", json={"phone": phone})) == {**SENT, "phone": phone}


async def test_a_number_may_be_written_as_people_write_it(world: SignInWorld) -> None:
    answer = await world.door().post(f"{AUTH}/send-otp", json={"phone": "+996 (700) 12-34-56"})
    assert await body_of(answer) == SENT


async def test_too_early_is_429_with_the_wait_under_the_apps_name(world: SignInWorld) -> None:
    door = world.door()
    await door.post(f"{AUTH}/send-otp", json={"phone": PHONE})
    world.clock.advance(15)
    answer = await door.post(f"{AUTH}/send-otp", json={"phone": PHONE})
    body = await body_of(answer, 429)
    assert (body["success"], body["error"], body["retry_after_seconds"]) == (False, "rate_limit_exceeded", 45)
    assert "45" in body["message"]
    assert answer.headers["Retry-After"] == "45"


@pytest.mark.parametrize("body", [{}, {"phone": ""}, {"phone": 996700123456}, {"phone": "+99670012345"}, []])
async def test_a_bad_phone_is_400(world: SignInWorld, body: object) -> None:
    answer = await body_of(await world.door().post(f"{AUTH}/send-otp", json=body), 400)
    assert answer["error"] == "validation_error"
    assert world.sms.sent == []


@pytest.mark.parametrize("failure", [SmsNotSent(), SmsUnanswered()], ids=["not sent", "unanswered"])
async def test_a_gateway_that_fails_is_200_provider_unavailable(world: SignInWorld, failure: SmsNotSent) -> None:
    world.sms.failure = failure
    body = await body_of(await world.door().post(f"{AUTH}/send-otp", json={"phone": PHONE}))
    assert (body["success"], body["error"]) == (False, "provider_unavailable")
    assert "SMS" in body["message"]


@pytest.mark.parametrize("query", ["phone=%2B996700123456", "phone=+996700123456"])
async def test_when_a_code_can_be_sent_can_be_asked(world: SignInWorld, query: str) -> None:
    door = world.door()
    asked = {"success": True, "phone": PHONE}
    free = await body_of(await door.get(f"{AUTH}/otp/status?{query}"))
    assert free == {**asked, "can_send": True, "wait_seconds": 0}
    await door.post(f"{AUTH}/send-otp", json={"phone": PHONE})
    waiting = await body_of(await door.get(f"{AUTH}/otp/status?{query}"))
    assert waiting == {**asked, "can_send": False, "wait_seconds": 60}


@pytest.mark.parametrize("query", ["", "?phone=", "?phone=12"])
async def test_a_status_without_a_phone_is_400(world: SignInWorld, query: str) -> None:
    await body_of(await world.door().get(f"{AUTH}/otp/status{query}"), 400)


async def test_without_anything_to_send_with_there_is_no_such_door(world: SignInWorld) -> None:
    rules, random_bytes = CodeRules(), world.random_bytes
    off = build_sign_in(world.pool, world.clock, world.ids, SignInMeans(b"s" * 32, sms=None), rules, random_bytes)
    door = world.door(off)
    for answer in (
        await door.post(f"{AUTH}/send-otp", json={"phone": PHONE}),
        await door.get(f"{AUTH}/otp/status?phone={PHONE}"),
        await door.post(f"{AUTH}/verify-otp", json={"phone": PHONE, "code": "123456"}),
    ):
        assert (await body_of(answer, 404))["error"] == "not_found"
    assert await world.sql("SELECT 1 FROM evpower.sign_in_codes") == []


async def signed_in(world: SignInWorld, door: Phone, phone: str = PHONE, verify: str = "verify-otp") -> Any:
    await world.sign_in.keys.look()
    await door.post(f"{AUTH}/send-otp", json={"phone": phone})
    return await body_of(await door.post(f"{AUTH}/{verify}", json={"phone": phone, "code": world.code}))


@pytest.mark.parametrize("verify", ["verify-otp", "otp/verify"])
async def test_a_client_signs_in(world: SignInWorld, verify: str) -> None:
    body = await signed_in(world, world.door(), verify=verify)
    user, token, refresh_token = body.pop("user"), body.pop("access_token"), body.pop("refresh_token")
    assert body == {
        "success": True,
        "token_type": "Bearer",
        "expires_in": 3600,
        "user_type": "client",
        "is_new_user": True,
    }
    assert (token.count("."), len(refresh_token)) == (2, 43)
    created_at = "2026-11-23T06:00:00.000000Z"
    expected = {"phone": PHONE, "balance": 0, "status": "active", "created_at": created_at}
    assert user == {"id": user["id"], **expected}


async def test_a_known_client_has_a_name_and_a_balance_in_som(world: SignInWorld) -> None:
    await world.sql("INSERT INTO clients (id, phone, name, balance) VALUES ('6f1c', %s, 'Айбек', 12.5)", PHONE)
    body = await signed_in(world, world.door())
    assert (body["user"]["id"], body["user"]["name"], body["user"]["balance"]) == ("6f1c", "Айбек", 12.5)
    assert not body["is_new_user"]


async def test_staff_signs_in(world: SignInWorld) -> None:
    await world.sql("INSERT INTO users (id, phone, role) VALUES ('ann', %s, 'admin')", PHONE)
    body = await signed_in(world, world.door())
    assert body["user_type"] == "admin"
    user = body["user"]
    expected = {"id": "ann", "phone": PHONE, "role": "admin", "is_active": True, "created_at": user["created_at"]}
    assert user == expected


async def test_no_cookie_is_set(world: SignInWorld) -> None:
    door = world.door()
    await door.post(f"{AUTH}/send-otp", json={"phone": PHONE})
    await world.sign_in.keys.look()
    answer = await door.post(f"{AUTH}/otp/verify", json={"phone": PHONE, "code": world.code})
    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers
    assert answer.headers["Cache-Control"] == "no-store"


async def test_a_wrong_code_is_401_with_the_tries_left_until_it_is_expired(world: SignInWorld) -> None:
    door = world.door()
    await door.post(f"{AUTH}/send-otp", json={"phone": PHONE})
    wrong = {"phone": PHONE, "code": f"{(int(world.code) + 1) % 1_000_000:06}"}
    for left in (2, 1, 0):
        body = await body_of(await door.post(f"{AUTH}/verify-otp", json=wrong), 401)
        assert (body["error"], body["attempts_left"], body["message"]) == ("unauthorized", left, "Неверный код")
    body = await body_of(await door.post(f"{AUTH}/verify-otp", json={"phone": PHONE, "code": world.code}), 401)
    assert (body["error"], body["reason"]) == ("unauthorized", "code_expired")


@pytest.mark.parametrize("code", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦", 123456, None])
async def test_what_is_no_code_is_400_and_costs_no_try(world: SignInWorld, code: object) -> None:
    door = world.door()
    await door.post(f"{AUTH}/send-otp", json={"phone": PHONE})
    await body_of(await door.post(f"{AUTH}/verify-otp", json={"phone": PHONE, "code": code}), 400)
    assert await world.sql("SELECT wrong_attempts FROM evpower.sign_in_codes") == [{"wrong_attempts": 0}]


async def test_a_refresh_answers_an_access_token_alone_unless_rotation_is_asked_for(world: SignInWorld) -> None:
    door = world.door()
    token = (await signed_in(world, door))["refresh_token"]
    plain = await body_of(await door.post(f"{AUTH}/refresh", json={"refresh_token": token}))
    assert plain.keys() == {"success", "access_token", "token_type", "expires_in"}
    assert plain["expires_in"] == 3600
    rotated = await body_of(await door.post(f"{AUTH}/refresh", json={"refresh_token": token, "rotate": True}))
    assert rotated["refresh_token"] != token


@pytest.mark.parametrize("body", [{}, {"refresh_token": 7}, {"refresh_token": "x", "rotate": "yes"}])
async def test_a_refresh_that_cannot_be_read_is_400(world: SignInWorld, body: object) -> None:
    await body_of(await world.door().post(f"{AUTH}/refresh", json=body), 400)


async def test_after_the_logout_a_refresh_is_401_and_says_why(world: SignInWorld) -> None:
    door = world.door()
    token = {"refresh_token": (await signed_in(world, door))["refresh_token"]}
    for _ in range(2):
        assert await body_of(await door.post(f"{AUTH}/logout", json=token)) == {"success": True}
    body = await body_of(await door.post(f"{AUTH}/refresh", json=token), 401)
    assert (body["error"], body["reason"]) == ("unauthorized", "logout")


@pytest.mark.parametrize("body", [{}, {"refresh_token": "unknown"}])
async def test_a_logout_of_nobody_succeeds(world: SignInWorld, body: object) -> None:
    assert await body_of(await world.door().post(f"{AUTH}/logout", json=body)) == {"success": True}


async def test_the_key_set_is_public_and_may_be_kept_shorter_than_a_key_waits(world: SignInWorld) -> None:
    await world.sign_in.keys.look()
    answer = await world.door().get("/.well-known/jwks.json")
    body = await body_of(answer)
    assert [key["kid"] for key in body["keys"]] == [key["kid"] for key in world.sign_in.keys.key_set()]
    assert all("d" not in key for key in body["keys"])
    assert answer.headers["Cache-Control"] == "public, max-age=300"


async def test_with_sms_off_who_is_signed_in_stays_so(world: SignInWorld) -> None:
    token = (await signed_in(world, world.door()))["refresh_token"]
    rules, random_bytes = CodeRules(), world.random_bytes
    off = build_sign_in(world.pool, world.clock, world.ids, SignInMeans(b"s" * 32, sms=None), rules, random_bytes)
    await off.keys.look()
    await body_of(await world.door(off).post(f"{AUTH}/refresh", json={"refresh_token": token}))


async def test_an_operator_changes_the_signing_key(world: SignInWorld) -> None:
    await world.sign_in.keys.look()
    [old] = world.sign_in.keys.key_set()
    client = client_of(signing_key_routes(world.sign_in.keys))
    body = await body_of(await client.post("/signing-keys", json={"at_once": True}))
    assert body["data"]["at_once"]
    assert [key["kid"] for key in world.sign_in.keys.key_set()] == [body["data"]["kid"]] != [old["kid"]]
    for wrong in ({"at_once": "yes"}, {"actor": "ann"}):
        await body_of(await client.post("/signing-keys", json=wrong), 400)


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


async def test_me_is_the_callers_row_as_it_is_now(world: SignInWorld) -> None:
    door = world.door()
    body = await signed_in(world, door)
    await world.sql("UPDATE clients SET name = 'Айбек', balance = 7.5")
    me = await body_of(await door.get(f"{AUTH}/me", headers=bearer(body["access_token"])))
    assert me == {"success": True, "user": {**body["user"], "name": "Айбек", "balance": 7.5}, "user_type": "client"}


async def test_me_of_staff(world: SignInWorld) -> None:
    await world.sql("INSERT INTO users (id, phone, role) VALUES ('ann', %s, 'admin')", PHONE)
    door = world.door()
    body = await signed_in(world, door)
    me = await body_of(await door.get(f"{AUTH}/me", headers=bearer(body["access_token"])))
    assert me == {"success": True, "user": body["user"], "user_type": "admin"}


async def test_me_with_a_token_of_another_issuer(world: SignInWorld) -> None:
    now = int(world.clock.now().timestamp())
    token = jwt.encode({"sub": "6f1c", "aud": "authenticated", "exp": now + 60}, SHARED_SECRET, algorithm="HS256")
    me = await body_of(await world.door().get(f"{AUTH}/me", headers=bearer(token)))
    assert (me["user"]["id"], me["user"]["status"], me["user_type"]) == ("6f1c", "active", "client")


@pytest.mark.parametrize(("method", "path"), [("GET", "/me"), ("POST", "/logout-all")])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer a.b.c"}], ids=["no token", "a bad token"])
async def test_who_the_caller_is_must_be_known(
    world: SignInWorld, method: str, path: str, headers: dict[str, str]
) -> None:
    answer = await world.door().open(f"{AUTH}{path}", method=method, headers=headers)
    assert (await body_of(answer, 401))["error"] == "unauthorized"


async def test_signing_out_everywhere_ends_both_phones_and_their_tokens(world: SignInWorld) -> None:
    door = world.door()
    first = await signed_in(world, door)
    world.clock.advance(60)
    second = await signed_in(world, door)
    assert await body_of(await door.post(f"{AUTH}/logout-all", headers=bearer(first["access_token"]))) == {
        "success": True
    }
    for phone in (first, second):
        await body_of(await door.get(f"{AUTH}/me", headers=bearer(phone["access_token"])), 401)
        body = await body_of(await door.post(f"{AUTH}/refresh", json={"refresh_token": phone["refresh_token"]}), 401)
        assert body["reason"] == "logout_all"


async def test_an_expired_access_token_beside_it_does_not_hinder_a_refresh(world: SignInWorld) -> None:
    """The app sends its token on every call (contract/rest-api §1.8)."""
    door = world.door()
    body = await signed_in(world, door)
    world.clock.advance(7200)
    token, headers = {"refresh_token": body["refresh_token"]}, bearer(body["access_token"])
    await body_of(await door.post(f"{AUTH}/refresh", json=token, headers=headers))
    await body_of(await door.post(f"{AUTH}/logout", json=token, headers=headers))
