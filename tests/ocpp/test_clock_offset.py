"""What a station ends by itself, it ends by its own clock (duty 26; roadmap/reservations §4)."""

from __future__ import annotations

from datetime import timedelta

import pytest
import trio

from evpower.identifiers import ConnectorId, StationId
from evpower.link.commands import Reserve
from evpower.ocpp.habits.clocks import ClockOffset
from tests.ocpp.conftest import Csms
from tests.ocpp.test_connection import ready_charger
from tests.worlds.fakes import NOON

MINUTE = timedelta(minutes=1)


@pytest.mark.parametrize(
    ("ahead", "shown"),
    [
        ([], 0),
        ([1], 0),
        ([1.1], 1.1),
        ([10], 10),
        ([10, -300], 10),  # a report from a queue
        ([-300, -200, 0.5], 0),
        ([-10], 0),  # it may have waited
        ([-10, -10, -10.05], -10),
        ([-10, -10, -11], 0),
        ([-10, -300], 0),
        ([90, *[0] * 10], 0),  # it was set right
    ],
)
def test_the_latest_stamps_that_did_not_wait_say_how_far_it_is_off(ahead: list[float], shown: float) -> None:
    offset = ClockOffset()
    for minutes in ahead:
        offset.heard(NOON + minutes * MINUTE, NOON)
    assert offset.by_its_clock(NOON) == NOON + shown * MINUTE


async def test_a_reservation_ends_by_the_clock_of_its_station(csms: Csms) -> None:
    peer = await ready_charger(csms)
    now = csms.clock.now()
    stamp = (now + timedelta(hours=2)).isoformat()
    status = {"connectorId": 1, "errorCode": "NoError", "status": "Available", "timestamp": stamp}
    await peer.call("StatusNotification", status)
    ends_at = now + 16 * MINUTE
    async with trio.open_nursery() as nursery:
        nursery.start_soon(csms.registry.ask, StationId("CP-1"), Reserve(7, ConnectorId(1), "TAG", ends_at, None))
        _, message_id, action, payload = await peer.next_call()
        await peer.send(3, message_id, {"status": "Accepted"})
    shown = (ends_at + timedelta(hours=2)).isoformat(timespec="seconds").replace("+00:00", "Z")
    assert (action, payload["expiryDate"]) == ("ReserveNow", shown)
