"""What a station reports of itself: events of its components, and what is only answered (G, K, N, O)."""

from __future__ import annotations

import logging

from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.v201 import device_messages, messages
from evpower.ocpp.v201.times import utc
from evpower.security.security_report import SecurityMatter, SecurityReport

log = logging.getLogger("OCPP")

#: Events up to this severity are for a person; NotifyEvent names none itself, so all are kept.
TECH_INFO_CHARS = 255


async def notify_event(station: ConnectedStation, request: device_messages.NotifyEvent, _: bytes) -> Confirmation:
    """Each event is kept as one of the station's, by `Component.Variable` and its value (N07)."""
    for event in request.event_data:
        name = f"{event.component.name}.{event.variable.name}"
        report = SecurityReport(
            SecurityMatter.EVENT,
            "NotifyEvent",
            name[:50],
            detail=f"{event.actual_value} {event.tech_code or ''} {event.tech_info or ''}".strip()[:TECH_INFO_CHARS],
            occurred_at=utc(event.timestamp),
        )
        await station.reports.security(station.station_id, report)
    return messages.Done()


async def taken(station: ConnectedStation, _request: device_messages.Anything, _: bytes) -> Confirmation:
    """It is in the trace; nothing follows from it."""
    del station
    return messages.Done()


async def get_certificate_status(
    station: ConnectedStation, _request: device_messages.GetCertificateStatus, _: bytes
) -> Confirmation:
    """No OCSP responder is asked (M06)."""
    del station
    return device_messages.GetCertificateStatusConf(status="Failed")


async def get_15118_ev_certificate(
    station: ConnectedStation, _request: device_messages.Anything, _: bytes
) -> Confirmation:
    """No provider of contract certificates is configured (M01)."""
    del station
    return device_messages.Get15118EVCertificateConf(status="Failed", exi_response="")


async def notify_ev_charging_needs(
    station: ConnectedStation, _request: device_messages.Anything, _: bytes
) -> Confirmation:
    """No schedule is made for a car (K15)."""
    del station
    return device_messages.NotifyEVChargingNeedsConf(status="Rejected")


async def notify_ev_charging_schedule(
    station: ConnectedStation, _request: device_messages.Anything, _: bytes
) -> Confirmation:
    del station
    return device_messages.NotifyEVChargingScheduleConf(status="Accepted")
