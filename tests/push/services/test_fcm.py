"""FCM HTTP v1 over a real socket: what is sent, how access is had, and what each answer is taken for."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
import trio

from evpower.errors import ConfigError
from evpower.push.delivery import DeliveryOutcome, DeliveryService, Target
from evpower.push.means import open_push_services
from evpower.push.message import write_message
from evpower.push.services.service_account import read_service_account
from evpower.settings.push import PushSettings
from tests.payments.gateways.peer import closed_port
from tests.worlds import push_services as stand_in
from tests.worlds.fakes import NOON, SetClock
from tests.worlds.push import token
from tests.worlds.push_services import FcmStandIn, Reply, fcm_stand_in

TARGET = Target(1, "fcm", token(), "ru")
MESSAGE = write_message("charging_started", {"session_id": "S-1"}, "ru", NOON + timedelta(minutes=10))


@asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[tuple[FcmStandIn, DeliveryService, SetClock]]:
    """FCM as it is configured, before the stand-in."""
    async with fcm_stand_in() as fcm:
        path = tmp_path / "account.json"
        path.write_text(json.dumps(fcm.account()))
        clock = SetClock()
        async with open_push_services(PushSettings(fcm_service_account=str(path), fcm_url=fcm.url), clock) as services:
            yield fcm, services["fcm"], clock


async def test_a_message_is_as_fcm_wants_it(tmp_path: Path) -> None:
    async with opened(tmp_path) as (fcm, service, _):
        assert await service.deliver(TARGET, MESSAGE) == DeliveryOutcome("sent")
    assert fcm.accepted == [
        {
            "token": token(),
            "notification": {"title": "Зарядка началась", "body": ""},
            "data": {"event": "charging_started", "session_id": "S-1"},
            "android": {"ttl": "600s", "priority": "high", "collapse_key": "charging_started"},
            "apns": {"headers": {"apns-expiration": str(int(NOON.timestamp()) + 600)}},
        }
    ]


async def test_one_access_token_serves_until_a_minute_before_its_end(tmp_path: Path, autojump_clock: object) -> None:
    async with opened(tmp_path) as (fcm, service, _):
        fcm.lasts_s = 100
        for _ in range(3):
            await service.deliver(TARGET, MESSAGE)
        assert len(fcm.access) == 1
        await trio.sleep(39)
        await service.deliver(TARGET, MESSAGE)
        assert len(fcm.access) == 1
        await trio.sleep(2)
        await service.deliver(TARGET, MESSAGE)
        assert len(fcm.access) == 2


async def test_many_at_once_ask_for_access_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as (fcm, service, _):
        async with trio.open_nursery() as nursery:
            for _ in range(5):
                nursery.start_soon(service.deliver, TARGET, MESSAGE)
        assert (len(fcm.access), len(fcm.accepted)) == (1, 5)


async def test_access_that_was_taken_away_is_had_anew_once(tmp_path: Path) -> None:
    async with opened(tmp_path) as (fcm, service, _):
        await service.deliver(TARGET, MESSAGE)
        fcm.access[0] = "taken away"
        assert await service.deliver(TARGET, MESSAGE) == DeliveryOutcome("sent")
        assert len(fcm.access) == 2
        fcm.refuse(token(), stand_in.UNAUTHENTICATED, stand_in.UNAUTHENTICATED)
        assert (await service.deliver(TARGET, MESSAGE)).fate == "later"
        assert (len(fcm.access), len(fcm.asked)) == (3, 4)


@pytest.mark.parametrize(
    ("reply", "outcome"),
    [
        (stand_in.UNREGISTERED, DeliveryOutcome("ended", "unregistered")),
        (stand_in.INVALID_TOKEN, DeliveryOutcome("ended", "invalid_token")),
        (stand_in.MISMATCH, DeliveryOutcome("ended", "sender_id_mismatch")),
        (stand_in.INVALID_MESSAGE, DeliveryOutcome("dead", "HTTP 400")),
        (stand_in.UNAVAILABLE, DeliveryOutcome("later", "HTTP 503 UNAVAILABLE")),
        (stand_in.QUOTA, DeliveryOutcome("later", "HTTP 429 QUOTA_EXCEEDED", 77)),
        (Reply(500, b"[" * 100_000), DeliveryOutcome("later", "HTTP 500")),
        (Reply(502, b"<html>"), DeliveryOutcome("later", "HTTP 502")),
        (Reply(404, b"not here"), DeliveryOutcome("later", "HTTP 404")),
        (Reply(302, headers={"Location": "http://127.0.0.1:1/"}), DeliveryOutcome("later", "HTTP 302")),
    ],
)
async def test_what_an_answer_is_taken_for(tmp_path: Path, reply: Reply, outcome: DeliveryOutcome) -> None:
    """A message that we wrote wrongly ends no device, nor does a wrong address of ours."""
    async with opened(tmp_path) as (fcm, service, _):
        fcm.refuse(token(), reply)
        assert await service.deliver(TARGET, MESSAGE) == outcome


async def test_nobody_there_is_later(tmp_path: Path) -> None:
    async with fcm_stand_in() as fcm:
        fcm.url = f"http://127.0.0.1:{await closed_port()}"
        path = tmp_path / "account.json"
        path.write_text(json.dumps(fcm.account()))
    settings = PushSettings(fcm_service_account=str(path), fcm_url=fcm.url)
    async with open_push_services(settings, SetClock()) as services:
        assert await services["fcm"].deliver(TARGET, MESSAGE) == DeliveryOutcome("later", "ConnectError")


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"private_key": "secret words"}, "no service account"),
        ({"project_id": None}, "no service account"),
        ({"token_uri": "http://oauth.example.com/token"}, "token_uri"),
        (None, "cannot be read"),
    ],
)
def test_a_file_that_is_no_service_account_is_refused_and_not_shown(
    tmp_path: Path, change: dict[str, str | None] | None, says: str
) -> None:
    path = tmp_path / "account.json"
    if change is not None:
        fcm = FcmStandIn()
        fcm.url = "https://oauth.example.com"
        path.write_text(json.dumps({**fcm.account(), **change}))
    with pytest.raises(ConfigError, match=says) as raised:
        read_service_account(path)
    assert "secret" not in str(raised.value)
