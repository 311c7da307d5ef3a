"""Each bad habit, alone."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.simulator.station.connector import Transaction
from evpower.simulator.station.misbehaviour import NAMES, Misbehaviour, UnknownMisbehaviour, misbehaviour, order_of
from evpower.simulator.station.outbox import OutboxMessage
from evpower.simulator.station.power import Vehicle
from evpower.simulator.station.station import SimulatedStation
from evpower.simulator.station.v201.commands import answer as answer_201
from tests.simulator.central_system import CentralSystem
from tests.simulator.conftest import Charger

ACCEPTED = {"status": "Accepted"}
NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
REJECTED = {"status": "Rejected"}


async def remote_start(central: CentralSystem, station: SimulatedStation) -> None:
    """Plug in and start from afar."""
    await station.plug()
    assert await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"}) == ACCEPTED


def transaction_actions(central: CentralSystem) -> list[str]:
    """Start, Stop and MeterValues in the order they came."""
    return [action for action in central.order if action.endswith(("tTransaction", "pTransaction", "Values"))]


async def test_duplicates_carry_the_same_content(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(misbehaviour=misbehaviour(["duplicate"]))
    await remote_start(central, station)
    await central.wait_for("StartTransaction", 2)
    await station.stop()
    await central.wait_for("StopTransaction", 2)
    for action in ("StartTransaction", "StopTransaction"):
        first, second = central.of(action)
        assert first == second


async def test_a_second_transaction_for_a_repeated_start_is_a_complaint(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(misbehaviour=misbehaviour(["duplicate"]))
    await remote_start(central, station)
    await trio.sleep(1)
    assert "another transaction" in station.complaints[0]


async def test_late_messages_keep_the_time_they_happened(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(misbehaviour=misbehaviour(["late"]))
    started_at, started = station.hardware.clock.now(), trio.current_time()
    await remote_start(central, station)
    start = await central.wait_for("StartTransaction")
    assert trio.current_time() - started == pytest.approx(60, abs=1)
    assert start["timestamp"].startswith(started_at.strftime("%Y-%m-%dT%H:%M:%S"))


async def test_out_of_order_meter_values_follow_the_stop_newest_first(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(misbehaviour=misbehaviour(["out-of-order"]), sample_interval_s=10)
    await remote_start(central, station)
    await trio.sleep(25)
    await station.stop()
    await central.wait_for("MeterValues", 2)
    assert transaction_actions(central) == ["StartTransaction", "StopTransaction", "MeterValues", "MeterValues"]
    times = [payload["meterValue"][0]["timestamp"] for payload in central.of("MeterValues")]
    assert times == sorted(times, reverse=True)


def test_of_a_transactions_events_that_wait_the_newest_leaves_first() -> None:
    """OCPP 2.0.1, whose events have numbers. What is no event, and another transaction, keeps its place."""
    first, second = (Transaction(1, tag, 0, NOON) for tag in "AB")
    status = OutboxMessage("StatusNotification", {})
    events = [
        OutboxMessage("MeterValues", {}, transaction, event={"seqNo": number})
        for transaction, number in ((first, 1), (first, 2), (second, 0), (second, 1))
    ]
    choose, queue = order_of(misbehaviour(["newest-first"])), deque([status, *events])
    left: list[OutboxMessage] = []
    while (chosen := choose(queue)) is not None:
        queue.remove(chosen)
        left.append(chosen)
    assert left == [status, events[1], events[0], events[3], events[2]]


@pytest.mark.parametrize(
    ("name", "day"),
    [("clock-1970", "1970-01-01"), ("clock-tomorrow", "2026-01-02"), ("clock-yesterday", "2025-12-31")],
)
async def test_a_wrong_clock_stamps_everything(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock, name: str, day: str
) -> None:
    station = await charger(misbehaviour=misbehaviour([name]))
    await remote_start(central, station)
    start = await central.wait_for("StartTransaction")
    assert start["timestamp"].startswith(day)
    assert central.of("StatusNotification")[0]["timestamp"].startswith(day)


async def test_refuses_a_remote_start(central: CentralSystem, charger: Charger, autojump_clock: MockClock) -> None:
    await charger(misbehaviour=misbehaviour(["refuse-start"]))
    assert await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"}) == REJECTED


async def test_accepts_a_remote_start_and_never_starts(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(misbehaviour=misbehaviour(["never-start"]))
    await remote_start(central, station)
    await trio.sleep(1000)
    assert not central.of("StartTransaction")


async def test_starts_late(central: CentralSystem, charger: Charger, autojump_clock: MockClock) -> None:
    station = await charger(misbehaviour=misbehaviour(["slow-start"]))
    started = trio.current_time()
    await remote_start(central, station)
    await central.wait_for("StartTransaction")
    assert trio.current_time() - started == pytest.approx(30, abs=1)


@pytest.mark.parametrize(("name", "answer"), [("refuse-stop", REJECTED), ("ignore-stop", ACCEPTED)])
async def test_goes_on_after_a_remote_stop(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock, name: str, answer: dict[str, str]
) -> None:
    station = await charger(misbehaviour=misbehaviour([name]))
    await remote_start(central, station)
    await station.trace.wait_until(lambda: station.transaction_id() == 1)
    assert await central.ask("RemoteStopTransaction", {"transactionId": 1}) == answer
    await trio.sleep(100)
    assert station.status() == "Charging"
    assert not central.of("StopTransaction")


async def test_stays_silent_but_goes_on_reporting(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    await charger(misbehaviour=misbehaviour(["silent"]))
    with trio.move_on_after(100) as patience:
        await central.ask("ClearCache")
    assert patience.cancelled_caught
    assert central.of("Heartbeat")


async def test_counts_in_kwh(central: CentralSystem, charger: Charger, autojump_clock: MockClock) -> None:
    station = await charger(misbehaviour=misbehaviour(["kwh"]), register_wh=1_500_000, sample_interval_s=10)
    await remote_start(central, station)
    sample = (await central.wait_for("MeterValues"))["meterValue"][0]["sampledValue"][0]
    assert sample["unit"] == "kWh"
    assert float(sample["value"]) == pytest.approx(1500.1, abs=0.2)
    assert central.of("StartTransaction")[0]["meterStart"] == 1_500_000  # always Wh


async def test_leaves_out_everything_but_the_value(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(misbehaviour=misbehaviour(["bare-values"]), sample_interval_s=10)
    await remote_start(central, station)
    assert [list(s) for s in (await central.wait_for("MeterValues"))["meterValue"][0]["sampledValue"]] == [["value"]]


async def test_sends_no_meter_values(central: CentralSystem, charger: Charger, autojump_clock: MockClock) -> None:
    station = await charger(misbehaviour=misbehaviour(["no-meter-values"]))
    await remote_start(central, station)
    await trio.sleep(300)
    assert not central.of("MeterValues")


async def test_loses_the_stop(central: CentralSystem, charger: Charger, autojump_clock: MockClock) -> None:
    station = await charger(misbehaviour=misbehaviour(["lose-stop"]))
    await remote_start(central, station)
    await station.wait_for_status(1, "Charging")
    await station.stop()
    await trio.sleep(300)
    assert central.statuses()[-1] == "Finishing"
    assert not central.of("StopTransaction")


def test_every_habit_has_a_name() -> None:
    named = {field for change in NAMES.values() for field in change}
    assert named == set(Misbehaviour.__dataclass_fields__)


def test_habits_add_up() -> None:
    both = misbehaviour(["kwh", "late"])
    assert both.meter_in_kwh
    assert both.late_s > 0


def test_an_unknown_habit_is_refused_with_the_list_of_known_ones() -> None:
    with pytest.raises(UnknownMisbehaviour, match=r"kwhh.*duplicate"):
        misbehaviour(["kwhh"])


#: 32 A of three phases: 22.2 kW.
THREE_PHASES: dict[str, Any] = {"phases": 3, "connector_power_w": 22_170, "sample_interval_s": 10}


def limited(limit_a: float) -> dict[str, Any]:
    """SetChargingProfile of the running transaction, as a power group's grant is sent."""
    period = {"startPeriod": 0, "limit": limit_a, "numberPhases": 3}
    schedule = {"chargingRateUnit": "A", "chargingSchedulePeriod": [period], "duration": 300}
    named = {"chargingProfileId": 9_000_001, "stackLevel": 1, "transactionId": 1}
    kinds = {"chargingProfilePurpose": "TxProfile", "chargingProfileKind": "Relative"}
    return {"connectorId": 1, "csChargingProfiles": {**named, **kinds, "chargingSchedule": schedule}}


