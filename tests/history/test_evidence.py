"""A bill recomputed from its rows, and what the meter signed, as received (history page §1, ocpp-duties 29)."""

from __future__ import annotations

import json
import warnings
from base64 import b64encode
from functools import cache
from typing import Any
from xml.etree.ElementTree import fromstring

import pypdfium2
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from evpower.charging.transaction import TransactionStop
from evpower.history.evidence import SignedReading, SignedValue, read_signed
from evpower.history.signatures import verified
from evpower.metering.meter_value import MeterReport, Sample
from evpower.ocpp import dialects
from tests.history.doors import OTHER, get, phone_of
from tests.worlds.charging import CLIENT, ONE, STATION, World

PAYLOAD = {
    "FV": "1.0",
    "GI": "EVP",
    "GS": "1",
    "GV": "1.0",
    "PG": "T1",
    "MV": "M",
    "MM": "M1",
    "MS": "1",
    "MF": "1.0",
    "IS": False,
    "IL": "NONE",
    "IF": [],
    "IT": "NONE",
    "ID": "",
    "RD": [{"TM": "2026-11-23T06:00:00,000+0000 S", "TX": "B", "RV": 1.0, "RI": "01-00:01.08.00*FF",
            "RU": "kWh", "ST": "G"}],
}  # fmt: skip


@cache
def key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def public_key() -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key().public_key().public_bytes(serialization.Encoding.DER, form).hex()


def ocmf() -> str:
    payload = json.dumps(PAYLOAD, separators=(",", ":"))
    signature = key().sign(payload.encode(), ec.ECDSA(hashes.SHA256())).hex()
    return f"OCMF|{payload}|{json.dumps({'SD': signature})}"


def meter_value(context: str, value: str) -> dict[str, Any]:
    sampled = {"value": value, "format": "SignedData", "context": context}
    return {"timestamp": "2026-11-23T06:00:00Z", "sampledValue": [{"value": "1000"}, sampled]}


async def signed_charge(world: World, begin: str, end: str) -> str:
    """15 of 20 kWh; the station signs the first reading, and sends both with its stop."""
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    raw = json.dumps([meter_value("Transaction.Begin", begin)]).encode()
    now = world.clock.now()
    await world.app.reports.record_meter_values(
        STATION, MeterReport(ONE, wire_id, (Sample(now, 1_000),), raw, signed=True)
    )
    world.clock.advance(3600)
    data = [meter_value("Transaction.Begin", begin), meter_value("Transaction.End", end)]
    payload = json.dumps({"transactionData": data}).encode()
    stop = TransactionStop(wire_id, 16_000, world.clock.now(), "Local", None, (), payload, "StopTransaction")
    await world.app.reports.end_transaction(STATION, stop)
    await world.app.settler.work_due()
    return session_id


async def test_acceptance_1_the_bill_is_recomputed(world: World) -> None:
    session_id = await signed_charge(world, ocmf(), "raw")
    found = await get(phone_of(world), f"/history/charging/{session_id}/evidence")
    assert (found["recomputed_amount"], found["amount"], found["equal"]) == (202.5, 202.5, True)
    assert [(each["context"], each["register_wh"]) for each in found["readings"]] == [
        ("Transaction.Begin", 1_000),
        ("Sample.Periodic", 16_000),
        ("Transaction.End", 16_000),
    ]
    assert found["tariff"]["rate_per_kwh"] == 13.5


