"""StartTransaction (OCPP 1.6 §4.8; duties 20-24)."""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime
from typing import Any

import pytest
from trio.testing import MockClock

from evpower.identifiers import ConnectorId, IdTag, StationId
from evpower.network.station import Admission
from evpower.ocpp.v16.handlers import UNREADABLE_START_WH
from evpower.ocpp.watch.oddities import Kind
from evpower.tags.id_tag import IdTagVerdict
from tests.ocpp.conftest import Csms
from tests.ocpp.fakes import EPOCH

START = {"connectorId": 1, "idTag": "+996555123456", "meterStart": 1500, "timestamp": "2026-01-01T00:00:00Z"}


async def test_the_answer_carries_an_integer_transaction_id_and_the_verdict(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    _, _, answer = await peer.call("StartTransaction", START)
    assert answer == {"transactionId": 101, "idTagInfo": {"status": "Accepted"}}


async def test_the_service_hears_connector_tag_register_and_charger_time(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.call("StartTransaction", START)
    start = csms.reports.starts[0]
    assert (start.connector_id, start.id_tag, start.meter_start_wh) == (1, "+996555123456", 1500)
    assert start.started_at == datetime(2026, 1, 1, tzinfo=UTC)


async def test_duty_24_a_refused_tag_still_gets_a_transaction_id(csms: Csms, autojump_clock: MockClock) -> None:
    csms.reports.verdict = IdTagVerdict("Blocked", IdTag("PARENT"), datetime(2027, 1, 1, tzinfo=UTC))
    peer = await csms.charger()
    assert (await peer.call("StartTransaction", START))[2] == {
        "transactionId": 101,
        "idTagInfo": {"status": "Blocked", "parentIdTag": "PARENT", "expiryDate": "2027-01-01T00:00:00.000Z"},
    }


@pytest.mark.parametrize("meter_start", [-1, 10**12 + 1])
async def test_duty_20_an_insane_register_is_answered_and_parked(
    csms: Csms, autojump_clock: MockClock, meter_start: int
) -> None:
    peer = await csms.charger()
    answer = await peer.call("StartTransaction", {**START, "meterStart": meter_start})
    assert answer[2]["transactionId"] == 101
    assert csms.reports.parked[0][:2] == ("StartTransaction", "without meterStart")
    assert csms.reports.starts[0].meter_start_wh == UNREADABLE_START_WH


@pytest.mark.parametrize(
    ("changes", "unread"),
    [
        ({"timestamp": ""}, "timestamp"),
        ({"idTag": ...}, "idTag"),
        ({"meterStart": "?"}, "meterStart"),
        ({"connectorId": -1}, "connectorId"),
        (dict.fromkeys(START, ...), "connectorId, idTag, meterStart, timestamp"),
    ],
    ids=str,
)
async def test_duty_20_a_start_is_taken_whatever_it_lacks_with_a_warning(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], unread: str
) -> None:
    """Field ruling 3.1: it is answered with a transaction id, and kept."""
    peer = await csms.charger()
    payload = {name: value for name, value in {**START, **changes}.items() if value is not ...}
    assert (await peer.call("StartTransaction", payload))[2]["transactionId"] == 101
    start = csms.reports.starts[0]
    assert (start.connector_id, start.id_tag, start.meter_start_wh) == (
        0 if "connectorId" in unread else 1,
        "" if "idTag" in unread else "+996555123456",
        UNREADABLE_START_WH if "meterStart" in unread else 1500,
    )
    assert start.started_at == EPOCH
    assert (", ".join(start.unread), json.loads(start.payload)) == (unread, payload)
    assert f"station=CP-1: StartTransaction is taken without {unread}" in caplog.messages
    assert csms.traffic.leniencies[StationId("CP-1")][Kind.TAKEN_WITHOUT] == 1
    assert len(csms.reports.parked) == (unread != "timestamp")


async def test_a_stations_only_connector_need_not_be_named(csms: Csms, autojump_clock: MockClock) -> None:
    csms.reports.stations["CP-1"] = Admission("CP-1", "active", None, connector_ids=(ConnectorId(2),))
    peer = await csms.charger()
    await peer.call("StartTransaction", {**START, "connectorId": None})
    assert csms.reports.starts[0].connector_id == 2


async def test_a_reservation_no_row_can_hold_does_not_cost_a_start(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    assert (await peer.call("StartTransaction", {**START, "reservationId": 2**40}))[2]["transactionId"] == 101
    assert csms.reports.starts[0].reservation_id is None


async def test_the_log_line_is_the_one_operators_grep(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "OCPP")
    peer = await csms.charger()
    await peer.call("StartTransaction", START)
    assert "StartTransaction: station=CP-1, connector=1, id_tag=+996555123456" in caplog.messages
