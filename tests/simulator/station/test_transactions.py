"""Charges: started by the central system or by a card, online and offline."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.simulator.station.power import Vehicle
from evpower.simulator.station.station import SimulatedStation
from tests.simulator.central_system import CentralSystem, Payload, Refuse
from tests.simulator.conftest import Charger

ACCEPTED = {"status": "Accepted"}
SMALL = Vehicle(capacity_wh=1_000, charge_wh=0.0)


def register(meter_values: Payload) -> int:
    """The register in a MeterValues payload, Wh."""
    samples: list[Any] = meter_values["meterValue"][0]["sampledValue"]
    return next(int(s["value"]) for s in samples if s["measurand"] == "Energy.Active.Import.Register")


async def charging(central: CentralSystem, station: SimulatedStation) -> None:
    """Plug in and start by card."""
    await station.plug(1, Vehicle(charge_wh=0.0))
    assert await station.present_card(1, "CARD") == "Accepted"
    await station.trace.wait_until(lambda: station.transaction_id() is not None)


async def test_remote_start_is_answered_then_preparing_start_charging_and_meter_values(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(sample_interval_s=10, connector_power_w=36_000)
    central.order.clear()
    assert await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "+996555123456"}) == ACCEPTED
    await station.wait_for_status(1, "Preparing")
    await station.plug(1, Vehicle(charge_wh=0.0))
    with trio.fail_after(30):
        values = await central.wait_for("MeterValues", 2)
    assert central.order[0] == "answer"
    assert [word for word in central.order if word != "answer"][:4] == [
        "StatusNotification",
        "StartTransaction",
        "StatusNotification",
        "MeterValues",
    ]
    assert central.statuses()[-2:] == ["Preparing", "Charging"]
    assert central.of("StartTransaction")[0]["idTag"] == "+996555123456"
    assert values["transactionId"] == station.transaction_id() == 1
    assert register(values) == 200  # 36 kW for 20 s
    assert not station.complaints


async def test_remote_stop_gives_stop_transaction_and_finishing(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(connector_power_w=36_000)
    await charging(central, station)
    await trio.sleep(100)
    assert await central.ask("RemoteStopTransaction", {"transactionId": 1}) == ACCEPTED
    with trio.fail_after(10):
        stop = await central.wait_for("StopTransaction")
        await station.wait_for_status(1, "Finishing")
    assert (stop["transactionId"], stop["reason"], stop["meterStop"]) == (1, "Remote", 1000)
    await station.unplug()
    assert station.status() == "Available"


async def test_remote_stop_of_an_unknown_transaction_is_rejected(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    await charging(central, station)
    assert await central.ask("RemoteStopTransaction", {"transactionId": 99}) == {"status": "Rejected"}


async def test_remote_start_without_a_cable_is_forgotten_after_the_connection_timeout(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(connection_timeout_s=40)
    await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "A"})
    await station.wait_for_status(1, "Preparing")
    with trio.fail_after(41):
        await station.wait_for_status(1, "Available")
    await station.plug()
    await trio.sleep(10)
    assert not central.of("StartTransaction")


async def test_a_second_remote_start_on_a_busy_connector_is_rejected(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    await charging(central, station)
    assert await central.ask("RemoteStartTransaction", {"connectorId": 1, "idTag": "B"}) == {"status": "Rejected"}


async def test_a_card_is_authorized_before_it_starts_and_the_same_card_stops(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    await charging(central, station)
    assert central.order.index("Authorize") < central.order.index("StartTransaction")
    await station.present_card(1, "card")
    stop = await central.wait_for("StopTransaction")
    assert (stop["reason"], stop["idTag"]) == ("Local", "card")


async def test_a_refused_card_starts_nothing(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    central.replies["Authorize"] = lambda _: {"idTagInfo": {"status": "Blocked"}}
    station = await charger()
    await station.plug()
    assert await station.present_card(1, "BAD") == "Blocked"
    await trio.sleep(10)
    assert not central.of("StartTransaction")


async def test_a_start_answered_invalid_is_stopped_as_deauthorized(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    central.replies["StartTransaction"] = lambda _: central.start_reply("Invalid")
    station = await charger()
    await station.plug()
    await station.present_card(1, "CARD")
    stop = await central.wait_for("StopTransaction")
    assert (stop["transactionId"], stop["reason"]) == (1, "DeAuthorized")


async def test_pulling_the_cable_stops_as_ev_disconnected(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger()
    await charging(central, station)
    await station.unplug()
    assert (await central.wait_for("StopTransaction"))["reason"] == "EVDisconnected"
    assert station.status() == "Available"


async def test_a_full_battery_suspends_and_takes_no_more(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(sample_interval_s=60)
    await station.plug(1, SMALL)
    await station.present_card(1, "CARD")
    with trio.fail_after(1000):
        await station.wait_for_status(1, "SuspendedEV")
    await trio.sleep(1000)
    assert station.register_wh() == 1_000


async def test_speed_multiplies_energy_but_not_the_sample_interval(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(sample_interval_s=10, connector_power_w=3_600, speed=60)
    await charging(central, station)
    started = trio.current_time()
    values = await central.wait_for("MeterValues")
    assert round(trio.current_time() - started) == 10
    assert register(values) == 600


async def test_the_power_reported_is_what_the_register_rises_by_in_the_stations_own_time_at_any_speed(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(sample_interval_s=10, connector_power_w=3_600, speed=60)
    await charging(central, station)
    values = await central.wait_for("MeterValues")
    samples = {sample["measurand"]: sample["value"] for sample in values["meterValue"][0]["sampledValue"]}
    assert float(samples["Power.Active.Import"]) == register(values) * 3600 / (10 * 60)
    begun = await central.wait_for("StartTransaction")
    times = [begun["timestamp"], values["meterValue"][0]["timestamp"]]
    began_at, measured_at = (datetime.fromisoformat(text) for text in times)
    assert (measured_at - began_at).total_seconds() == pytest.approx(600, abs=1)


async def test_what_happened_offline_is_delivered_in_order_with_its_own_times(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(sample_interval_s=10)
    station.go_offline()
    await trio.sleep(5)
    before = len(central.calls)
    await station.plug(1, Vehicle(charge_wh=0.0))
    begun_at = station.hardware.clock.now()
    assert await station.present_card(1, "CARD") == "Accepted"
    await trio.sleep(25)
    await station.stop()
    await trio.sleep(1000)
    station.come_online()
    with trio.fail_after(10):
        await central.wait_for("StopTransaction")
    sent = [
        (action, payload) for _, action, payload in central.calls[before:] if action.endswith(("Transaction", "Values"))
    ]
    assert [action for action, _ in sent] == ["StartTransaction", "MeterValues", "MeterValues", "StopTransaction"]
    times = [payload.get("timestamp") or payload["meterValue"][0]["timestamp"] for _, payload in sent]
    seconds = [int(text[17:19]) + 60 * int(text[14:16]) for text in times]
    assert [second - seconds[0] for second in seconds] == [0, 10, 20, 25]
    assert seconds[0] == begun_at.second + 60 * begun_at.minute
    assert all(payload["transactionId"] == 1 for _, payload in sent[1:])


async def test_a_charge_goes_on_while_the_line_is_cut_and_keeps_its_transaction(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    station = await charger(sample_interval_s=10, connector_power_w=36_000)
    await charging(central, station)
    await trio.sleep(5)
    station.go_offline()
    await trio.sleep(100)
    station.come_online()
    values = await central.wait_for("MeterValues", 10)
    assert (values["transactionId"], register(values)) == (1, 1000)


async def test_an_unanswered_start_is_repeated_with_the_same_content(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    answer = central.replies["StartTransaction"]
    central.replies["StartTransaction"] = lambda _: None
    station = await charger(call_timeout_s=20)
    await station.plug()
    await station.present_card(1, "CARD")
    await central.wait_for("StartTransaction", 2)
    central.replies["StartTransaction"] = answer
    third = await central.wait_for("StartTransaction", 3)
    assert third == central.of("StartTransaction")[0]
    await station.trace.wait_until(lambda: station.transaction_id() == 1)


async def test_a_refused_start_is_given_up_after_its_attempts_and_the_stop_says_minus_one(
    central: CentralSystem, charger: Charger, autojump_clock: MockClock
) -> None:
    def refuse(_: Payload) -> Payload:
        raise Refuse

    central.replies["StartTransaction"] = refuse
    station = await charger(sample_interval_s=0)
    await station.plug()
    await station.present_card(1, "CARD")
    await trio.sleep(500)
    await station.stop()
    stop = await central.wait_for("StopTransaction")
    assert len(central.of("StartTransaction")) == 3
    assert stop["transactionId"] == -1
