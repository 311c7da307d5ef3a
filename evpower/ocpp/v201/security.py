"""Reports on security, on files and on reservations (A03, A04, H04, L01, N01): all are stored, alarming ones logged."""

from __future__ import annotations

import logging

from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.v201 import device_messages, messages
from evpower.ocpp.v201.commands.transfers import UNNUMBERED
from evpower.ocpp.wire.times import utc
from evpower.security.security_report import SecurityMatter, SecurityReport

log = logging.getLogger("OCPP")

#: From this security profile on, somebody who only knows a station's name, or listens to its line, cannot be it.
PROVEN = 2
#: How 1.6 names the end of an upload that went wrong.
FAILED_UPLOADS = frozenset({"UploadFailure", "BadMessage", "NotSupportedOperation", "PermissionDenied"})


async def security_event_notification(
    station: ConnectedStation, request: device_messages.SecurityEventNotification, _: bytes
) -> Confirmation:
    report = SecurityReport(
        SecurityMatter.EVENT,
        "SecurityEventNotification",
        request.type,
        detail=request.tech_info,
        occurred_at=utc(request.timestamp),
    )
    await station.reports.security(station.station_id, report)
    return messages.Done()


async def sign_certificate(
    station: ConnectedStation, request: device_messages.SignCertificate, _: bytes
) -> Confirmation:
    """A certificate for ISO 15118 is not ours to sign."""
    accepted = request.certificate_type != "V2GCertificate" and await station.reports.certificate_requested(
        station.station_id, request.csr, "SignCertificate", proven=station.connection.profile >= PROVEN
    )
    log.info("SignCertificate: station=%s, accepted=%s", station.station_id, accepted)
    return device_messages.SignCertificateConf(status="Accepted" if accepted else "Rejected")


async def log_status_notification(
    station: ConnectedStation, request: device_messages.LogStatusNotification, _: bytes
) -> Confirmation:
    if request.request_id == UNNUMBERED:
        status = "UploadFailed" if request.status in FAILED_UPLOADS else request.status
        await station.reports.transfer_moved(station.station_id, "diagnostics", status)
        return messages.Done()
    report = SecurityReport(
        SecurityMatter.LOG_UPLOAD, "LogStatusNotification", request.status, request_id=request.request_id
    )
    await station.reports.security(station.station_id, report)
    return messages.Done()


async def firmware_status_notification(
    station: ConnectedStation, request: device_messages.FirmwareStatusNotification, _: bytes
) -> Confirmation:
    if request.request_id == UNNUMBERED:
        await station.reports.transfer_moved(station.station_id, "firmware", request.status)
        return messages.Done()
    report = SecurityReport(
        SecurityMatter.SIGNED_FIRMWARE, "FirmwareStatusNotification", request.status, request_id=request.request_id
    )
    await station.reports.security(station.station_id, report)
    return messages.Done()