def currents(central: CentralSystem) -> list[float]:
    """Of each phase, as the last MeterValues have them."""
    samples = central.of("MeterValues")[-1]["meterValue"][0]["sampledValue"]
    return [float(each["value"]) for each in samples if each["measurand"] == "Current.Import"]


@pytest.mark.parametrize(
    ("habits", "status", "flows_a", "told_a"),
    [
        ([], "Accepted", 10, 10),
        (["refuse-limits"], "Rejected", 32, 32),
        (["overdraw"], "Accepted", 15, 15),
        (["ignore-limits"], "Accepted", 32, 32),
        (["understate-power"], "Accepted", 10, 5),
        (["overdraw", "understate-power"], "Accepted", 15, 7.5),
    ],
)
async def test_a_limit_is_obeyed_refused_overdrawn_or_lied_about(
    central: CentralSystem,
    charger: Charger,
    autojump_clock: MockClock,
    habits: list[str],
    status: str,
    flows_a: float,
    told_a: float,
) -> None:
    """10 A in each of three phases; the register always says what flowed."""
    station = await charger(misbehaviour=misbehaviour(habits), **THREE_PHASES)
    await station.plug(1, Vehicle(charge_wh=0.0))
    await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
    await central.wait_for("StartTransaction")
    await trio.sleep(1)
    assert await central.ask("SetChargingProfile", limited(10)) == {"status": status}
    await trio.sleep(1)
    before = station.register_wh()
    await trio.sleep(100)
    assert station.register_wh() - before == pytest.approx(flows_a * 3 * 400 / 3**0.5 * 100 / 3600, abs=2)
    assert currents(central) == pytest.approx([told_a] * 3, abs=0.1)


