"""What OCPP 2.0.1 stations send about charges: each handler parses, calls the service, answers; no rule lives here.

Each logs the line operators grep for (contract/rest-api §1.10).
"""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import trio

from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.metering.meter_value import MeterReport
from evpower.network.station import Boot
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.shared.readings import raw_readings
from evpower.ocpp.v201 import messages, statuses
from evpower.ocpp.v201.sampled import is_signed, samples_of
from evpower.ocpp.watch.oddities import Kind
from evpower.ocpp.wire.times import utc, wire_time
from evpower.reports.transaction_event import ReportedEvent
from evpower.tags.id_tag import IdTagVerdict

log = logging.getLogger("OCPP")

#: No verdict is kept longer by a station (C10).
CACHED_FOR = timedelta(hours=24)
#: In which a station may speak to a driver whose language is not known.
LANGUAGE = "ru"
WHOLE_STATION = ConnectorId(0)


async def boot_notification(station: ConnectedStation, request: messages.BootNotification, _: bytes) -> Confirmation:
    of = request.charging_station
    line = "BootNotification: station=%s, vendor=%s, model=%s, reason=%s"
    log.info(line, station.station_id, of.vendor_name, of.model, request.reason)
    verdict = await station.boot(
        Boot(
            vendor=of.vendor_name,
            model=of.model,
            firmware_version=of.firmware_version,
            serial_number=of.serial_number,
            ocpp_version=station.dialect.version,
        )
    )
    station.booted(verdict)
    station.said.clear()
    return messages.BootNotificationConf(
        current_time=wire_time(station.clock.now()), interval=verdict.interval_s, status=verdict.status
    )


async def heartbeat(station: ConnectedStation, _request: messages.Heartbeat, _: bytes) -> Confirmation:
    """Answered from memory: that any message came is already noted by the connection (duty 19)."""
    log.info("Heartbeat: station=%s", station.station_id)
    return messages.HeartbeatConf(current_time=wire_time(station.clock.now()))


async def status_notification(
    station: ConnectedStation, request: messages.StatusNotification, _: bytes
) -> Confirmation:
    line = "StatusNotification: station=%s, evse=%d, connector=%d, status=%s"
    log.info(line, station.station_id, request.evse_id, request.connector_id, request.connector_status)
    connector_id, status = await statuses.said(station, request.evse_id, request.connector_id, request.connector_status)
    report = replace(statuses.report(connector_id, status), reported_at=utc(request.timestamp))
    await station.reports.connector_status(station.station_id, report)
    station.status_arrived(connector_id)
    return messages.Done()


async def authorize(station: ConnectedStation, request: messages.Authorize, _: bytes) -> Confirmation:
    """A contract's certificate is nobody's token here: no provider of such contracts is configured (C07)."""
    verdict = await station.reports.authorize(station.station_id, IdTag(request.id_token.id_token))
    log.info("Authorize: station=%s, type=%s, status=%s", station.station_id, request.id_token.type, verdict.status)
    if request.certificate is not None or request.iso15118_certificate_hash_data is not None:
        return messages.AuthorizeConf(
            id_token_info=messages.IdTokenInfo(status="Invalid"), certificate_status="NoCertificateAvailable"
        )
    return messages.AuthorizeConf(id_token_info=await _id_token_info(station, verdict, None))


async def meter_values(station: ConnectedStation, request: messages.MeterValues, payload: bytes) -> Confirmation:
    """Readings outside of transactions: stored, never billed (J01)."""
    values = request.meter_value or ()
    await station.reports.record_meter_values(
        station.station_id,
        MeterReport(
            connector_id=statuses.connector_at(station, request.evse_id or 0, None, surely=True) or WHOLE_STATION,
            wire_transaction_id=None,
            samples=samples_of(station, values),
            raw=raw_readings(payload),
            reported_as="MeterValues",
            signed=is_signed(values),
            of_a_charge=False,
        ),
    )
    return messages.Done()


