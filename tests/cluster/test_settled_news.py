"""Another process hears that a session is final when it is, whatever the public status was before."""

from __future__ import annotations

from datetime import timedelta

import trio

from evpower.events import Event, GapInEvents, SessionSettled
from evpower.identifiers import ClientId
from tests.charging.test_start_identity import start, stop
from tests.charging.test_transactions import CARD, give_card
from tests.cluster.test_two_applications import Both, both
from tests.e2e.process import poll
from tests.worlds.two_processes import hears

__all__ = ["both"]
WITHIN_S = 20.0
HOUR = timedelta(hours=1)


async def test_a_report_beside_a_running_charge_is_final_for_the_other_process_once_it_is_settled(
    both: Both, nursery: trio.Nursery
) -> None:
    """For the public it is stopped from the beginning, because the connector is somebody else's (seed 1097)."""
    a, other, news = both.a, ClientId("other"), list[Event]()
    await hears(both.b, nursery)
    both.b.app.bus.listen(news.append)

    async def settled_in_b() -> list[str]:
        """What B has heard by now: of prices, which change last, it hears last."""
        news[:] = [event for event in news if not isinstance(event, GapInEvents)]
        await a.sql("UPDATE tariff_plans SET name = name WHERE id = 'T'")
        await poll(lambda: any_gap(news))
        return [event.session_id for event in news if isinstance(event, SessionSettled)]

    with trio.fail_after(WITHIN_S):
        await a.give(500_00, other)
        await a.give(500_00)
        await give_card(a)
        running = (await a.order(energy_wh=20_000, client=other)).session.session_id
        await a.begin(await a.tag_of(running), meter_wh=10_000)
        began_at = a.clock.now() - 3 * HOUR
        begun = await start(a, CARD, began_at)
        [row] = await a.sql("SELECT id, status FROM charging_sessions WHERE id <> %s", running)
        assert (row["status"], await settled_in_b()) == ("stopped", [])
        await stop(a, begun.wire_transaction_id, 10_000, began_at + HOUR)
        assert await settled_in_b() == [row["id"]]
    nursery.cancel_scope.cancel()


async def any_gap(news: list[Event]) -> bool:
    return any(isinstance(event, GapInEvents) for event in news)
