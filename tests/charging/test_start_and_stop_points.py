"""Wherever a 2.0.1 station lets its transactions begin and end, a charge costs the same (contract/ocpp201 §3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from evpower.identifiers import IdTag, WireTransactionId
from evpower.reports.transaction_event import EventStage
from tests.worlds.charging import World
from tests.worlds.events import EventWorld

#: How it begins: (charging state, with the token, with a register) of each event up to the first reading.
BEGINNINGS = {
    "EVConnected": (("EVConnected", False, True), ("EVConnected", True, True)),
    "Authorized": (("Idle", True, False), ("EVConnected", False, True)),
    "PowerPathClosed": (("EVConnected", True, True),),
    "EnergyTransfer": (("Charging", True, True),),
    "DataSigned": (("EVConnected", True, False), ("EVConnected", False, True)),
    "ParkingBayOccupied": (("Idle", False, False), ("EVConnected", False, True), ("EVConnected", True, True)),
}
#: How it ends: states that are reported before, and why it stops.
ENDINGS: dict[str, tuple[tuple[str, ...], str | None]] = {
    "StopAuthorized, local": ((), "Local"),
    "StopAuthorized, remote": ((), "Remote"),
    "energy stopped, by the station": (("SuspendedEVSE",), "Local"),
    "energy stopped, by the car": (("SuspendedEV",), "StoppedByEV"),
    "cable out at the car": (("SuspendedEV", "Idle"), "EVDisconnected"),
    "cable out at the station": (("EVConnected", "Idle"), "EVDisconnected"),
    "deauthorized": ((), "DeAuthorized"),
    "parking bay left": (("Idle",), "Other"),
    "no reason": ((), None),
}


@pytest.fixture
def charger(world: World) -> EventWorld:
    return EventWorld(world)


Play = Callable[[WireTransactionId, IdTag], Awaitable[None]]


async def bill(charger: EventWorld, play: Play) -> tuple[int | None, int, bool]:
    """Of 10 kWh in half an hour: cost, energy, whether it is an estimate."""
    session_id = (await charger.order(energy_wh=20_000)).session.session_id
    await play(charger.new_id(), await charger.tag_of(session_id))
    await charger.app.settler.work_due()
    view = await charger.session(session_id)
    return view.cost_tyiyn, view.energy_wh, view.estimated


async def test_wherever_it_begins(charger: EventWorld) -> None:
    await charger.give(5_000_00)
    bills = {}
    for point, events in BEGINNINGS.items():

        async def play(
            wire_id: WireTransactionId, tag: IdTag, events: tuple[tuple[str, bool, bool], ...] = events
        ) -> None:
            for number, (state, with_token, with_register) in enumerate(events):
                facts = {"id_tag": tag} if with_token else {}
                kind: EventStage = "Updated" if number else "Started"
                register = 1_000 if with_register else None
                await charger.tell(charger.event(wire_id, kind, register, charging_state=state, **facts))
            charger.clock.advance(1800)
            await charger.meter(wire_id, 11_000)
            await charger.end(wire_id, 11_000)

        bills[point] = await bill(charger, play)
    assert bills == dict.fromkeys(BEGINNINGS, (135_00, 10_000, False))


async def test_however_it_ends(charger: EventWorld) -> None:
    await charger.give(5_000_00)
    bills = {}
    for how, (states, reason) in ENDINGS.items():

        async def play(
            wire_id: WireTransactionId, tag: IdTag, states: tuple[str, ...] = states, reason: str | None = reason
        ) -> None:
            await charger.tell(charger.event(wire_id, "Started", 1_000, id_tag=tag, charging_state="Charging"))
            charger.clock.advance(1800)
            for state in states:
                await charger.tell(charger.event(wire_id, "Updated", 11_000, charging_state=state))
            await charger.tell(charger.event(wire_id, "Ended", 11_000, stop_reason=reason))

        bills[how] = await bill(charger, play)
    assert bills == dict.fromkeys(ENDINGS, (135_00, 10_000, False))
