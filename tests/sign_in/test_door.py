"""The door to codes: /api/v1/auth (contract/rest-api §7.1)."""

from __future__ import annotations

import pytest

from evpower.db.pool import Pool
from evpower.errors import SmsNotSent, SmsUnanswered
from evpower.http.phones.sign_in import sign_in_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.sign_in.codes import CodeRules
from evpower.sign_in.means import SignInMeans
from evpower.sign_in.phone_codes import PhoneCodes
from tests.worlds.sign_in import AUTH, PHONE, SignInWorld, body_of

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
    means = SignInMeans(b"s" * 32, sms=None)
    codes = PhoneCodes(world.pool, world.clock, means, CodeRules(), world.random_bytes)
    app = HttpApplication("test", ids=world.ids, limits=RequestLimits())
    app.register_blueprint(sign_in_routes(codes, prefix="/api/v1"))
    door = app.test_client()
    for answer in (
        await door.post(f"{AUTH}/send-otp", json={"phone": PHONE}),
        await door.get(f"{AUTH}/otp/status?phone={PHONE}"),
    ):
        assert (await body_of(answer, 404))["error"] == "not_found"
    assert await world.sql("SELECT 1 FROM evpower.sign_in_codes") == []
