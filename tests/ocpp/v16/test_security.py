"""The security extension's notifications (OCPP 1.6 security white paper): each reaches the service and is answered."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from trio.testing import MockClock

from evpower.security.security_report import SecurityMatter, SecurityReport
from tests.ocpp.conftest import Csms

EVENT = {"type": "InvalidChargePointCertificate", "timestamp": "2026-01-01T00:00:00Z", "techInfo": "expired"}


@pytest.mark.parametrize(
    ("action", "payload", "report"),
    [
        (
            "SecurityEventNotification",
            EVENT,
            SecurityReport(
                SecurityMatter.EVENT,
                "SecurityEventNotification",
                "InvalidChargePointCertificate",
                detail="expired",
                occurred_at=datetime(2026, 1, 1, tzinfo=UTC),
            ),
        ),
        (
            "LogStatusNotification",
            {"status": "Uploaded", "requestId": 7},
            SecurityReport(SecurityMatter.LOG_UPLOAD, "LogStatusNotification", "Uploaded", request_id=7),
        ),
        (
            "SignedFirmwareStatusNotification",
            {"status": "InvalidSignature"},
            SecurityReport(SecurityMatter.SIGNED_FIRMWARE, "SignedFirmwareStatusNotification", "InvalidSignature"),
        ),
    ],
)
async def test_it_is_stored_and_answered(
    csms: Csms, autojump_clock: MockClock, action: str, payload: dict[str, Any], report: SecurityReport
) -> None:
    peer = await csms.charger()
    assert await peer.call(action, payload) == [3, "m", {}]
    assert csms.reports.security_reports == [report]


@pytest.mark.parametrize("type_", ["InvalidChargePointCertificate", "InvalidCentralSystemCertificate"])
async def test_tc_077_and_tc_078_a_certificate_event_is_alarming(
    csms: Csms, autojump_clock: MockClock, type_: str
) -> None:
    peer = await csms.charger()
    await peer.call("SecurityEventNotification", {**EVENT, "type": type_})
    assert csms.reports.security_reports[0].is_alarming


async def test_duty_15_an_event_that_cannot_be_stored_is_repeated(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    csms.reports.broken = True
    assert (await peer.call("SecurityEventNotification", EVENT))[2] == "InternalError"
