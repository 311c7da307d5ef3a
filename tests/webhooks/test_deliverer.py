"""How events get there: signed, at least once, again and again for a week, and no longer to who does not want them."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator

import pytest
import trio

from evpower.clock import ClockWatch
from evpower.errors import InvalidRequest, NotFound
from evpower.webhooks.deliverer import LEASE, WebhookDeliverer, forget_deliveries
from tests.worlds.charging import World
from tests.worlds.push_services import Reply, Request, trusting
from tests.worlds.receiver import Sender, is_signed, open_receiver

DAY_S = 24 * 3600


@pytest.fixture
async def sender(world: World) -> AsyncIterator[Sender]:
    async with open_receiver() as receiver:
        yield Sender(world, receiver)


async def start(world: World) -> None:
    """One event: a charge begins."""
    await world.give(500_00)
    session_id = (await world.order(energy_wh=10_000)).session.session_id
    await world.begin(await world.tag_of(session_id))


async def test_a_message_is_signed_as_the_standard_has_it(world: World, sender: Sender) -> None:
    made = await sender.add()
    await start(world)
    await sender.deliver()
    [request] = sender.receiver.requests
    now_s = world.clock.now().timestamp()
    assert (request.method, request.path, request.headers["content-type"]) == ("POST", "/hook", "application/json")
    assert is_signed(request, made.secret, now_s=now_s)
    assert not is_signed(request, made.secret, now_s=now_s + 360), "6 minutes off"
    wrong = Request(request.method, request.path, request.headers, request.body.replace(b"session", b"sessiom", 1))
    assert not is_signed(wrong, made.secret, now_s=now_s)


async def test_a_new_secret_and_the_old_one_sign_for_a_day(world: World, sender: Sender) -> None:
    old = await sender.add()
    new = await sender.webhooks.rotate(old.endpoint.id, actor="test")
    await start(world)
    await sender.deliver()
    [request] = sender.receiver.requests
    now_s = world.clock.now().timestamp()
    assert old.secret != new.secret
    assert is_signed(request, old.secret, now_s=now_s)
    assert is_signed(request, new.secret, now_s=now_s)
    world.clock.advance(DAY_S)
    delivery = (await sender.webhooks.deliveries(old.endpoint.id))[0]
    await sender.webhooks.redeliver(old.endpoint.id, delivery.id, actor="test")
    await sender.deliver()
    request = sender.receiver.requests[-1]
    now_s = world.clock.now().timestamp()
    assert is_signed(request, new.secret, now_s=now_s)
    assert not is_signed(request, old.secret, now_s=now_s)


async def test_what_fails_is_tried_again_later_and_later(world: World, sender: Sender) -> None:
    await sender.add()
    await start(world)
    sender.receiver.replies.extend([Reply(500)] * 8)
    await sender.deliver()
    for pause_s in (5, 30, 120, 600, 3600, 6 * 3600, DAY_S):
        tried = len(sender.receiver.requests)
        await sender.deliver(after_s=pause_s - 1)
        assert len(sender.receiver.requests) == tried, f"{pause_s} s are not over"
        await sender.deliver(after_s=1)
        assert len(sender.receiver.requests) == tried + 1
    assert (await sender.rows())[0]["attempts"] == 8
    await sender.deliver(after_s=DAY_S)
    assert [row["state"] for row in await sender.rows()] == ["delivered"]
    assert {request.headers["webhook-id"] for request in sender.receiver.requests} == {"msg_1"}, "known as repeats"


async def test_after_a_week_the_endpoint_is_disabled_and_that_is_an_error(
    world: World, sender: Sender, caplog: pytest.LogCaptureFixture
) -> None:
    made = await sender.add()
    await start(world)
    sender.receiver.replies.extend([Reply(500)] * 20)
    await sender.deliver()
    for pause_s in (5, 30, 120, 600, 3600, 6 * 3600):
        await sender.deliver(after_s=pause_s)
    for _ in range(6):
        await sender.deliver(after_s=DAY_S)
    assert [row["state"] for row in await sender.rows()] == ["queued"]
    await sender.deliver(after_s=DAY_S)
    assert [row["state"] for row in await sender.rows()] == ["dead"]
    [endpoint] = await sender.webhooks.endpoints()
    assert endpoint.disabled_reason == "failing"
    assert f"webhook endpoint disabled: id={made.endpoint.id}, reason=failing" in [
        each.getMessage() for each in caplog.records if each.levelno == logging.ERROR
    ]
    assert sender.deliverer.outcomes == {"later": 13, "given_up": 1}


async def test_410_disables_at_once_and_what_waits_goes_when_it_is_enabled(world: World, sender: Sender) -> None:
    made = await sender.add("station.online", "station.offline")
    for available in ("false", "true"):
        await world.sql(f"UPDATE stations SET is_available = {available}")
    sender.receiver.replies.append(Reply(410))
    sender.receiver.replies.append(Reply(500))
    await sender.deliver()
    assert sorted(row["state"] for row in await sender.rows()) == ["dead", "queued"]
    await sender.deliver(after_s=8 * DAY_S)
    assert len(sender.receiver.requests) == 2, "it is disabled"
    endpoint = await sender.webhooks.enable(made.endpoint.id, actor="test")
    assert (endpoint.disabled_at, endpoint.waiting) == (None, 1)
    sender.receiver.replies.append(Reply(500))
    await sender.deliver()
    assert sorted(row["state"] for row in await sender.rows()) == ["dead", "queued"], (
        "the week before is not held against it"
    )
    await sender.deliver(after_s=5)
    assert sorted(row["state"] for row in await sender.rows()) == ["dead", "delivered"]


@pytest.mark.parametrize("status", [301, 307, 400, 401, 404, 429, 503])
async def test_no_other_answer_ends_it_and_no_redirect_is_followed(world: World, sender: Sender, status: int) -> None:
    await sender.add()
    await start(world)
    sender.receiver.replies.append(Reply(status, headers={"Location": sender.receiver.url + "/elsewhere"}))
    await sender.deliver()
    assert [request.path for request in sender.receiver.requests] == ["/hook"]
    assert (await sender.rows())[0] == {
        "event": "session.started",
        "state": "queued",
        "attempts": 1,
        "last_answer": f"HTTP {status}",
    }


async def test_an_answer_is_read_up_to_a_bound(world: World, sender: Sender) -> None:
    await sender.add()
    await start(world)
    sender.receiver.replies.append(Reply(200, b"a" * (1024 * 1024)))
    await sender.deliver()
    assert (await sender.rows())[0]["state"] == "delivered"


async def test_a_name_that_leads_to_this_machine_by_now_is_not_asked(world: World, sender: Sender) -> None:
    """It was public when it was added; what it leads to is looked at again before each connection."""
    await sender.add()
    await start(world)
    asked: list[str] = []

    async def look_up(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"]

    watch = ClockWatch(world.clock)
    await WebhookDeliverer(world.pool, watch, look_up=look_up, context=trusting()).deliver_due()
    assert asked == ["localhost"]
    assert sender.receiver.requests == []
    assert (await sender.rows())[0]["last_answer"] == "127.0.0.1 is not public"


async def test_the_certificate_must_be_the_names(world: World, sender: Sender) -> None:
    await sender.add()
    await start(world)
    await world.sql("UPDATE evpower.webhook_endpoints SET url = replace(url, 'localhost', 'elsewhere.example')")

    async def look_up(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    deliverer = WebhookDeliverer(
        world.pool, ClockWatch(world.clock), look_up=look_up, is_public=lambda _: True, context=trusting()
    )
    await deliverer.deliver_due()
    assert sender.receiver.requests == []
    assert "certificate verify failed" in (await sender.rows())[0]["last_answer"]


async def test_what_a_process_had_when_it_died_comes_after_its_lease(world: World, sender: Sender) -> None:
    """Killed after the claim: the row is due again, and comes at least once."""
    await sender.add()
    await start(world)
    with trio.CancelScope() as process:

        async def die(host: str, port: int) -> list[str]:
            process.cancel()
            await trio.sleep_forever()

        await WebhookDeliverer(world.pool, ClockWatch(world.clock), look_up=die).deliver_due()
    assert (await sender.rows())[0] == {
        "event": "session.started",
        "state": "queued",
        "attempts": 1,
        "last_answer": None,
    }
    await sender.deliver(after_s=LEASE.total_seconds() - 1)
    assert sender.receiver.requests == []
    await sender.deliver(after_s=1)
    assert [row["state"] for row in await sender.rows()] == ["delivered"]


async def test_two_processes_share_what_is_due(world: World, sender: Sender) -> None:
    await sender.add("station.online", "station.offline")
    for _ in range(10):
        await world.sql("UPDATE stations SET is_available = NOT is_available")
    async with trio.open_nursery() as processes:
        for _ in range(2):
            other = Sender(world, sender.receiver)
            processes.start_soon(other.deliverer.deliver_due)
    ids = [request.headers["webhook-id"] for request in sender.receiver.requests]
    assert sorted(ids) == sorted(set(ids))
    assert len(ids) == 10


async def test_an_endpoint_that_does_not_answer_is_left_after_ten_seconds(
    world: World, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("evpower.webhooks.deliverer.CALL_WITHIN_S", 0.2)
    await sender.add()
    await start(world)

    async def look_up(host: str, port: int) -> list[str]:
        await trio.sleep_forever()

    await WebhookDeliverer(world.pool, ClockWatch(world.clock), look_up=look_up).deliver_due()
    assert (await sender.rows())[0]["last_answer"].startswith("no answer within")


async def test_at_most_five_endpoints(world: World, sender: Sender) -> None:
    for number in range(5):
        await sender.add(path=f"/{number}")
    with pytest.raises(InvalidRequest):
        await sender.add(path="/6")
    await sender.webhooks.remove((await sender.webhooks.endpoints())[0].id, actor="test")
    await sender.add(path="/6")


async def test_an_address_in_the_operators_own_network_is_no_endpoint(world: World) -> None:
    for url in ("https://127.0.0.1/hook", "https://localhost/hook", "https://169.254.169.254/latest", "http://e.org/"):
        with pytest.raises(InvalidRequest):
            await world.app.webhooks.add(url, ["doubt"], actor="test")
    assert await world.app.webhooks.endpoints() == []


async def test_what_is_not_there_is_not_found(world: World, sender: Sender) -> None:
    made = await sender.add()
    for asking in (
        sender.webhooks.remove("we_none", actor="test"),
        sender.webhooks.enable("we_none", actor="test"),
        sender.webhooks.redeliver(made.endpoint.id, 99, actor="test"),
    ):
        with pytest.raises(NotFound):
            await asking
    for reading in (sender.webhooks.deliveries("we_none"), sender.webhooks.rotate("we_none", actor="test")):
        with pytest.raises(NotFound):
            await reading


async def test_a_month_later_nothing_is_known_of_it(world: World, sender: Sender) -> None:
    await sender.add()
    await start(world)
    await sender.deliver()
    await forget_deliveries(world.pool, world.clock.now())
    assert len(await sender.rows()) == 1
    world.clock.advance(30 * DAY_S + 1)
    await forget_deliveries(world.pool, world.clock.now())
    assert await sender.rows() == []


async def test_a_process_that_dies_after_the_answer_sends_it_twice_with_one_id(world: World, sender: Sender) -> None:
    """Killed between the receiver's 2xx and the row's end."""
    await sender.add()
    await start(world)
    with trio.CancelScope() as process:
        sender.receiver.on_request = process.cancel
        await sender.deliver()
    sender.receiver.on_request = lambda: None
    await sender.deliver(after_s=LEASE.total_seconds())
    first, second = sender.receiver.requests
    assert (first.headers["webhook-id"], first.body) == (second.headers["webhook-id"], second.body)
    assert [row["state"] for row in await sender.rows()] == ["delivered"]
