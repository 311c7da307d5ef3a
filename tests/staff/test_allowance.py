"""The daily limit of money for work that has units of work of its own: what counts, and what does not."""

from __future__ import annotations

from typing import Any, cast

import pytest
import trio

from evpower.db.pool import Pool
from evpower.errors import Forbidden, ProviderTimeout
from evpower.http.app import HttpAppSettings, build_http_app
from evpower.http.operators.admin import AdminDoor, StaffDoor
from evpower.http.operators.payment_admin import payment_admin_routes
from evpower.payments.refunds import NotRefundable
from evpower.staff.records import Acting
from evpower.staff.second_factor import SecondFactor
from evpower.staff.service import Staff
from tests.http.conftest import body_of
from tests.http.fakes import CountingIds, Phone
from tests.http.fakes import World as FakeServices
from tests.payments.test_decisions import credited
from tests.staff.test_admin_door import ADMIN, Tokens
from tests.worlds.payments import World

PEOPLE = "INSERT INTO users (id, role) VALUES ('adm', 'admin'), ('super', 'superadmin'), ('op', 'operator')"


class Desk:
    """Payments behind the administrators' door."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.staff = Staff(world.pool, world.clock, world.ids)
        factor = SecondFactor(world.pool, world.clock, bytes, is_required=False)
        app = build_http_app(
            FakeServices().services,
            world.clock,
            CountingIds(),
            HttpAppSettings(),
            admin=AdminDoor("", StaffDoor(Tokens(), self.staff, factor)),
            operations=(payment_admin_routes(world.payments, world.allowance, world.case_files),),
        )
        self.phone = cast("Phone", app.test_client())

    async def acting(self, who: str) -> Acting:
        return await self.staff.acting(who, None)

    async def refund(self, who: str, invoice_id: str, amount: float | None, status: int = 200) -> Any:
        body = {"reason": "жалоба 7"} | ({} if amount is None else {"amount": amount})
        headers = {"Authorization": f"Bearer user~{who}"}
        path = f"{ADMIN}/payments/{invoice_id}/refund"
        return await body_of(await self.phone.post(path, headers=headers, json=body), status)

    async def counted(self) -> int:
        rows = await self.world.sql("SELECT coalesce(sum(amount_tyiyn), 0)::int AS tyiyn FROM evpower.staff_money")
        return int(rows[0]["tyiyn"])


@pytest.fixture
async def desk(pool: Pool) -> Desk:
    world = World(pool)
    await world.sql(PEOPLE)
    return Desk(world)


async def test_a_refund_counts_and_who_has_a_limit_names_its_sum(desk: Desk) -> None:
    order = await credited(desk.world)
    refused = await desk.refund("adm", order.invoice_id, None, 400)
    assert [each["field"] for each in refused["detail"]] == ["amount"]
    assert (await desk.refund("adm", order.invoice_id, 30))["success"] is True
    assert (await desk.counted(), await desk.world.balance()) == (30_00, 70_00)
    entries = await desk.world.sql("SELECT DISTINCT actor FROM evpower.ledger_entries WHERE kind = 'topup_refund'")
    assert entries == [{"actor": "operator:adm"}]


async def test_who_has_no_limit_refunds_all_and_is_not_counted(desk: Desk) -> None:
    order = await credited(desk.world)
    assert (await desk.refund("super", order.invoice_id, None))["success"] is True
    assert (await desk.counted(), await desk.world.balance()) == (0, 0)


async def test_a_refund_that_is_refused_counts_for_nothing(desk: Desk) -> None:
    order = await credited(desk.world)
    assert (await desk.refund("adm", order.invoice_id, 100.01))["error"] == "not_refundable"
    await desk.refund("adm", "unknown", 1, 404)
    assert await desk.counted() == 0


async def test_above_the_limit_the_provider_is_not_asked(desk: Desk) -> None:
    order = await credited(desk.world)
    async with desk.world.allowance.taken(await desk.acting("adm"), 4_950_00):
        pass
    assert (await desk.refund("adm", order.invoice_id, 50.01, 403))["reason"] == "daily_limit"
    assert (desk.world.odengi.refunds, await desk.world.balance()) == ([], 100_00)
    await desk.refund("adm", order.invoice_id, 50)


async def test_an_operator_has_no_right_to_it(desk: Desk) -> None:
    order = await credited(desk.world)
    assert (await desk.refund("op", order.invoice_id, 1, 403))["reason"] == "no_right"


@pytest.mark.parametrize(
    ("error", "counted"), [(NotRefundable(), 0), (Forbidden(), 0), (ProviderTimeout(), 10_00), (RuntimeError(), 10_00)]
)
async def test_what_may_have_happened_stays_counted(desk: Desk, error: Exception, counted: int) -> None:
    with pytest.raises(type(error)):
        async with desk.world.allowance.taken(await desk.acting("adm"), 10_00):
            raise error
    assert await desk.counted() == counted


async def test_who_dies_in_the_middle_has_it_counted(desk: Desk) -> None:
    acting = await desk.acting("adm")
    with trio.CancelScope() as request:
        async with desk.world.allowance.taken(acting, 10_00):
            request.cancel()
            await trio.sleep_forever()
    assert await desk.counted() == 10_00
