"""Messages to browsers over real TLS: the stand-in checks who sends, and decrypts with the subscription's own key."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import timedelta

import pytest

from evpower.clock import random_bytes
from evpower.push.delivery import DeliveryOutcome, DeliveryService, Target
from evpower.push.events import Facts
from evpower.push.means import open_push_services
from evpower.push.message import write_message
from evpower.push.services.vapid import base64url
from evpower.settings.push import PushSettings
from tests.worlds.fakes import NOON, SetClock
from tests.worlds.push import RULES
from tests.worlds.push_services import Reply, WebPushStandIn, trusting, web_push_stand_in

SETTINGS = PushSettings(vapid_private_key=base64url((7).to_bytes(32)), vapid_subject="mailto:admin@example.com")
FACTS: Facts = {"energy_wh": 15_000, "cost_tyiyn": 202_50, "refund_tyiyn": 67_50, "session_id": "S-1"}
MESSAGE = write_message("charging_completed", FACTS, "ru", NOON + timedelta(hours=24))


@asynccontextmanager
async def opened() -> AsyncIterator[tuple[WebPushStandIn, DeliveryService, Target]]:
    assert RULES.vapid_public_key is not None
    async with (
        web_push_stand_in(RULES.vapid_public_key) as service,
        open_push_services(SETTINGS, SetClock(), random_bytes, trusting()) as services,
    ):
        service.now = NOON
        browser = service.browser
        yield (
            service,
            services["webpush"],
            Target(1, "webpush", f"{service.url}/s/1", "ru", browser.p256dh, browser.auth),
        )


async def test_a_browser_reads_what_was_sent() -> None:
    async with opened() as (service, web_push, target):
        assert await web_push.deliver(target, MESSAGE) == DeliveryOutcome("sent")
    assert service.delivered == [
        {
            "title": "Зарядка завершена",
            "body": "15 кВт⋅ч, 202,5 сом. Возвращено: 67,5 сом",
            "data": {"event": "charging_completed", "session_id": "S-1"},
        }
    ]
    assert service.asked[0].headers["ttl"] == "86400"


async def test_no_two_messages_are_encrypted_alike() -> None:
    async with opened() as (service, web_push, target):
        for _ in range(2):
            await web_push.deliver(target, MESSAGE)
    one, other = (request.body for request in service.asked)
    assert one[:16] != other[:16]
    assert one[21:86] != other[21:86]


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (Reply(201), DeliveryOutcome("sent")),
        (Reply(404), DeliveryOutcome("ended", "gone")),
        (Reply(410), DeliveryOutcome("ended", "gone")),
        (Reply(413), DeliveryOutcome("dead", "HTTP 413")),
        (Reply(400), DeliveryOutcome("dead", "HTTP 400")),
        (Reply(403), DeliveryOutcome("later", "HTTP 403")),
        (Reply(429, headers={"Retry-After": "30"}), DeliveryOutcome("later", "HTTP 429", 30)),
        (Reply(500), DeliveryOutcome("later", "HTTP 500")),
    ],
)
async def test_what_an_answer_is_taken_for(reply: Reply, outcome: DeliveryOutcome) -> None:
    async with opened() as (service, web_push, target):
        service.replies.append(reply)
        assert await web_push.deliver(target, MESSAGE) == outcome


async def test_a_redirect_is_not_followed() -> None:
    """Otherwise a service could send us into the operator's network."""
    async with opened() as (service, web_push, target):
        service.replies.append(Reply(307, headers={"Location": f"{service.url}/elsewhere"}))
        assert (await web_push.deliver(target, MESSAGE)).fate == "later"
    assert [request.path for request in service.asked] == ["/s/1"]


async def test_what_is_too_long_is_not_sent() -> None:
    async with opened() as (service, web_push, target):
        longest = replace(MESSAGE, body="", data={})
        room = 3800 - len(b'{"title":"","body":"","data":{}}') - len(longest.title.encode())
        assert await web_push.deliver(target, replace(longest, body="x" * room)) == DeliveryOutcome("sent")
        too_long = await web_push.deliver(target, replace(longest, body="x" * (room + 1)))
    assert too_long == DeliveryOutcome("dead", "too_large")
    assert len(service.asked) == 1


async def test_a_subscription_whose_key_is_none_has_ended() -> None:
    async with opened() as (service, web_push, target):
        no_point = replace(target, p256dh=b"\x04" + b"k" * 64)
        assert await web_push.deliver(no_point, MESSAGE) == DeliveryOutcome("ended", "invalid_keys")
    assert service.asked == []


async def test_a_service_whose_certificate_is_not_believed_gets_nothing() -> None:
    async with opened() as (service, _, target), open_push_services(SETTINGS, SetClock()) as services:
        why = "ConnectError, TLS: certificate verify failed: self-signed certificate"
        assert await services["webpush"].deliver(target, MESSAGE) == DeliveryOutcome("later", why)
    assert service.asked == []