async def test_a_status_says_that_the_meter_signs_from_the_first_reading_it_signed(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    for signed in (False, True, False, True):
        world.clock.advance(60)
        before = (await world.session(session_id)).signed_meter
        sample = Sample(world.clock.now(), 1_000)
        await world.app.reports.record_meter_values(STATION, MeterReport(ONE, wire_id, (sample,), b"[]", signed=signed))
        assert (await world.session(session_id)).signed_meter is (before or signed)
    assert await world.sql("SELECT flags FROM evpower.ocpp_transactions") == [{"flags": ["signed_readings"]}]


async def test_a_status_says_so_of_a_meter_that_signs_the_stop_alone(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    assert not (await world.session(session_id)).signed_meter
    payload = json.dumps({"transactionData": [meter_value("Transaction.End", "raw")]}).encode()
    stop = TransactionStop(wire_id, 16_000, world.clock.now(), "Local", None, (), payload, "StopTransaction")
    await world.app.reports.end_transaction(STATION, stop)
    await world.app.settler.work_due()
    assert (await world.session(session_id)).signed_meter
    body = await get(phone_of(world), f"/charging/status/{session_id}")
    assert (body["signed_meter"], body["session"]["signed_meter"]) == (True, True)


async def test_signed_values_are_shown_as_they_came_each_once(world: World) -> None:
    text = ocmf()
    session_id = await signed_charge(world, text, "\u2603 raw")
    found = await get(phone_of(world), f"/history/charging/{session_id}/evidence")
    assert found["signed"] == [
        {"context": "Transaction.Begin", "encoding_method": "OCMF", "signed_data": text, "verified": "unknown_key"},
        {"context": "Transaction.End", "signed_data": "\u2603 raw"},
    ]


async def test_the_stations_key_verifies(world: World) -> None:
    session_id = await signed_charge(world, ocmf(), ocmf())
    await world.sql(
        "INSERT INTO evpower.ocpp_configuration (station_id, key, value, readonly, known_at) "
        "VALUES (%s, 'MeterPublicKey[1]', %s, true, now())",
        STATION,
        f"oca:base16:asn1:{public_key()}",
    )
    found = await get(phone_of(world), f"/history/charging/{session_id}/evidence")
    assert {each["verified"] for each in found["signed"]} == {True}
    response = await phone_of(world).get(
        f"/api/v1/history/charging/{session_id}/evidence?format=xml&client_id={CLIENT}"
    )
    values = fromstring(await response.get_data(as_text=False))
    assert response.content_type == "application/xml"
    first = values[0]
    assert (values.tag, first.tag, first.get("context")) == ("values", "value", "Transaction.Begin")
    assert (first.findtext("publicKey"), (first.findtext("signedData") or "")[:5]) == (public_key(), "OCMF|")


@pytest.mark.parametrize(("stop_values", "dropped"), [(199, 0), (200, 1), (210, 11)])
async def test_of_more_than_200_signed_values_the_rest_is_counted(
    world: World, stop_values: int, dropped: int, caplog: pytest.LogCaptureFixture
) -> None:
    """One came as a reading; those of the stop differ."""
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    raw = json.dumps([meter_value("Transaction.Begin", "first")]).encode()
    report = MeterReport(ONE, wire_id, (Sample(world.clock.now(), 1_000),), raw, signed=True)
    await world.app.reports.record_meter_values(STATION, report)
    world.clock.advance(3600)
    data = [meter_value("Sample.Clock", f"value {n}") for n in range(stop_values)]
    payload = json.dumps({"transactionData": data}).encode()
    stop = TransactionStop(wire_id, 16_000, world.clock.now(), "Local", None, (), payload, "StopTransaction")
    await world.app.reports.end_transaction(STATION, stop)
    await world.app.settler.work_due()
    assert await world.sql("SELECT count(*) AS kept FROM evpower.signed_readings") == [{"kept": 200}]
    assert world.app.keeping.not_kept["signed_value"] == dropped
    assert f"not kept: session_id={session_id}, number={dropped}" in caplog.text if dropped else not caplog.text


async def test_messages_that_are_not_even_read_are_counted(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    wire_id = (await world.begin(await world.tag_of(session_id))).wire_transaction_id
    for n in range(203):
        world.clock.advance(60)
        raw = json.dumps([meter_value("Sample.Clock", f"value {n}")]).encode()
        report = MeterReport(ONE, wire_id, (Sample(world.clock.now(), 1_000 + n),), raw, signed=True)
        await world.app.reports.record_meter_values(STATION, report)
    await world.end(wire_id, 2_000)
    await world.app.settler.work_due()
    assert world.app.keeping.not_kept == {"signed_value": 3}


def test_a_changed_digit_is_refused() -> None:
    good = SignedReading(None, "OCMF", ocmf(), public_key())
    assert verified(good) is True
    changed = good.signed_data.replace('"RV":1.0', '"RV":2.0')
    assert verified(SignedReading(None, "OCMF", changed, public_key())) is False
    for broken in ("OCMF|", "OCMF|{}|{}", "OCMF|" + "x" * 1000):
        assert verified(SignedReading(None, "OCMF", broken, public_key())) is False
    assert verified(SignedReading(None, "OCMF", good.signed_data, "no key")) is False
    assert verified(SignedReading(None, "EDL", "x", public_key())) is None


def test_ocas_wrapper_is_opened() -> None:
    text = ocmf()
    wrapper = {
        "signedMeterData": b64encode(text.encode()).decode(),
        "encodingMethod": "OCMF",
        "publicKey": b64encode(f"oca:base16:asn1:{public_key()}".encode()).decode(),
    }
    read = read_signed(SignedValue("Transaction.End", json.dumps(wrapper)), None)
    assert read == SignedReading("Transaction.End", "OCMF", text, public_key())
    assert verified(read) is True


@pytest.mark.parametrize(
    "raw",
    ["", "[", "{}", "[1]", '[{"sampledValue": 1}]', '[{"sampledValue": [{"format": "SignedData", "value": 1}]}]'],
)
def test_of_what_is_no_list_of_values_there_are_none(raw: str) -> None:
    assert list(dialects.read_signed(raw)) == []


async def test_a_receipt_leads_to_what_the_meter_signed(world: World) -> None:
    """Roadmap/history-favorites-push §1: only where there is any."""
    session_id = await signed_charge(world, ocmf(), "raw")
    phone = phone_of(world)
    receipt = (await get(phone, f"/history/charging/{session_id}/receipt"))["receipt"]
    assert len((await get(phone, receipt["evidence"].removeprefix("/api/v1")))["signed"]) == 2
    response = await phone.get(f"/api/v1/history/charging/{session_id}/receipt?format=pdf&client_id={CLIENT}")
    with warnings.catch_warnings(), pypdfium2.PdfDocument(await response.get_data(as_text=False)) as document:
        text = document[0].get_textpage().get_text_bounded()
    assert receipt["evidence"] in "".join(text.split())
    plain = (await world.order(energy_wh=5_000)).session.session_id
    await world.charge(plain, 1_000)
    assert "evidence" not in (await get(phone, f"/history/charging/{plain}/receipt"))["receipt"]


async def test_without_signed_values_there_is_no_file(world: World) -> None:
    await world.give(300_00)
    session_id = (await world.order(energy_wh=20_000)).session.session_id
    await world.charge(session_id, 15_000)
    phone = phone_of(world)
    assert (await get(phone, f"/history/charging/{session_id}/evidence"))["signed"] == []
    refusal = await get(phone, f"/history/charging/{session_id}/evidence", 404, CLIENT, format="xml")
    assert refusal["reason"] == "no_signed_data"
    assert (await get(phone, f"/history/charging/{session_id}/evidence", 404, OTHER))["error"] == "session_not_found"
