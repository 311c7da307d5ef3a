"""The case file of a top-up: what the provider said and when, what was credited, what waits for a person."""

from __future__ import annotations

import pytest

from evpower.errors import PaymentNotFound
from evpower.identifiers import ClientId
from evpower.narrowing import Narrowing
from evpower.payments.gateway import OrderState, OrderStatus
from tests.worlds.payments import ANN, CLIENT, World
from tests.worlds.provider import paid


async def test_a_paid_top_up_shows_the_call_the_check_and_the_posting(world: World) -> None:
    order = (await world.qr()).order
    await world.notify(order)
    await world.apply(order, paid(100_00))
    case = await world.case_files.payment(order.invoice_id)
    assert (case.payment.phase, case.payment.paid_tyiyn) == ("approved", 100_00)
    assert ("call", order.provider) in [(each.what, each.who) for each in case.steps]
    assert {each.account: each.amount_tyiyn for each in case.postings} == {
        "client": 100_00,
        f"provider:{order.provider}": -100_00,
    }
    assert case.parked == []
    assert [each.at for each in case.steps] == sorted(each.at for each in case.steps)


async def test_what_waits_for_a_person_is_in_the_case_by_its_order_too(world: World) -> None:
    order = (await world.qr()).order
    await world.apply(order, OrderStatus(OrderState.APPROVED))
    case = await world.case_files.payment(order.order_id)
    (question,) = case.parked
    assert (question.resolution, question.amount_tyiyn) == (None, None)
    await world.payments.decisions.dismiss(question.id, "проверено", ANN)
    (question,) = (await world.case_files.payment(order.order_id)).parked
    assert (question.resolution, question.resolved_by) == ("dismissed", "ann")


async def test_of_an_unknown_invoice_there_is_no_case(world: World) -> None:
    with pytest.raises(PaymentNotFound):
        await world.case_files.payment("nothing")


async def test_top_ups_are_narrowed(world: World) -> None:
    first = (await world.qr()).order
    await world.apply(first, paid(100_00))
    world.clock.advance(3600)
    second = (await world.qr(client=ClientId("client-2"))).order

    async def found(wanted: Narrowing) -> list[str]:
        return [each.invoice_id for each in await world.payments.decisions.payments(wanted)]

    assert await found(Narrowing()) == [second.invoice_id, first.invoice_id]
    assert await found(Narrowing(client_id=CLIENT)) == [first.invoice_id]
    assert await found(Narrowing(phase="approved")) == [first.invoice_id]
    assert await found(Narrowing(since=world.clock.now())) == [second.invoice_id]
    assert await found(Narrowing(limit=1)) == [second.invoice_id]
