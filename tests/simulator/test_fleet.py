"""Many chargers and the people at them."""

from __future__ import annotations

import pytest
import trio
from trio.testing import MockClock

from evpower.simulator.fleet import StationPlan, run_fleet, simulate
from evpower.simulator.people.drivers import Habits
from evpower.simulator.station.misbehaviour import UnknownMisbehaviour
from evpower.simulator.station.settings import StationSettings
from tests.simulator.central_system import CentralSystem, TrioClock


def plans(count: int) -> list[StationPlan]:
    """Small stations."""
    return [StationPlan(station_id=f"S{number}", settings=StationSettings()) for number in range(count)]


async def test_a_hundred_chargers_boot_and_each_says_so(
    central: CentralSystem, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    said: list[tuple[str, str]] = []

    async def fleet() -> None:
        await run_fleet(
            "ws://mem", plans(100), clock=TrioClock(), dial=central.dial, say=lambda who, what: said.append((who, what))
        )

    nursery.start_soon(fleet)
    with trio.fail_after(60):
        await central.wait_for("StatusNotification", 200)
    assert len({who for who, what in said if what.startswith("→ BootNotification")}) == 100


async def test_a_driver_plugs_in_after_an_app_start_and_leaves_after_the_stop(
    central: CentralSystem, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    async def fleet() -> None:
        await run_fleet("ws://mem", plans(1), clock=TrioClock(), dial=central.dial, habits=Habits())

    nursery.start_soon(fleet)
    await central.wait_for("StatusNotification", 2)
    await trio.sleep(200)
    assert not central.of("StartTransaction")
    with trio.fail_after(60):
        await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
        await central.wait_for("StartTransaction")
        await trio.sleep(20)
        await central.ask("RemoteStopTransaction", {"transactionId": 1})
        await central.wait_for("StopTransaction")
        await trio.sleep(10)
    assert central.statuses()[-4:] == ["Preparing", "Charging", "Finishing", "Available"]


async def test_walk_ups_charge_by_card_again_and_again(
    central: CentralSystem, autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    people = Habits(id_tags=("CARD1", "CARD2"))

    async def fleet() -> None:
        await run_fleet("ws://mem", plans(1), clock=TrioClock(), dial=central.dial, habits=people)

    nursery.start_soon(fleet)
    with trio.fail_after(10_000):
        await central.wait_for("StopTransaction", 5)
    assert {payload["idTag"] for payload in central.of("StartTransaction")} <= {"CARD1", "CARD2"}
    assert central.statuses().count("Available") >= 5


async def test_a_charger_without_a_server_says_so_and_keeps_trying(
    autojump_clock: MockClock, nursery: trio.Nursery
) -> None:
    said: list[str] = []

    async def nobody(url: str) -> trio.abc.Stream:
        raise OSError("connection refused")

    async def fleet() -> None:
        await run_fleet("ws://mem", plans(1), clock=TrioClock(), dial=nobody, say=lambda _, what: said.append(what))

    nursery.start_soon(fleet)
    await trio.sleep(100)
    assert len(said) > 3
    assert "connection refused" in said[0]


async def test_a_wrong_misbehaviour_is_refused_before_anything_starts() -> None:
    with pytest.raises(UnknownMisbehaviour):
        await simulate("ws://localhost:1", 1, misbehaviours=["nonsense"])
