"""Every call to a provider is counted, and what it shows of the provider is known at once (payments §6)."""

from __future__ import annotations

import pytest
import trio

from evpower.errors import ProviderError, ProviderFailure, ProviderTimeout, ProviderUnavailable
from evpower.identifiers import ClientId
from evpower.payments.gateway import Payer
from evpower.payments.provider_calls import ProviderCalls, ProviderState
from evpower.payments.top_up import TopUpWish
from tests.worlds.fakes import NOON, SetClock
from tests.worlds.payments import ANN, CLIENT, PHONE, World
from tests.worlds.provider import paid

EXPIRED = "TLS: certificate verify failed: certificate has expired"


async def raised(error: ProviderFailure) -> None:
    raise error


async def hang() -> None:
    await trio.sleep_forever()


async def fail(calls: ProviderCalls, error: ProviderFailure, times: int = 1) -> None:
    for _ in range(times):
        with pytest.raises(type(error)):
            await calls.answer("ODENGI", "status", raised(error), within_s=1)


@pytest.fixture
def calls() -> ProviderCalls:
    return ProviderCalls(SetClock(), ["ODENGI"])


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (ProviderError(), "refused"),
        (ProviderUnavailable(), "unavailable"),
        (ProviderTimeout(), "timeout"),
        (ProviderUnavailable(tls="TLS: wrong version number"), "tls"),
        (ProviderTimeout(tls="TLS: tlsv1 alert unknown ca"), "tls"),
    ],
)
async def test_each_way_a_call_can_fail_is_counted_as_itself(
    calls: ProviderCalls, error: ProviderFailure, outcome: str
) -> None:
    await fail(calls, error)
    assert calls.counts == {("ODENGI", "status", outcome): 1}


async def test_a_call_that_hangs_is_an_unknown_outcome_when_its_time_is_over(
    calls: ProviderCalls, autojump_clock: trio.testing.MockClock
) -> None:
    with pytest.raises(ProviderTimeout):
        await calls.answer("ODENGI", "pay", hang(), within_s=8)
    assert trio.current_time() == 8
    assert calls.counts == {("ODENGI", "pay", "timeout"): 1}


async def test_a_call_that_its_asker_gave_up_is_not_counted(calls: ProviderCalls) -> None:
    with trio.CancelScope() as asking:
        asking.cancel()
        await calls.answer("ODENGI", "pay", hang(), within_s=8)
    assert (calls.counts, calls.health["ODENGI"].failures) == ({}, 0)


async def test_two_failures_are_borne_and_the_third_is_an_outage_since_the_first(calls: ProviderCalls) -> None:
    await fail(calls, ProviderTimeout(), times=2)
    assert calls.health["ODENGI"].state == ProviderState("up")
    await fail(calls, ProviderUnavailable())
    assert calls.health["ODENGI"].state == ProviderState("failing", NOON, "provider_unavailable")


async def test_an_outage_by_tls_has_its_reason_and_an_answer_takes_it_away(calls: ProviderCalls) -> None:
    await fail(calls, ProviderUnavailable(tls=EXPIRED), times=3)
    assert calls.health["ODENGI"].state == ProviderState("failing", NOON, "provider_unavailable", EXPIRED)
    await fail(calls, ProviderTimeout())
    assert calls.health["ODENGI"].state.tls == ""


async def test_a_refusal_is_an_answer_and_ends_an_outage(calls: ProviderCalls) -> None:
    await fail(calls, ProviderTimeout(), times=3)
    await fail(calls, ProviderError())
    assert calls.health["ODENGI"].state == ProviderState("up")


async def test_a_refund_the_provider_has_not_decided_is_no_sign_of_an_outage(calls: ProviderCalls) -> None:
    for _ in range(5):
        with pytest.raises(ProviderTimeout):
            await calls.answer("ODENGI", "refund", raised(ProviderTimeout()), within_s=1)
    assert calls.health["ODENGI"].state == ProviderState("up")
    assert calls.counts == {("ODENGI", "refund", "timeout"): 5}


async def test_every_kind_of_call_is_counted(world: World) -> None:
    order = (await world.qr()).order
    await world.poll(after_s=15)
    await world.payments.top_ups.cancel(order.invoice_id, CLIENT, PHONE)
    world.odengi.answer = paid(100_00)
    await world.poll()
    await world.payments.refunds.refund(order.invoice_id, None, "a ticket", ANN)
    await world.payments.cards.store_card(14)
    wish, payer = TopUpWish(CLIENT, 100_00, "top-up"), Payer("payer@example.org")
    await world.payments.cards.pay_with_token(wish, "token", payer, PHONE)
    assert world.payments.calls.counts == {
        ("ODENGI", "create_invoice", "answered"): 1,
        ("ODENGI", "status", "answered"): 2,
        ("ODENGI", "cancel", "answered"): 1,
        ("ODENGI", "refund", "answered"): 1,
        ("OBANK", "store_card", "answered"): 1,
        ("OBANK", "pay_with_token", "answered"): 1,
    }


async def test_what_phones_do_not_get_never_keeps_the_poller_from_asking(world: World) -> None:
    order = (await world.qr()).order
    world.odengi.creation, world.odengi.answer = ProviderTimeout(), paid(100_00)
    world.clock.advance(15)
    for number in range(20):
        with pytest.raises(ProviderTimeout):
            await world.qr(client=ClientId(f"client-{number}x"))
    assert world.payments.providers()["ODENGI"].status == "failing"
    await world.poll()
    assert (await world.order(order)).phase == "approved"


async def test_phones_find_an_outage_out_and_an_answer_to_one_of_them_ends_it(world: World) -> None:
    world.odengi.creation = ProviderUnavailable()
    for number in range(3):
        with pytest.raises(ProviderUnavailable):
            await world.qr(client=ClientId(f"client-{number}"))
    assert world.payments.providers()["ODENGI"].status == "failing"
    world.odengi.creation = None
    await world.qr()
    assert world.payments.providers()["ODENGI"] == ProviderState("up")
