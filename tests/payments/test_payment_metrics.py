"""The figures of payments move with what happens, and name nobody (docs/operating.md, "Metrics")."""

from __future__ import annotations

from itertools import chain

import pytest

from evpower.errors import ProviderTimeout, Unauthorized
from evpower.server.metrics.payments import payment_metrics, top_up_metrics
from evpower.server.rows.figures import read_figures
from tests.worlds.by_hand import by_hand
from tests.worlds.payments import ANN, CLIENT, PHONE, World
from tests.worlds.provider import paid


async def read(world: World) -> dict[str, float]:
    """Every sample, `name{label values}`."""
    async with by_hand(world.pool) as conn:
        figures = await read_figures(conn, world.clock.now(), 300)
    families = chain(payment_metrics(world.payments), top_up_metrics(figures.top_ups, world.clock.now()))
    samples = [sample for family in families for sample in family.samples]
    return {f"{each.name}{{{','.join(each.labels.values())}}}": each.value for each in samples}


async def test_a_server_that_took_no_money_says_so(world: World) -> None:
    assert await read(world) == {
        "evpower_provider_up{ODENGI}": 1,
        "evpower_provider_up{OBANK}": 1,
        "evpower_top_ups_credited_total{ODENGI}": 0,
        "evpower_top_ups_credited_total{OBANK}": 0,
        "evpower_top_ups{created}": 0,
        "evpower_top_ups{processing}": 0,
        "evpower_top_ups{approved}": 0,
        "evpower_top_ups{canceled}": 0,
        "evpower_top_ups{expired}": 0,
        "evpower_top_ups{refunded}": 0,
        "evpower_top_ups{partial_refund}": 0,
        "evpower_top_ups{review}": 0,
        "evpower_oldest_open_top_up_seconds{}": 0,
        "evpower_parked_payments{}": 0,
        "evpower_open_refunds{}": 0,
    }


async def test_a_top_up_is_in_its_phase_until_it_is_decided(world: World) -> None:
    order = (await world.qr()).order
    world.clock.advance(20)
    figures = await read(world)
    assert (figures["evpower_top_ups{processing}"], figures["evpower_oldest_open_top_up_seconds{}"]) == (1, 20)
    await world.apply(order, paid(100_00))
    figures = await read(world)
    assert (figures["evpower_top_ups{processing}"], figures["evpower_oldest_open_top_up_seconds{}"]) == (0, 0)
    assert figures["evpower_top_ups_credited_total{ODENGI}"] == 1


async def test_a_canceled_code_is_still_asked_about_and_no_longer_undecided(world: World) -> None:
    order = (await world.qr()).order
    await world.payments.top_ups.cancel(order.invoice_id, CLIENT, PHONE)
    world.clock.advance(20)
    figures = await read(world)
    assert (figures["evpower_top_ups{canceled}"], figures["evpower_oldest_open_top_up_seconds{}"]) == (1, 0)


async def test_an_outage_is_seen_and_lets_undecided_top_ups_grow_old(world: World) -> None:
    await world.qr()
    world.odengi.answer, world.odengi.cancel_error = ProviderTimeout(), ProviderTimeout()
    for _ in range(40):
        await world.poll(after_s=15)
    figures = await read(world)
    assert (figures["evpower_provider_up{ODENGI}"], figures["evpower_provider_up{OBANK}"]) == (0, 1)
    assert figures["evpower_oldest_open_top_up_seconds{}"] == 600
    asked = figures["evpower_provider_calls_total{ODENGI,status,timeout}"]
    assert 3 <= asked < 20, "left alone longer and longer"
    assert figures["evpower_provider_calls_total{ODENGI,create_invoice,answered}"] == 1


async def test_a_payment_for_a_person_is_parked_and_an_unknown_refund_is_open(world: World) -> None:
    order = (await world.qr()).order
    await world.apply(order, paid(None))
    assert (await read(world))["evpower_parked_payments{}"] == 1
    order = (await world.qr()).order
    await world.apply(order, paid(100_00, "90017756"))
    world.odengi.refund_error = ProviderTimeout()
    await world.payments.refunds.refund(order.invoice_id, None, "a ticket", ANN)
    assert (await read(world))["evpower_open_refunds{}"] == 1


async def test_webhooks_are_counted_by_what_became_of_them(world: World) -> None:
    order = (await world.qr()).order
    await world.notify(order)
    await world.call("ODENGI", {"order_id": "nobody's", "state": "approved"})
    for _ in range(2):
        with pytest.raises(Unauthorized):
            await world.call("ODENGI", {"order_id": order.order_id, "state": "approved"}, "forged")
    figures = await read(world)
    webhooks = {name: value for name, value in figures.items() if name.startswith("evpower_webhooks")}
    assert webhooks == {
        "evpower_webhooks_total{ODENGI,queued}": 1,
        "evpower_webhooks_total{ODENGI,payment_not_found}": 1,
        "evpower_webhooks_total{ODENGI,refused}": 2,
    }


async def test_nobody_is_named(world: World) -> None:
    order = (await world.qr()).order
    await world.notify(order)
    world.odengi.answer = paid(100_00)
    await world.poll()
    names = " ".join(await read(world))
    assert not [name for name in (CLIENT, order.order_id, order.invoice_id, "90017755") if name in names]
