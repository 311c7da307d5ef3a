"""The routes of id tags and parked reports: what is read, what is refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, cast

import pytest
from quart import Blueprint
from quart_trio import QuartTrio

from evpower.charging.review.doubts import DoubtRecord, Doubts
from evpower.charging.review.free_vend import FreeVend, GivenAway, StationGifts
from evpower.charging.review.parked import ParkedReports
from evpower.http.operators.operators_work import doubt_routes, free_vend_routes, parked_routes, tag_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.rights import act_as
from evpower.identifiers import ClientId, IdTag, SessionId, StationId
from evpower.staff.records import Acting
from evpower.tags.rows.id_tags import Card, CardRecord
from evpower.tags.service import Tags
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone
from tests.worlds.fakes import NOON


class FakeTags(Tags):
    def __init__(self) -> None:
        self.done: list[object] = []

    async def put(self, card: Card) -> CardRecord:
        self.done.append(card)
        return CardRecord(**vars(card), created_at=datetime(2026, 1, 1, tzinfo=UTC))

    async def delete(self, tag: IdTag) -> None:
        self.done.append(tag)


class FakeParked(ParkedReports):
    def __init__(self) -> None:
        self.done: list[object] = []

    async def dismiss(self, parked_id: int, *, actor: str, reason: str) -> None:
        self.done.append((parked_id, actor, reason))

    async def assign(self, parked_id: int, session_id: SessionId, *, actor: str, reason: str) -> None:
        self.done.append((parked_id, session_id, actor, reason))


DOUBT = DoubtRecord(
    7,
    "stop",
    "StopTransaction",
    StationId("S1"),
    1,
    None,
    "12",
    SessionId("s-1"),
    ClientId("c"),
    figures=1,
    first_figure=939_000,
    latest_figure=939_000,
    bound=26_006,
    first_at=NOON,
    latest_at=NOON,
    detail=None,
    billed_wh=14_000,
    billed_tyiyn=189_00,
    station_wh=938_000,
    settled=None,
    settled_at=None,
    settled_by=None,
    settled_reason=None,
)


class FakeDoubts(Doubts):
    def __init__(self) -> None:
        self.done: list[object] = []

    async def doubt(self, doubt_id: int) -> DoubtRecord:
        return DOUBT

    async def bill(self, doubt_id: int, *, actor: str, reason: str | None) -> None:
        self.done.append(("bill", doubt_id, actor, reason))

    async def dismiss(self, doubt_id: int, *, actor: str, reason: str) -> None:
        self.done.append(("dismiss", doubt_id, actor, reason))


class FakeFreeVend(FreeVend):
    def __init__(self) -> None:
        self.done: list[object] = []

    async def set(self, station_id: StationId, *, enabled: bool, actor: str) -> StationGifts:
        self.done.append((station_id, enabled, actor))
        return StationGifts(station_id, GivenAway(enabled, 0, 0), ())


def client_of(routes: Blueprint) -> Phone:
    app: QuartTrio = HttpApplication("test", ids=CountingIds(), limits=RequestLimits())

    @app.before_request
    async def name_operator() -> None:
        act_as(Acting("operator ann"))

    app.register_blueprint(routes)
    return cast("Phone", app.test_client())


async def test_a_card_is_put_whole() -> None:
    tags = FakeTags()
    body = {"status": "Blocked", "expiry_date": "2027-01-01T00:00:00", "parent_id_tag": "G", "client_id": "c"}
    await body_of(await client_of(tag_routes(tags)).put("/id-tags/A%2FB", json=body))
    assert tags.done == [Card("A/B", "Blocked", "G", datetime(2027, 1, 1, tzinfo=UTC), "c")]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "body", [{"status": "Fine"}, {"expiry_date": "soon"}, {"client_id": 7}, {"parent_id_tag": ""}, {"owner": "me"}]
)
async def test_a_wrong_card_is_refused(body: dict[str, Any]) -> None:
    tags = FakeTags()
    await body_of(await client_of(tag_routes(tags)).put("/id-tags/A", json=body), 400)
    await body_of(await client_of(tag_routes(tags)).put(f"/id-tags/{'x' * 37}", json={}), 400)
    assert tags.done == []


async def test_a_card_is_deleted() -> None:
    tags = FakeTags()
    await body_of(await client_of(tag_routes(tags)).delete("/id-tags/A"))
    assert tags.done == ["A"]


async def test_a_report_is_dismissed_or_assigned() -> None:
    parked = FakeParked()
    client = client_of(parked_routes(parked))
    await body_of(await client.post("/parked/7/resolve", json={"dismiss": True, "reason": "test"}))
    await body_of(await client.post("/parked/8/resolve", json={"session_id": "s-1", "reason": "its stop"}))
    assert parked.done == [(7, "operator ann", "test"), (8, "s-1", "operator ann", "its stop")]


@pytest.mark.parametrize(
    "body",
    [
        {"dismiss": True},
        {"reason": "why"},
        {"session_id": "a b", "reason": "why"},
        {"session_id": 7, "reason": "why"},
        {"dismiss": True, "reason": " "},
        {"dismiss": True, "reason": "why", "actor": "somebody else"},
    ],
)
async def test_a_resolution_without_a_decision_or_a_reason_is_refused(body: dict[str, Any]) -> None:
    parked = FakeParked()
    await body_of(await client_of(parked_routes(parked)).post("/parked/7/resolve", json=body), 400)
    assert parked.done == []


async def test_a_doubtful_stop_asks_a_question() -> None:
    """§1.2: billed X by the last believed reading, charger says Y."""
    body = await body_of(await client_of(doubt_routes(FakeDoubts())).get("/doubts/7"))
    said = "billed 14000 Wh (189.00 som) by the last believed reading, charger says 938000 Wh"
    assert (body["data"]["question"], body["data"]["unit"]) == (said, "Wh")


async def test_a_doubt_is_billed_or_dismissed() -> None:
    """§1.2"""
    doubts = FakeDoubts()
    client = client_of(doubt_routes(doubts))
    await body_of(await client.post("/doubts/7/settle", json={"dismiss": True, "reason": "test"}))
    await body_of(await client.post("/doubts/8/settle", json={"bill": True}))
    await body_of(await client.post("/doubts/9/settle", json={"bill": True, "reason": "read"}))
    assert doubts.done == [
        ("dismiss", 7, "operator ann", "test"),
        ("bill", 8, "operator ann", None),
        ("bill", 9, "operator ann", "read"),
    ]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"dismiss": True},
        {"dismiss": True, "reason": " "},
        {"dismiss": True, "bill": True, "reason": "why"},
        {"bill": "yes"},
        {"bill": True, "reason": ""},
        {"bill": True, "actor": "somebody else"},
    ],
)
async def test_a_settlement_of_a_doubt_without_one_decision_or_a_reason_is_refused(body: dict[str, Any]) -> None:
    doubts = FakeDoubts()
    await body_of(await client_of(doubt_routes(doubts)).post("/doubts/7/settle", json=body), 400)
    await body_of(await client_of(doubt_routes(doubts)).post("/doubts/x/settle", json={"bill": True}), 404)
    assert doubts.done == []


async def test_a_station_is_set_to_give_energy_away() -> None:
    policy = FakeFreeVend()
    body = await body_of(
        await client_of(free_vend_routes(policy)).put("/stations/S1/free-vend", json={"free_vend": True})
    )
    assert (policy.done, body["data"]["free_vend"]) == ([("S1", True, "operator ann")], True)


@pytest.mark.parametrize("body", [{}, {"free_vend": "yes"}, {"free_vend": 1}, {"free_vend": True, "actor": "bob"}])
async def test_free_vend_is_true_or_false(body: dict[str, Any]) -> None:
    policy = FakeFreeVend()
    await body_of(await client_of(free_vend_routes(policy)).put("/stations/S1/free-vend", json=body), 400)
    assert policy.done == []
