"""BootNotification (OCPP 1.6 §4.2; duties 16-18)."""

from __future__ import annotations

import logging

import pytest
from trio.testing import MockClock

from evpower.network.station import BootVerdict
from evpower.server.log_lines import LineFormatter
from tests.ocpp.conftest import Csms

BOOT = {
    "chargePointVendor": "ABB",
    "chargePointModel": "Terra 54",
    "chargePointSerialNumber": "S-1",
    "firmwareVersion": "1.2",
}


async def test_an_accepted_boot_carries_time_and_an_integer_interval(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    _, _, answer = await peer.call("BootNotification", BOOT)
    assert answer == {"status": "Accepted", "currentTime": "2026-01-01T00:00:00.000Z", "interval": 60}


async def test_the_service_hears_vendor_model_firmware_and_serial_number(csms: Csms, autojump_clock: MockClock) -> None:
    peer = await csms.charger()
    await peer.call("BootNotification", BOOT)
    boot = csms.reports.boots[0]
    assert (boot.vendor, boot.model, boot.firmware_version, boot.serial_number) == ("ABB", "Terra 54", "1.2", "S-1")


async def test_the_log_line_is_the_one_operators_grep(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "OCPP")
    peer = await csms.charger()
    await peer.call("BootNotification", BOOT)
    assert "BootNotification: station=CP-1, vendor=ABB, model=Terra 54" in caplog.messages


async def test_a_vendor_cannot_forge_log_lines(
    csms: Csms, autojump_clock: MockClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "OCPP")
    peer = await csms.charger()
    await peer.call("BootNotification", {**BOOT, "chargePointVendor": "x\nERROR, station=CP-2"})
    written = [LineFormatter().format(record) for record in caplog.records]
    assert all("\n" not in line for line in written)
    assert any('vendor="x\\nERROR, station=CP-2", model=Terra 54' in line for line in written)


@pytest.mark.parametrize("status", ["Pending", "Rejected"])
async def test_duty_16_calls_before_an_accepted_boot_are_security_errors(
    csms: Csms, autojump_clock: MockClock, status: str
) -> None:
    csms.reports.boot_verdict = BootVerdict(status, 300)  # type: ignore[arg-type]
    peer = await csms.charger()
    assert (await peer.call("BootNotification", BOOT))[2]["status"] == status
    assert (await peer.call("Heartbeat"))[2] == "SecurityError"
    csms.reports.boot_verdict = BootVerdict("Accepted", 60)
    await peer.call("BootNotification", BOOT)
    assert "currentTime" in (await peer.call("Heartbeat"))[2]


async def test_duty_16_a_known_charger_that_merely_reconnects_is_accepted(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    assert "currentTime" in (await peer.call("Heartbeat"))[2]


async def test_duty_15_a_database_that_is_down_is_an_internal_error_and_no_fake_success(
    csms: Csms, autojump_clock: MockClock
) -> None:
    peer = await csms.charger()
    csms.reports.broken = True
    assert (await peer.call("BootNotification", BOOT))[:3] == [4, "m", "InternalError"]
    csms.reports.broken = False
    assert (await peer.call("BootNotification", BOOT))[2]["status"] == "Accepted"


async def test_duty_17_the_interval_of_a_rejected_boot_is_the_integer_wait_before_the_next(
    csms: Csms, autojump_clock: MockClock
) -> None:
    csms.reports.boot_verdict = BootVerdict("Rejected", 300)
    peer = await csms.charger()
    assert (await peer.call("BootNotification", BOOT))[2]["interval"] == 300
