"""What a station reports of itself: events of its components, and what is only answered (G, K, N, O)."""

from __future__ import annotations

import logging
from contextlib import suppress
from typing import Literal

import msgspec

from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.v201 import device_messages, messages
from evpower.ocpp.wire.times import utc
from evpower.plug_and_charge.ocsp import CertificateQuestion
from evpower.reports.device_event import DeviceEvent, EventsPart
from evpower.stations.device_variable import DeviceMonitor, DeviceVariable

log = logging.getLogger("OCPP")

#: Never kept, although no station should report it.
SECRETS = frozenset({"BasicAuthPassword"})
#: Events named in a line of the log.
SHOWN = 10


async def notify_event(station: ConnectedStation, request: device_messages.NotifyEvent, _: bytes) -> Confirmation:
    """Events of its components (N07), maybe a part of them; the grave ones are the station's events."""
    events = tuple(map(_event, request.event_data))
    log.info("NotifyEvent: station=%s, %s", station.station_id, ", ".join(each.name for each in events[:SHOWN]))
    part = EventsPart(request.seq_no, utc(request.generated_at), events, more=bool(request.tbc))
    await station.reports.device_events(station.station_id, part)
    return messages.Done()


def _event(data: device_messages.EventData) -> DeviceEvent:
    evse = data.component.evse
    return DeviceEvent(
        event_id=data.event_id,
        occurred_at=utc(data.timestamp),
        trigger=data.trigger,
        notification=data.event_notification_type,
        component=data.component.name,
        variable=data.variable.name,
        actual_value=data.actual_value,
        component_instance=data.component.instance or "",
        evse_id=0 if evse is None else evse.id,
        connector_id=0 if evse is None else evse.connector_id or 0,
        variable_instance=data.variable.instance or "",
        cause=data.cause,
        monitor_id=data.variable_monitoring_id,
        transaction_id=data.transaction_id,
        tech_code=data.tech_code,
        tech_info=data.tech_info,
        cleared=data.cleared,
    )


async def notify_monitoring_report(
    station: ConnectedStation, request: device_messages.NotifyMonitoringReport, payload: bytes
) -> Confirmation:
    """A part of a report on monitors (N02)."""
    monitors = [
        DeviceMonitor(each.id, f"{data.component.name}.{data.variable.name}", each.severity)
        for data in request.monitor or ()
        for each in data.variable_monitoring
    ]
    more = bool(request.tbc)
    await station.reports.monitors(station.station_id, request.request_id, request.seq_no, monitors, more=more)
    return _part(station, "NotifyMonitoringReport", request.request_id, request.seq_no, request.tbc, payload)


async def notify_report(
    station: ConnectedStation, request: device_messages.NotifyReport, payload: bytes
) -> Confirmation:
    """A part of a report (B07, B08)."""
    variables = [
        DeviceVariable(
            component=data.component.name,
            component_instance=data.component.instance or "",
            evse_id=0 if data.component.evse is None else data.component.evse.id,
            connector_id=0 if data.component.evse is None else data.component.evse.connector_id or 0,
            variable=data.variable.name,
            variable_instance=data.variable.instance or "",
            attribute=attribute.type or "Actual",
            value=None if data.variable.name in SECRETS else attribute.value,
            mutability=attribute.mutability,
            persistent=bool(attribute.persistent),
        )
        for data in request.report_data or ()
        for attribute in data.variable_attribute
    ]
    more = bool(request.tbc)
    await station.reports.device_report(station.station_id, request.request_id, request.seq_no, variables, more=more)
    return _part(station, "NotifyReport", request.request_id, request.seq_no, request.tbc, payload)


async def notify_display_messages(
    station: ConnectedStation, request: device_messages.NotifyDisplayMessages, payload: bytes
) -> Confirmation:
    """A part of the texts of its display, for whoever asked (O03, O04); parts have no numbers."""
    return _part(station, "NotifyDisplayMessages", request.request_id, None, request.tbc, payload)


async def notify_customer_information(
    station: ConnectedStation, request: device_messages.NotifyCustomerInformation, payload: bytes
) -> Confirmation:
    """A part of what it keeps of a customer, for whoever asked (N09, N10); nothing of it is kept here."""
    return _part(station, "NotifyCustomerInformation", request.request_id, request.seq_no, request.tbc, payload)


class _Head(msgspec.Struct, rename="camel"):
    request_id: int = 0
    tbc: bool = False


_read_head = msgspec.json.Decoder(_Head).decode


async def report_charging_profiles(
    station: ConnectedStation, _: device_messages.Anything, payload: bytes
) -> Confirmation:
    """A part of the limits it keeps, for whoever asked (K09); parts have no numbers."""
    with suppress(msgspec.DecodeError):
        head = _read_head(payload)
        return _part(station, "ReportChargingProfiles", head.request_id, None, head.tbc, payload)
    return messages.Done()


def _part(
    station: ConnectedStation, action: str, request_id: int, number: int | None, tbc: bool | None, payload: bytes
) -> Confirmation:
    station.connection.report_parts.came(action, request_id, number, payload, more=bool(tbc))
    return messages.Done()


async def publish_firmware_status_notification(
    station: ConnectedStation, request: device_messages.PublishFirmwareStatusNotification, _: bytes
) -> Confirmation:
    """How far a local controller has come with firmware for the stations behind it (L03)."""
    await station.reports.transfer_moved(station.station_id, "published_firmware", request.status, request.request_id)
    return messages.Done()


async def reservation_status_update(
    station: ConnectedStation, request: device_messages.ReservationStatusUpdate, _: bytes
) -> Confirmation:
    """It ended at the station (H04)."""
    line = "ReservationStatusUpdate: station=%s, reservation_id=%d, status=%s"
    log.info(line, station.station_id, request.reservation_id, request.reservation_update_status)
    expired = request.reservation_update_status == "Expired"
    await station.reports.reservation_ended(station.station_id, request.reservation_id, expired=expired)
    return messages.Done()


async def get_certificate_status(
    station: ConnectedStation, request: device_messages.GetCertificateStatus, _: bytes
) -> Confirmation:
    """What the certificate's responder says, where it is one of ours to ask (M06)."""
    data = request.ocsp_request_data
    question = CertificateQuestion(
        data.hash_algorithm, data.issuer_name_hash, data.issuer_key_hash, data.serial_number, data.responder_url
    )
    result = await station.reports.plug_and_charge.certificate_status(question)
    log.info("GetCertificateStatus: station=%s, known=%s", station.station_id, result is not None)
    status: Literal["Accepted", "Failed"] = "Failed" if result is None else "Accepted"
    return device_messages.GetCertificateStatusConf(status=status, ocsp_result=result)


async def get_15118_ev_certificate(
    station: ConnectedStation, request: device_messages.Get15118EVCertificate, _: bytes
) -> Confirmation:
    """What the provider of contract certificates says, where there is one (M01, M02)."""
    response = await station.reports.plug_and_charge.contract(
        request.iso15118_schema_version, request.action, request.exi_request
    )
    log.info("Get15118EVCertificate: station=%s, answered=%s", station.station_id, response is not None)
    status: Literal["Accepted", "Failed"] = "Failed" if response is None else "Accepted"
    return device_messages.Get15118EVCertificateConf(status=status, exi_response=response or "")
