"""MeterValues (OCPP 1.6 §4.7; duties 20, 29, 30)."""

from __future__ import annotations

import json

import pytest
from trio.testing import MockClock

from tests.ocpp.conftest import Csms


def values(*sampled: object, at: str = "2026-01-01T00:00:00Z") -> dict[str, object]:
    return {"timestamp": at, "sampledValue": list(sampled)}


async def test_duty_29_a_value_without_measurand_and_unit_is_the_register_in_wh(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    payload = {"connectorId": 1, "transactionId": 7, "meterValue": [values({"value": "1234"})]}
    assert (await peer.call("MeterValues", payload))[2] == {}
    reading = csms.reports.readings[0]
    assert (reading.connector_id, reading.wire_transaction_id, reading.samples[0].energy_wh) == (1, "7", 1234)


async def test_duty_29_kilowatt_hours_become_wh(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    sampled = {"value": "1.5", "measurand": "Energy.Active.Import.Register", "unit": "kWh"}
    await peer.call("MeterValues", {"connectorId": 1, "meterValue": [values(sampled)]})
    assert csms.reports.readings[0].samples[0].energy_wh == 1500


@pytest.mark.parametrize("transaction_id", [None, 0, -1])
async def test_duty_30_no_transaction_however_it_is_said(
    csms: Csms, autojump_clock: MockClock, transaction_id: int | None
) -> None:
    peer = await csms.charger()
    payload = {"connectorId": 0, "transactionId": transaction_id, "meterValue": [values({"value": "1"})]}
    assert (await peer.call("MeterValues", payload))[2] == {}
    assert csms.reports.readings[0].wire_transaction_id is None


async def test_the_raw_readings_are_kept_byte_for_byte(csms: Csms, autojump_clock: MockClock) -> None:
    raw = '[ {"timestamp":"2026-01-01T00:00:00Z","sampledValue":[{"value":"ab+/==","format":"SignedData"}]} ]'
    peer = await csms.charger()
    await peer.send_text(f'[2,"m","MeterValues",{{"connectorId":1,"meterValue":{raw}}}]'.encode())
    await peer.answer()
    assert csms.reports.readings[0].raw == raw.encode()


async def test_duty_29_signed_data_is_never_read_as_a_number(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.call("MeterValues", {"connectorId": 1, "meterValue": [values({"value": "77", "format": "SignedData"})]})
    assert csms.reports.readings[0].samples[0].energy_wh is None


async def test_samples_reach_the_service_oldest_first(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    late, early = values({"value": "2"}, at="2026-01-01T00:00:30Z"), values({"value": "1"})
    await peer.call("MeterValues", {"connectorId": 1, "meterValue": [late, early]})
    assert [sample.energy_wh for sample in csms.reports.readings[0].samples] == [1, 2]


@pytest.mark.parametrize(
    "sampled",
    [
        {"value": "rubbish"},
        {"value": "-5"},
        {"value": None},
        {"value": [1]},
        "not an object",
        {"value": "1", "measurand": "Vendor.Own"},
    ],
    ids=json.dumps,
)
async def test_duty_20_a_bad_value_is_skipped_and_the_message_answered(
    csms: Csms, autojump_clock: MockClock, sampled: object
) -> None:
    peer = await csms.charger()
    payload = {"connectorId": 1, "meterValue": [values(sampled, {"value": "230", "measurand": "Voltage"})]}
    assert (await peer.call("MeterValues", payload))[2] == {}
    sample = csms.reports.readings[0].samples[0]
    assert (sample.energy_wh, sample.voltage_v) == (None, 230)


ENERGY = "Energy.Active.Import.Register"


@pytest.mark.parametrize(
    ("sampled", "energy_wh"),
    [
        ([{"value": str(n), "measurand": ENERGY, "phase": f"L{n}"} for n in (1, 2, 3)], 6),
        ([{"value": "9"}, {"value": "1", "phase": "L1"}], 9),
        ([{"value": "7", "context": "Transaction.Begin"}], 7),
        ([{"value": "7", "location": "Outlet"}, {"value": "99", "location": "EV"}], 7),
        ([{"value": "99", "location": "Inlet"}], None),
        ([{"value": "99", "measurand": "Energy.Active.Export.Register"}], None),
    ],
    ids=["phases", "total", "context", "outlet", "inlet", "export"],
)
async def test_duty_29_phases_add_up_a_total_beats_them_and_only_the_outlets_import_counts(
    csms: Csms, autojump_clock: MockClock, sampled: list[dict[str, str]], energy_wh: int | None
) -> None:
    peer = await csms.charger()
    assert (await peer.call("MeterValues", {"connectorId": 1, "meterValue": [values(*sampled)]}))[2] == {}
    assert csms.reports.readings[0].samples[0].energy_wh == energy_wh
