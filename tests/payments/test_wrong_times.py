"""What a process whose clock ran a day ahead left when it died is asked about now (money audit B2; a crash run)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from evpower.payments.poller import LEASE
from tests.worlds.payments import World
from tests.worlds.provider import paid

LEFT = """
UPDATE evpower.top_up_orders SET leased_until = %s, due_why = %s, next_check_at = %s WHERE topup_id = %s
"""
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("leased_for", "due_why"),
    [
        pytest.param(DAY + LEASE, None, id="its check was under way"),
        pytest.param(None, "webhook", id="a webhook had come"),
        pytest.param(DAY + LEASE, "webhook", id="both"),
    ],
)
async def test_it_is_credited_now(world: World, leased_for: timedelta | None, due_why: str | None) -> None:
    order = (await world.qr()).order
    now = world.clock.now()
    await world.sql(LEFT, None if leased_for is None else now + leased_for, due_why, now + DAY, order.id)
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=15)
    assert (await world.order(order)).phase == "processing"
    await world.payments.poller.forget_wrong_times()
    await world.poll(after_s=15)
    assert ((await world.order(order)).phase, await world.balance()) == ("approved", 100_00)


async def test_a_check_that_is_under_way_elsewhere_is_left_alone(world: World) -> None:
    """With a clock that is a minute ahead of ours."""
    order = (await world.qr()).order
    now = world.clock.now()
    await world.sql(LEFT, now + LEASE + timedelta(seconds=59), None, now + timedelta(seconds=10), order.id)
    await world.payments.poller.forget_wrong_times()
    world.odengi.answer = paid(100_00)
    await world.poll(after_s=15)
    assert ((await world.order(order)).phase, world.odengi.count("status")) == ("processing", 0)
