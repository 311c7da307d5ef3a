"""The route of a merge: what it takes, what is refused."""

from __future__ import annotations

from typing import Any, cast

import pytest
from quart_trio import QuartTrio

from evpower.accounts.merging import ClientMerge, Merging
from evpower.errors import SessionAlreadyActive
from evpower.http.operators.people.merges import merge_routes
from evpower.http.wire.application import HttpApplication, RequestLimits
from evpower.http.wire.rights import act_as
from evpower.identifiers import ClientId
from evpower.staff.records import Acting, StaffId, StaffMember
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone
from tests.worlds.fakes import NOON

ASKED = {"into": "c-2", "reason": "one person"}


class FakeMerging(Merging):
    def __init__(self) -> None:
        self.done: list[object] = []
        self.refusal: Exception | None = None
        self.asked_by = Acting("operator ann")

    async def merge(self, old_id: ClientId, into: ClientId, reason: str, actor: str) -> ClientMerge:
        if self.refusal:
            raise self.refusal
        self.done.append((old_id, into, reason, actor))
        return ClientMerge(old_id, into, 100_00, 13_50, actor, reason, NOON)


@pytest.fixture
def merging() -> FakeMerging:
    return FakeMerging()


@pytest.fixture
def phone(merging: FakeMerging) -> Phone:
    app: QuartTrio = HttpApplication("test", ids=CountingIds(), limits=RequestLimits())

    @app.before_request
    async def name_operator() -> None:
        act_as(merging.asked_by)

    app.register_blueprint(merge_routes(merging))
    return cast("Phone", app.test_client())


async def test_a_merge_names_both_its_reason_and_who_decided(phone: Phone, merging: FakeMerging) -> None:
    assert (await body_of(await phone.post("/clients/c-1/merge", json=ASKED)))["data"] == {
        "merged_id": "c-1",
        "client_id": "c-2",
        "balance": 100,
        "debt_amount": 13.5,
        "actor": "operator ann",
        "reason": "one person",
        "merged_at": "2026-11-23T06:00:00.000000Z",
    }
    assert merging.done == [("c-1", "c-2", "one person", "operator ann")]


@pytest.mark.parametrize(
    "body",
    [{}, {"into": "c-2"}, {"reason": "r"}, {**ASKED, "into": "c 2"}, {**ASKED, "into": 2}, {**ASKED, "actor": "x"}],
)
async def test_a_merge_without_its_facts_is_refused(phone: Phone, merging: FakeMerging, body: dict[str, Any]) -> None:
    await body_of(await phone.post("/clients/c-1/merge", json=body), 400)
    assert merging.done == []


async def test_a_malformed_id_is_refused(phone: Phone, merging: FakeMerging) -> None:
    await body_of(await phone.post("/clients/c%201/merge", json=ASKED), 400)
    assert merging.done == []


async def test_a_refusal_has_its_name(phone: Phone, merging: FakeMerging) -> None:
    merging.refusal = SessionAlreadyActive()
    assert (await body_of(await phone.post("/clients/c-1/merge", json=ASKED)))["error"] == "session_already_active"


@pytest.mark.parametrize(("role", "status"), [("admin", 403), ("superadmin", 200)])
async def test_who_has_a_daily_limit_moves_no_whole_account(
    phone: Phone, merging: FakeMerging, role: Any, status: int
) -> None:
    merging.asked_by = Acting("operator:1", StaffMember(StaffId("1"), role, True, None, None, None, NOON, NOON))
    await body_of(await phone.post("/clients/c-1/merge", json=ASKED), status)
    assert len(merging.done) == (1 if status == 200 else 0)