async def transaction_event(
    station: ConnectedStation, request: messages.TransactionEvent, payload: bytes
) -> Confirmation:
    event = _event(station, request, payload)
    if event is None:
        log.warning("station=%s: a TransactionEvent names no transaction and is parked", station.station_id)
        station.connection.oddities.note(Kind.TAKEN_WITHOUT, "TransactionEvent without transactionId or seqNo")
        await station.reports.park(station.station_id, "TransactionEvent", "names no transaction", payload)
        return messages.TransactionEventConf()
    if event.kind != "Updated":
        line = "TransactionEvent: station=%s, transaction_id=%s, seq_no=%d, type=%s"
        log.info(line, station.station_id, event.wire_transaction_id, event.seq_no, event.kind)
    reports, with_cost = (
        station.reports,
        station.shows_cost or event.kind == "Ended",
    )  # the last is for the receipt (I03)
    answer = await reports.reading_in_order(station.station_id, event, with_cost=with_cost)
    if answer is None:
        with trio.fail_after(station.settings.handler_timeout_s):
            answer = await reports.transaction_event(station.station_id, event, with_cost=with_cost)
    if event.connector_id is not None and not event.offline:
        ended = event.kind == "Ended"
        await statuses.transaction_says(station, event.connector_id, event.charging_state, ended=ended)
    cost_tyiyn, info = answer.total_cost_tyiyn, None
    if answer.verdict is not None:
        with trio.fail_after(station.settings.handler_timeout_s):
            info = await _id_token_info(station, answer.verdict, event.connector_id)
    total_cost = None if cost_tyiyn is None else cost_tyiyn / 100
    return messages.TransactionEventConf(total_cost=total_cost, id_token_info=info)


def _event(station: ConnectedStation, request: messages.TransactionEvent, payload: bytes) -> ReportedEvent | None:
    info, values = request.transaction_info, request.meter_value or ()
    if info is None or not info.transaction_id or request.seq_no is None:
        return None
    unread = tuple(
        name for name, value in (("eventType", request.event_type), ("timestamp", request.timestamp)) if value is None
    )
    return ReportedEvent(
        wire_transaction_id=WireTransactionId(info.transaction_id),
        seq_no=request.seq_no,
        kind=request.event_type if request.event_type in ("Started", "Ended") else "Updated",
        occurred_at=station.reported_at(request.timestamp),
        connector_id=_connector(station, request),
        id_tag=IdTag(request.id_token.id_token) if request.id_token is not None else None,
        remote_start_id=info.remote_start_id,
        reservation_id=request.reservation_id,
        offline=bool(request.offline),
        stop_reason=info.stopped_reason,
        charging_state=info.charging_state,
        samples=samples_of(station, values),
        readings=raw_readings(payload) if values else b"[]",
        payload=payload,
        signed=is_signed(values),
        unread=unread,
    )


def _connector(station: ConnectedStation, request: messages.TransactionEvent) -> ConnectorId | None:
    """A station's only connector need not be named."""
    evse = request.evse
    if evse is not None and evse.id > 0:
        surely = request.id_token is not None or request.event_type != "Updated"
        return statuses.connector_at(station, evse.id, evse.connector_id, surely=surely)
    return next(iter(station.connector_ids)) if len(station.connector_ids) == 1 else None


async def data_transfer(station: ConnectedStation, request: messages.DataTransfer, _: bytes) -> Confirmation:
    """No vendor is registered with us (duty 38)."""
    log.info("DataTransfer: station=%s, vendor=%s", station.station_id, request.vendor_id)
    return messages.DataTransferConf(status="UnknownVendorId")


async def _id_token_info(
    station: ConnectedStation, verdict: IdTagVerdict, connector_id: ConnectorId | None
) -> messages.IdTokenInfo:
    """The verdict as it is kept for at most a day, and shorter when the card ends sooner."""
    until = station.clock.now() + CACHED_FOR
    if verdict.expiry_date is not None:
        until = min(until, verdict.expiry_date)
    group = verdict.parent_id_tag
    return messages.IdTokenInfo(
        status=verdict.status,
        cache_expiry_date_time=wire_time(until),
        charging_priority=await station.reports.charging_priority(station.station_id, connector_id),
        language1=verdict.language or LANGUAGE,
        group_id_token=None if group is None else messages.GroupIdToken(id_token=group, type="Central"),
    )
