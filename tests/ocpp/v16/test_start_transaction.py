"""StartTransaction (OCPP 1.6 §4.8; duties 20-24)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime

import pytest
from trio.testing import MockClock

from evpower.identifiers import IdTag
from evpower.ocpp.v16.handlers import UNREADABLE_START_WH
from evpower.tags.id_tag import IdTagVerdict
from tests.ocpp.conftest import Csms

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
    assert csms.reports.parked[0][:2] == ("StartTransaction", f"meterStart {meter_start}")
    assert csms.reports.starts[0].meter_start_wh == UNREADABLE_START_WH


async def test_the_log_line_is_the_one_operators_grep(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "OCPP")
    peer = await csms.charger()
    await peer.call("StartTransaction", START)
    assert "StartTransaction: station=CP-1, connector=1, id_tag=+996555123456" in caplog.messages
