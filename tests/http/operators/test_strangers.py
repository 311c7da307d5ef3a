"""The routes of strangers: what is read, what is refused."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from evpower.administration.provisioning import Accepted, Provisioning, SeenStranger
from evpower.administration.records import StrangerRecord
from evpower.errors import InvalidRequest, NotFound
from evpower.http.operators.strangers import stranger_routes
from evpower.identifiers import StationId
from tests.http.conftest import body_of
from tests.http.fakes import NOON
from tests.http.operators.test_operators_work import client_of

NEW = StrangerRecord("NEW", "pending", "Maker", "M60", None, None, "192.0.2.1", 1, NOON, NOON, None, None)
PLACE = {"location_id": "L1", "connectors": [{"connector_number": 1, "power_kw": 7.4}]}


class FakeProvisioning(Provisioning):
    def __init__(self) -> None:
        self.done: list[object] = []
        self.error: Exception | None = None

    async def strangers(self, *, rejected_too: bool) -> list[SeenStranger]:
        self.done.append(rejected_too)
        return [SeenStranger(NEW, connected=True)]

    async def accept(self, identity: str, wanted: Mapping[str, Any], *, actor: str) -> Accepted:
        if self.error is not None:
            raise self.error
        self.done.append((identity, dict(wanted), actor))
        return Accepted(StationId(identity), "L1", False, {"stations": 1}, ())

    async def reject(self, identity: str, *, actor: str) -> None:
        self.done.append((identity, actor))


@pytest.mark.parametrize(("query", "rejected_too"), [("", False), ("?all=1", True)])
async def test_strangers_are_the_waiting_ones_unless_all_are_asked_for(query: str, rejected_too: bool) -> None:
    desk = FakeProvisioning()
    body = await body_of(await client_of(stranger_routes(desk)).get(f"/strangers{query}"))
    (shown,) = body["data"]
    assert (desk.done, shown["identity"], shown["connected"]) == ([rejected_too], "NEW", True)


async def test_a_stranger_is_accepted_with_exact_numbers_by_whom_the_door_names() -> None:
    desk = FakeProvisioning()
    await body_of(await client_of(stranger_routes(desk)).post("/strangers/NEW/accept", json=PLACE))
    wanted = {"location_id": "L1", "connectors": [{"connector_number": 1, "power_kw": Decimal("7.4")}]}
    assert desk.done == [("NEW", wanted, "operator ann")]


async def test_a_stranger_is_rejected_without_a_body() -> None:
    desk = FakeProvisioning()
    await body_of(await client_of(stranger_routes(desk)).post("/strangers/NEW/reject"))
    assert desk.done == [("NEW", "operator ann")]


@pytest.mark.parametrize("decision", ["accept", "reject"])
async def test_a_decision_names_nobody_else_and_no_impossible_identity(decision: str) -> None:
    desk = FakeProvisioning()
    client = client_of(stranger_routes(desk))
    await body_of(await client.post(f"/strangers/NEW/{decision}", json={**PLACE, "actor": "bob"}), 400)
    await body_of(await client.post(f"/strangers/a%20b/{decision}", json=PLACE), 404)
    assert desk.done == []


@pytest.mark.parametrize(
    ("error", "status"), [(NotFound(), 404), (InvalidRequest(("connectors[0].power_kw", "must be a number")), 400)]
)
async def test_a_refused_acceptance_has_the_envelope(error: Exception, status: int) -> None:
    desk = FakeProvisioning()
    desk.error = error
    body = await body_of(await client_of(stranger_routes(desk)).post("/strangers/NEW/accept", json=PLACE), status)
    assert body["success"] is False
