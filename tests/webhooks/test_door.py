"""The administrators' door to webhooks: what is read, what is shown, and that a secret is shown once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
from quart_trio import QuartTrio

from evpower.http.operators.systems.webhooks import webhook_routes_out
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.rights import act_as
from evpower.staff.records import Acting
from tests.http.conftest import body_of
from tests.http.description import hold_to_description
from tests.http.fakes import CountingIds, Phone
from tests.worlds.charging import World
from tests.worlds.receiver import Sender, open_receiver

URL = "https://erp.example.org/hook"


@pytest.fixture
async def sender(world: World) -> AsyncIterator[Sender]:
    async with open_receiver() as receiver:
        yield Sender(world, receiver)


@pytest.fixture
def desk(sender: Sender) -> Phone:
    app: QuartTrio = HttpApplication("test", ids=CountingIds(), limits=RequestLimits())
    app.before_request(lambda: act_as(Acting("operator ann")))
    app.register_blueprint(webhook_routes_out(sender.webhooks))
    hold_to_description(app)
    return cast("Phone", app.test_client())


async def test_a_secret_is_shown_once(desk: Phone) -> None:
    made = (await body_of(await desk.post("/webhooks", json={"url": URL, "events": ["doubt"]})))["data"]
    assert made["secret"].startswith("whsec_")
    listed = (await body_of(await desk.get("/webhooks")))["data"]
    assert listed == [{name: value for name, value in made.items() if name != "secret"}]
    assert (listed[0]["created_by"], listed[0]["events"], listed[0]["disabled_at"]) == ("operator ann", ["doubt"], None)
    rotated = (await body_of(await desk.post(f"/webhooks/{made['id']}/rotate", json={})))["data"]
    assert rotated["secret"] not in ("", made["secret"])
    assert rotated["old_secret_until"] == "2026-11-24T06:00:00.000000Z"


async def test_without_events_it_gets_all(desk: Phone) -> None:
    made = (await body_of(await desk.post("/webhooks", json={"url": URL})))["data"]
    assert len(made["events"]) == 7


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "url"),
        ({"url": "http://erp.example.org/"}, "url"),
        ({"url": 7}, "url"),
        ({"url": URL, "events": []}, "events"),
        ({"url": URL, "events": "doubt"}, "events"),
        ({"url": URL, "events": ["doubt", "doubts"]}, "events"),
        ({"url": URL, "events": ["doubt", "doubt"]}, "events"),
        ({"url": URL, "events": [["doubt"]]}, "events"),
        ({"url": URL, "events": {"doubt": 1}}, "events"),
    ],
)
async def test_what_cannot_be_an_endpoint_is_refused(desk: Phone, body: dict[str, Any], field: str) -> None:
    refused = await body_of(await desk.post("/webhooks", json=body), 400)
    assert [each["field"] for each in refused["detail"]] == [field]
    assert (await body_of(await desk.get("/webhooks")))["data"] == []


async def test_deliveries_are_seen_and_one_is_sent_again(world: World, sender: Sender, desk: Phone) -> None:
    made = await sender.add("station.online", "station.offline")
    await world.sql("UPDATE stations SET is_available = NOT is_available")
    path = f"/webhooks/{made.endpoint.id}"
    [queued] = (await body_of(await desk.get(f"{path}/deliveries?state=queued")))["data"]
    assert (queued["state"], queued["attempts"], queued["last_answer"]) == ("queued", 0, None)
    await sender.deliver()
    assert (await body_of(await desk.get(f"{path}/deliveries?state=queued")))["data"] == []
    [delivered] = (await body_of(await desk.get(f"{path}/deliveries")))["data"]
    assert (delivered["state"], delivered["last_answer"], delivered["due_at"]) == ("delivered", "HTTP 204", None)
    [again] = (await body_of(await desk.post(f"{path}/redeliver", json={"delivery_id": delivered["id"]})))["data"]
    assert again["state"] == "queued"
    await sender.deliver()
    assert len(sender.receiver.requests) == 2


async def test_what_is_removed_is_gone(sender: Sender, desk: Phone) -> None:
    made = await sender.add()
    assert (await body_of(await desk.delete(f"/webhooks/{made.endpoint.id}")))["data"] == []
    for asked in (
        desk.delete(f"/webhooks/{made.endpoint.id}"),
        desk.get(f"/webhooks/{made.endpoint.id}/deliveries"),
        desk.post(f"/webhooks/{made.endpoint.id}/enable", json={}),
        desk.post(f"/webhooks/{made.endpoint.id}/redeliver", json={"delivery_id": 1}),
    ):
        await body_of(await asked, 404)


async def test_a_state_that_is_none_is_refused(sender: Sender, desk: Phone) -> None:
    made = await sender.add()
    await body_of(await desk.get(f"/webhooks/{made.endpoint.id}/deliveries?state=lost"), 400)
