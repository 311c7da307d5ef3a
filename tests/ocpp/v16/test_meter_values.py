"""MeterValues (OCPP 1.6 §4.7; duties 20, 29, 30)."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from trio.testing import MockClock

from evpower.identifiers import StationId
from evpower.ocpp.watch.oddities import Kind
from tests.ocpp.conftest import Csms
from tests.ocpp.fakes import EPOCH

CP = StationId("CP-1")


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


@pytest.mark.parametrize(("form", "signed"), [("SignedData", True), ("Raw", False), (None, False)])
async def test_duty_29_that_a_meter_signs_is_seen_and_what_it_signs_is_no_register(
    csms: Csms, autojump_clock: MockClock, form: str | None, signed: bool
) -> None:
    peer = await csms.charger()
    sampled = {"value": "99999"} if form is None else {"value": "99999", "format": form}
    await peer.call("MeterValues", {"connectorId": 1, "meterValue": [values({"value": "1234"}), values(sampled)]})
    (reading,) = csms.reports.readings
    assert reading.signed is signed
    assert max(sample.energy_wh or 0 for sample in reading.samples) == (1234 if signed else 99999)


@pytest.mark.parametrize("transaction_id", [None, 0, -1])
async def test_duty_30_no_transaction_however_it_is_said(
    csms: Csms, autojump_clock: MockClock, transaction_id: int | None
) -> None:
    peer = await csms.charger()
    payload = {"connectorId": 0, "transactionId": transaction_id, "meterValue": [values({"value": "1"})]}
    assert (await peer.call("MeterValues", payload))[2] == {}
    assert csms.reports.readings[0].wire_transaction_id is None


@pytest.mark.parametrize(
    ("changes", "samples", "raw"),
    [
        ({"meterValue": ...}, [], b"[]"),
        ({"meterValue": None}, [], b"null"),
        ({"meterValue": "none"}, [], b'"none"'),
        ({"meterValue": [values({"value": "5"}, at="")]}, [(EPOCH, 5)], None),
        ({"meterValue": [{"sampledValue": [{"value": "5"}]}]}, [(EPOCH, 5)], None),
        ({"connectorId": ...}, [(EPOCH, 1)], None),
        ({"connectorId": "one"}, [(EPOCH, 1)], None),
    ],
    ids=str,
)
async def test_readings_are_taken_for_what_they_do_say(
    csms: Csms, autojump_clock: MockClock, changes: dict[str, Any], samples: list[object], raw: bytes | None
) -> None:
    """Field ruling 3.2: a CALLERROR would make the charger repeat them before all it has queued."""
    peer = await csms.charger()
    wanted = {"connectorId": 1, "transactionId": 7, "meterValue": [values({"value": "1"})], **changes}
    payload = {name: value for name, value in wanted.items() if value is not ...}
    assert (await peer.call("MeterValues", payload))[2] == {}
    report = csms.reports.readings[0]
    assert (report.connector_id, report.wire_transaction_id) == (0 if "connectorId" in changes else 1, "7")
    assert [(sample.measured_at, sample.energy_wh) for sample in report.samples] == samples
    assert report.raw == (json.dumps(payload.get("meterValue")).encode() if raw is None else raw)


async def test_readings_that_are_no_object_are_answered_and_kept(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    assert (await peer.call("MeterValues", ["?"]))[2] == {}
    assert (csms.reports.readings[0].samples, csms.reports.readings[0].raw) == ((), b'["?"]')


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


async def test_kwh_and_wh_in_one_charge_are_one_register(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    for sampled in ({"value": "1.5", "unit": "kWh"}, {"value": "1600", "unit": "Wh"}, {"value": "1.7", "unit": "kwh"}):
        await peer.call("MeterValues", {"connectorId": 1, "transactionId": 7, "meterValue": [values(sampled)]})
    assert [reading.samples[0].energy_wh for reading in csms.reports.readings] == [1500, 1600, 1700]
    assert csms.traffic.leniencies[CP] == {Kind.OTHER_SPELLING: 1}


@pytest.mark.parametrize(
    "sampled",
    [
        {"value": "12,5", "unit": "kWh"},
        {"value": "9e999999", "unit": "kWh"},
        {"value": "NaN"},
        {"value": "-1"},
        {"value": "5", "location": "EV"},
        {"value": "5", "phase": "N"},
        {"value": "5", "unit": "MWh"},
    ],
    ids=json.dumps,
)
async def test_a_register_that_is_not_believed_is_counted_for_the_station_and_answered(
    csms: Csms, autojump_clock: MockClock, sampled: dict[str, str]
) -> None:
    peer = await csms.charger()
    assert (await peer.call("MeterValues", {"connectorId": 1, "meterValue": [values(sampled)]}))[2] == {}
    assert csms.reports.readings[0].samples[0].energy_wh is None
    assert csms.traffic.leniencies[CP][Kind.SKIPPED_READING] == 1


async def test_duty_29_signed_data_of_ten_kilobytes_is_kept_byte_for_byte(
    csms: Csms, autojump_clock: MockClock
) -> None:
    signed = "OCMF|" + "4pAb/+=" * 1500
    raw = json.dumps([values({"value": signed, "format": "SignedData", "context": "Transaction.Begin"})])
    peer = await csms.charger()
    await peer.send_text(f'[2,"m","MeterValues",{{"connectorId":1,"transactionId":7,"meterValue":{raw}}}]'.encode())
    assert (await peer.answer())[2] == {}
    reading = csms.reports.readings[0]
    assert (reading.raw, reading.samples[0].energy_wh) == (raw.encode(), None)
    assert not csms.traffic.leniencies[CP]


@pytest.mark.parametrize(
    ("at", "moment", "kind"),
    [
        ("1970-01-01T00:00:10Z", datetime(1970, 1, 1, 0, 0, 10, tzinfo=UTC), Kind.WRONG_CLOCK),
        ("2026-01-02T00:00:00Z", datetime(2026, 1, 2, tzinfo=UTC), Kind.WRONG_CLOCK),
        ("2026-01-01T00:00:00", datetime(2026, 1, 1, tzinfo=UTC), Kind.NO_ZONE),
    ],
)
async def test_duty_26_the_chargers_time_is_passed_on_as_it_is_and_counted_when_it_cannot_be(
    csms: Csms, autojump_clock: MockClock, at: str, moment: datetime, kind: Kind
) -> None:
    peer = await csms.charger()
    await peer.call("MeterValues", {"connectorId": 1, "meterValue": [values({"value": "1"}, at=at)]})
    assert csms.reports.readings[0].samples[0].measured_at == moment
    assert csms.traffic.leniencies[CP] == {kind: 1}


async def test_a_queue_of_yesterday_is_no_wrong_clock(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    at = "2025-12-31T00:00:00Z"
    await peer.call("StartTransaction", {"connectorId": 1, "idTag": "T", "meterStart": 1, "timestamp": at})
    await peer.call("MeterValues", {"connectorId": 1, "meterValue": [values({"value": "1"}, at=at)]})
    await peer.call("StopTransaction", {"transactionId": 101, "meterStop": 2, "timestamp": at})
    assert not csms.traffic.leniencies[CP]


ENERGY = "Energy.Active.Import.Register"


@pytest.mark.parametrize(
    ("sampled", "energy_wh"),
    [
        ([{"value": str(n), "measurand": ENERGY, "phase": f"L{n}"} for n in (1, 2, 3)], 6),
        ([{"value": "9"}, {"value": "1", "phase": "L1"}], 9),
        ([{"value": "9", "phase": "L1"}], 9),
        ([{"value": "9", "phase": "L1", "location": "Body"}], 9),
        ([{"value": "9", "location": "Body"}, {"value": "1", "location": "Inlet"}], 9),
        ([{"value": "7", "context": "Transaction.Begin"}], 7),
        ([{"value": "7", "location": "Outlet"}, {"value": "99", "location": "EV"}], 7),
        ([{"value": "99", "location": "Inlet"}], None),
        ([{"value": "99", "measurand": "Energy.Active.Export.Register"}], None),
    ],
    ids=["phases", "total", "one phase", "one phase of the body", "body", "context", "outlet", "inlet", "export"],
)
async def test_duty_29_phases_add_up_a_total_beats_them_and_only_the_outlets_import_counts(
    csms: Csms, autojump_clock: MockClock, sampled: list[dict[str, str]], energy_wh: int | None
) -> None:
    peer = await csms.charger()
    assert (await peer.call("MeterValues", {"connectorId": 1, "meterValue": [values(*sampled)]}))[2] == {}
    assert csms.reports.readings[0].samples[0].energy_wh == energy_wh
