"""StopTransaction (OCPP 1.6 §4.10; duties 20, 23, 25)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.identifiers import StationId
from evpower.ocpp.watch.oddities import Kind
from evpower.tags.id_tag import IdTagVerdict
from tests.ocpp.conftest import Csms
from tests.ocpp.fakes import EPOCH

STOP = {"transactionId": 7, "meterStop": 2500, "timestamp": "2026-01-01T01:00:00Z"}


async def test_duty_25_a_stop_is_answered_and_a_missing_reason_means_local(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    assert (await peer.call("StopTransaction", STOP))[2] == {}
    stop = csms.reports.stops[0]
    assert (stop.wire_transaction_id, stop.meter_stop_wh, stop.reason, stop.id_tag) == ("7", 2500, "Local", None)


async def test_the_verdict_on_the_stop_tag_is_told(csms: Csms, autojump_clock: MockClock) -> None:
    csms.reports.stop_verdict = IdTagVerdict("Accepted")
    peer = await csms.charger()
    answer = await peer.call("StopTransaction", {**STOP, "idTag": "CARD", "reason": "Remote"})
    assert answer[2] == {"idTagInfo": {"status": "Accepted"}}
    assert (csms.reports.stops[0].id_tag, csms.reports.stops[0].reason) == ("CARD", "Remote")


@pytest.mark.parametrize("transaction_id", [-1, 0])
async def test_duty_23_a_transaction_id_that_cannot_be_is_answered_and_passed_on(
    csms: Csms, autojump_clock: MockClock, transaction_id: int
) -> None:
    peer = await csms.charger()
    assert (await peer.call("StopTransaction", {**STOP, "transactionId": transaction_id}))[2] == {}
    assert csms.reports.stops[0].wire_transaction_id == str(transaction_id)


@pytest.mark.parametrize("meter_stop", [-5, 10**12 + 1])
async def test_duty_20_an_insane_register_is_answered_and_parked_with_its_payload(
    csms: Csms, autojump_clock: MockClock, meter_stop: int
) -> None:
    peer = await csms.charger()
    assert (await peer.call("StopTransaction", {**STOP, "meterStop": meter_stop}))[2] == {}
    action, reason, payload = csms.reports.parked[0]
    assert (action, reason) == ("StopTransaction", "without meterStop")
    assert json.loads(payload)["meterStop"] == meter_stop
    assert csms.reports.stops[0].meter_stop_wh is None


@pytest.mark.parametrize(
    ("changes", "unread", "is_parked"),
    [
        ({"meterStop": ...}, "meterStop", True),
        ({"meterStop": None}, "meterStop", True),
        ({"meterStop": "1,000"}, "meterStop", True),
        ({"timestamp": ...}, "timestamp", False),
        ({"timestamp": ""}, "timestamp", False),
        ({"timestamp": "yesterday"}, "timestamp", False),
        ({"transactionId": "seven"}, "transactionId", False),
        ({"transactionId": ..., "meterStop": ..., "timestamp": ...}, "transactionId, meterStop, timestamp", False),
    ],
    ids=str,
)
async def test_duty_25_a_stop_is_taken_whatever_it_lacks_with_a_warning(
    csms: Csms,
    autojump_clock: MockClock,
    caplog: pytest.LogCaptureFixture,
    changes: dict[str, Any],
    unread: str,
    is_parked: bool,
) -> None:
    """Field ruling 3.1. What names no transaction is parked by the service, which looks for it in vain."""
    peer = await csms.charger()
    payload = {name: value for name, value in {**STOP, **changes}.items() if value is not ...}
    assert (await peer.call("StopTransaction", payload))[2] == {}
    stop = csms.reports.stops[0]
    assert stop.meter_stop_wh == (None if "meterStop" in unread else 2500)
    assert stop.stopped_at == (EPOCH if "timestamp" in unread else datetime(2026, 1, 1, 1, tzinfo=UTC))
    assert stop.wire_transaction_id == ("" if "transactionId" in unread else "7")
    assert (", ".join(stop.unread), json.loads(stop.payload)) == (unread, payload)
    assert f"station=CP-1: StopTransaction is taken without {unread}" in caplog.messages
    assert csms.traffic.leniencies[StationId("CP-1")][Kind.TAKEN_WITHOUT] == 1
    assert len(csms.reports.parked) == is_parked


async def test_duty_25_a_stop_that_is_no_object_is_answered_and_kept(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    assert (await peer.call("StopTransaction", ["?"]))[2] == {}
    assert csms.reports.stops[0].payload == b'["?"]'


async def test_fields_of_others_and_nulls_do_not_cost_a_stop(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    foreign = {"connectorId": 1, "disconnectReason": "EVDisconnected", "idTag": None, "transactionData": None}
    assert (await peer.call("StopTransaction", {**STOP, **foreign, "meterStop": "2500,0", "reason": 5}))[2] == {}
    stop = csms.reports.stops[0]
    assert (stop.meter_stop_wh, stop.reason, stop.unread) == (2500, "Local", ())


async def test_transaction_data_is_read_oldest_first_and_a_broken_sample_is_skipped(
    csms: Csms, autojump_clock: MockClock
) -> None:
    data = [
        {"timestamp": "2026-01-01T00:30:00Z", "sampledValue": [{"value": "2"}]},
        {"timestamp": "yesterday", "sampledValue": [{"value": "9"}]},
        {"timestamp": "2026-01-01T00:15:00Z", "sampledValue": [{"value": "1"}]},
    ]
    peer = await csms.charger()
    assert (await peer.call("StopTransaction", {**STOP, "transactionData": data}))[2] == {}
    assert [sample.energy_wh for sample in csms.reports.stops[0].samples] == [1, 2]


async def test_duty_15_a_database_that_is_down_makes_the_charger_repeat(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    csms.reports.broken = True
    assert (await peer.call("StopTransaction", STOP))[2] == "InternalError"


async def test_a_database_that_hangs_is_an_internal_error_after_the_time_out(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    csms.reports.commit = trio.Event()
    assert (await peer.call("StopTransaction", STOP))[2] == "InternalError"


async def test_the_log_line_is_the_one_operators_grep(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "OCPP")
    peer = await csms.charger()
    await peer.call("StopTransaction", STOP)
    assert "StopTransaction: station=CP-1, transaction_id=7, meter=2500Wh" in caplog.messages