async def test_a_limit_is_answered_late_or_obeyed_late(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(misbehaviour=misbehaviour(["late-limits", "lag-limits"]), **THREE_PHASES)
    await remote_start(central, station)
    await central.wait_for("StartTransaction")
    await trio.sleep(1)
    asked = trio.current_time()
    assert await central.ask("SetChargingProfile", limited(6)) == ACCEPTED
    assert trio.current_time() - asked == 15
    connector = station.hardware.connectors[1]
    await trio.sleep(19)
    assert connector.offered_w == 22_170
    await trio.sleep(2)
    assert connector.offered_w == pytest.approx(6 * 3 * 400 / 3**0.5)


async def test_a_station_of_201_obeys_the_same_grant(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    """What it is asked in 2.0.1's words."""
    station = await charger(**THREE_PHASES)
    await remote_start(central, station)
    await central.wait_for("StartTransaction")
    await trio.sleep(1)
    asked = limited(10)["csChargingProfiles"]
    profile = {**asked, "id": asked.pop("chargingProfileId"), "chargingSchedule": [asked["chargingSchedule"]]}

    async def ask(action: str, payload: dict[str, Any]) -> None:
        answered = answer_201(station.hardware, station, action, payload)
        assert answered.payload == ACCEPTED
        assert answered.then is not None
        await answered.then()

    await ask("SetChargingProfile", {"evseId": 1, "chargingProfile": profile})
    assert station.hardware.connectors[1].offered_w == pytest.approx(10 * 3 * 400 / 3**0.5)
    wanted = {"evseId": 1, "chargingProfilePurpose": "TxProfile", "stackLevel": 1}
    await ask("ClearChargingProfile", {"chargingProfileCriteria": wanted})
    assert station.hardware.connectors[1].offered_w == 22_170
