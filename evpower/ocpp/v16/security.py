"""Reports of the security extension (OCPP 1.6 security white paper §4-5): all are stored, alarming ones logged."""

from __future__ import annotations

import logging

from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.v16 import messages
from evpower.ocpp.wire.times import utc
from evpower.security.security_report import SecurityMatter, SecurityReport

log = logging.getLogger("OCPP")

#: From this security profile on, somebody who only knows a station's name, or listens to its line, cannot be it.
PROVEN = 2


async def security_event_notification(
    station: ConnectedStation, request: messages.SecurityEventNotification, _: bytes
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


async def sign_certificate(station: ConnectedStation, request: messages.SignCertificate, _: bytes) -> Confirmation:
    proven = station.connection.profile >= PROVEN
    accepted = await station.reports.certificate_requested(
        station.station_id, request.csr, "SignCertificate", proven=proven
    )
    log.info("SignCertificate: station=%s, accepted=%s", station.station_id, accepted)
    return messages.SignCertificateConf(status="Accepted" if accepted else "Rejected")


async def log_status_notification(
    station: ConnectedStation, request: messages.LogStatusNotification, _: bytes
) -> Confirmation:
    report = SecurityReport(
        SecurityMatter.LOG_UPLOAD, "LogStatusNotification", request.status, request_id=request.request_id
    )
    await station.reports.security(station.station_id, report)
    return messages.Done()


async def signed_firmware_status_notification(
    station: ConnectedStation, request: messages.SignedFirmwareStatusNotification, _: bytes
) -> Confirmation:
    report = SecurityReport(
        SecurityMatter.SIGNED_FIRMWARE,
        "SignedFirmwareStatusNotification",
        request.status,
        request_id=request.request_id,
    )
    await station.reports.security(station.station_id, report)
    return messages.Done()
