"""Heartbeat, StatusNotification, Authorize, DataTransfer and the two progress notifications (OCPP 1.6 §4)."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from typing import Any

import pytest
import trio
from trio.testing import MockClock

from evpower.identifiers import StationId
from evpower.tags.id_tag import IdTagVerdict
from tests.ocpp.conftest import Csms

STATUS = {"connectorId": 1, "errorCode": "NoError", "status": "Charging"}


async def test_duty_19_a_heartbeat_returns_the_time_without_the_database(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "OCPP")
    peer = await csms.charger()
    csms.reports.broken = True
    await trio.sleep(2)
    assert (await peer.call("Heartbeat"))[2] == {"currentTime": "2026-01-01T00:00:02.000Z"}
    assert "Heartbeat: station=CP-1" in caplog.messages


async def test_a_status_reaches_the_service_whole(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "OCPP")
    peer = await csms.charger()
    extras = {"timestamp": "2026-01-01T00:00:00Z", "info": "i", "vendorId": "v", "vendorErrorCode": "e"}
    assert (await peer.call("StatusNotification", {**STATUS, **extras}))[2] == {}
    report = csms.reports.statuses[0]
    assert (report.connector_id, report.status, report.error_code) == (1, "Charging", "NoError")
    assert report.reported_at == datetime(2026, 1, 1, tzinfo=UTC)
    assert (report.info, report.vendor_id, report.vendor_error_code) == ("i", "v", "e")
    assert "StatusNotification: station=CP-1, connector=1, status=Charging" in caplog.messages


@pytest.mark.parametrize("word", ["Available", "Charging"])
async def test_duty_33_connector_0_is_the_station_and_is_answered_whatever_it_says(
    csms: Csms, autojump_clock: MockClock, word: str
) -> None:
    peer = await csms.charger()
    assert (await peer.call("StatusNotification", {**STATUS, "connectorId": 0, "status": word}))[2] == {}
    assert csms.reports.statuses[0].connector_id == 0


async def test_a_word_of_an_older_standard_is_passed_on(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    assert (await peer.call("StatusNotification", {**STATUS, "status": "Occupied"}))[2] == {}
    assert csms.reports.statuses[0].status == "Occupied"


@pytest.mark.parametrize("status", ["Accepted", "Blocked", "Expired", "Invalid"])
async def test_authorize_tells_the_services_verdict(csms: Csms, autojump_clock: MockClock, status: str) -> None:
    csms.reports.verdict = IdTagVerdict(status)  # type: ignore[arg-type]
    peer = await csms.charger()
    assert (await peer.call("Authorize", {"idTag": "CARD"}))[2] == {"idTagInfo": {"status": status}}
    assert csms.reports.tags == ["CARD"]


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"errorCode": ...}, "NoError"),
        ({"errorCode": None}, "NoError"),
        ({"errorCode": ""}, "NoError"),
        ({"errorCode": ..., "status": "Faulted"}, "OtherError"),
        ({"timestamp": ""}, "NoError"),
        ({"timestamp": "yesterday"}, "NoError"),
        ({"info": {}}, "NoError"),
    ],
    ids=str,
)
async def test_a_status_is_taken_for_what_it_does_say(
    csms: Csms, autojump_clock: MockClock, changes: dict[str, Any], error: str
) -> None:
    """Field ruling 3.2."""
    peer = await csms.charger()
    wanted = {"connectorId": 1, "errorCode": "NoError", "status": "Available", **changes}
    payload = {name: value for name, value in wanted.items() if value is not ...}
    assert (await peer.call("StatusNotification", payload))[2] == {}
    report = csms.reports.statuses[0]
    assert (report.status, report.error_code, report.reported_at) == (wanted["status"], error, None)
    assert csms.traffic.leniencies[StationId("CP-1")] or changes == {"errorCode": None}


async def test_duty_38_a_data_transfer_of_any_vendor_is_unknown(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    assert (await peer.call("DataTransfer", {"vendorId": "v", "data": "x"}))[2] == {"status": "UnknownVendorId"}


@pytest.mark.parametrize(
    ("action", "status"),
    [("DiagnosticsStatusNotification", "Uploaded"), ("FirmwareStatusNotification", "Installed")],
)
async def test_progress_notifications_are_answered(
    csms: Csms, autojump_clock: MockClock, action: str, status: str
) -> None:
    peer = await csms.charger()
    assert (await peer.call(action, {"status": status}))[2] == {}
