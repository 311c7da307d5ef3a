"""What OCPP 1.6 stations send: each handler parses, calls the service, answers; no rule lives here (OCPP 1.6 §4).

Each logs the line operators grep for (contract/rest-api §1.10).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from operator import attrgetter

import msgspec

from evpower.charging.transaction import TransactionStart, TransactionStop
from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.metering.meter_value import MAX_ENERGY_WH, MeterReport, Sample, read_sample
from evpower.network.station import Boot
from evpower.network.status import StatusReport
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.v16 import messages
from evpower.ocpp.watch.oddities import Kind, shown
from evpower.tags.id_tag import IdTagVerdict

log = logging.getLogger("OCPP")

_measured_at = attrgetter("measured_at")

#: Replaces a start register that cannot be true: no stop can lie above it, so nothing is billed without a person.
UNREADABLE_START_WH = MAX_ENERGY_WH
#: Replaces a stop register that cannot be true: below every start, so the last meter value counts instead.
UNREADABLE_STOP_WH = -1
#: Statuses a station as a whole may have (duty 33).
WHOLE_STATION_STATUSES = frozenset({"Available", "Unavailable", "Faulted"})
#: Clocks differ by less. A time long past may be that of a report from a queue, unless it is older than OCPP 1.6.
CLOCK_AHEAD = timedelta(hours=1)
CLOCK_NEVER_SET = datetime(2015, 1, 1, tzinfo=UTC)


async def boot_notification(station: ConnectedStation, request: messages.BootNotification, _: bytes) -> Confirmation:
    log.info(
        "BootNotification: station=%s, vendor=%s, model=%s",
        station.station_id,
        shown(request.charge_point_vendor),
        shown(request.charge_point_model),
    )
    verdict = await station.boot(
        Boot(
            vendor=request.charge_point_vendor,
            model=request.charge_point_model,
            firmware_version=request.firmware_version,
            serial_number=request.charge_point_serial_number or request.charge_box_serial_number,
        )
    )
    station.booted(verdict)
    return messages.BootNotificationConf(
        status=verdict.status, current_time=_wire_time(station.clock.now()), interval=verdict.interval_s
    )


async def heartbeat(station: ConnectedStation, _request: messages.Heartbeat, _: bytes) -> Confirmation:
    """Answered from memory: that any message came is already noted by the connection (duty 19)."""
    log.info("Heartbeat: station=%s", station.station_id)
    return messages.HeartbeatConf(current_time=_wire_time(station.clock.now()))


async def status_notification(
    station: ConnectedStation, request: messages.StatusNotification, _: bytes
) -> Confirmation:
    log.info(
        "StatusNotification: station=%s, connector=%d, status=%s",
        station.station_id,
        request.connector_id,
        shown(request.status),
    )
    if request.connector_id == 0 and request.status not in WHOLE_STATION_STATUSES:
        station.connection.oddities.note(Kind.STATION_STATUS, f"status {request.status} of connector 0")
    await station.reports.connector_status(
        station.station_id,
        StatusReport(
            connector_id=ConnectorId(request.connector_id),
            status=request.status,
            error_code=request.error_code,
            reported_at=None if request.timestamp is None else utc(request.timestamp),
            info=request.info,
            vendor_id=request.vendor_id,
            vendor_error_code=request.vendor_error_code,
        ),
    )
    station.status_arrived(ConnectorId(request.connector_id))
    return messages.Done()


async def authorize(station: ConnectedStation, request: messages.Authorize, _: bytes) -> Confirmation:
    verdict = await station.reports.authorize(station.station_id, IdTag(request.id_tag))
    log.info("Authorize: station=%s, status=%s", station.station_id, verdict.status)
    return messages.AuthorizeConf(id_tag_info=_id_tag_info(verdict))


async def start_transaction(
    station: ConnectedStation, request: messages.StartTransaction, payload: bytes
) -> Confirmation:
    log.info(
        "StartTransaction: station=%s, connector=%d, id_tag=%s",
        station.station_id,
        request.connector_id,
        shown(request.id_tag),
    )
    _look_at_clock(station, utc(request.timestamp))
    meter_start_wh = request.meter_start
    if not 0 <= meter_start_wh <= MAX_ENERGY_WH:
        await station.reports.park(station.station_id, "StartTransaction", f"meterStart {meter_start_wh}", payload)
        meter_start_wh = UNREADABLE_START_WH
    begun = await station.reports.begin_transaction(
        station.station_id,
        TransactionStart(
            connector_id=ConnectorId(request.connector_id),
            id_tag=IdTag(request.id_tag),
            meter_start_wh=meter_start_wh,
            started_at=utc(request.timestamp),
            payload=payload,
            reservation_id=request.reservation_id,
        ),
    )
    return messages.StartTransactionConf(
        transaction_id=int(begun.wire_transaction_id), id_tag_info=_id_tag_info(begun.verdict)
    )


class _RawMeterValues(msgspec.Struct):
    meterValue: msgspec.Raw  # OCPP's own name


_raw_meter_values = msgspec.json.Decoder(_RawMeterValues).decode


async def meter_values(station: ConnectedStation, request: messages.MeterValues, payload: bytes) -> Confirmation:
    """Zero and -1 are how stations say "no transaction" here (duty 30)."""
    transaction_id = request.transaction_id
    known = transaction_id is not None and transaction_id > 0
    await station.reports.record_meter_values(
        station.station_id,
        MeterReport(
            connector_id=ConnectorId(request.connector_id),
            wire_transaction_id=WireTransactionId(str(transaction_id)) if known else None,
            samples=_samples(station, request.meter_value),
            raw=bytes(_raw_meter_values(payload).meterValue),
        ),
    )
    return messages.Done()


async def stop_transaction(
    station: ConnectedStation, request: messages.StopTransaction, payload: bytes
) -> Confirmation:
    log.info(
        "StopTransaction: station=%s, transaction_id=%d, meter=%dWh",
        station.station_id,
        request.transaction_id,
        request.meter_stop,
    )
    _look_at_clock(station, utc(request.timestamp))
    meter_stop_wh = request.meter_stop
    if not 0 <= meter_stop_wh <= MAX_ENERGY_WH:
        await station.reports.park(station.station_id, "StopTransaction", f"meterStop {meter_stop_wh}", payload)
        meter_stop_wh = UNREADABLE_STOP_WH
    verdict = await station.reports.end_transaction(
        station.station_id,
        TransactionStop(
            wire_transaction_id=WireTransactionId(str(request.transaction_id)),
            meter_stop_wh=meter_stop_wh,
            stopped_at=utc(request.timestamp),
            reason=request.reason or "Local",
            id_tag=IdTag(request.id_tag) if request.id_tag else None,
            samples=_samples(station, request.transaction_data or ()),
            payload=payload,
            reported_as="StopTransaction",
        ),
    )
    return messages.StopTransactionConf(id_tag_info=None if verdict is None else _id_tag_info(verdict))


async def data_transfer(station: ConnectedStation, request: messages.DataTransfer, _: bytes) -> Confirmation:
    """No vendor is registered with us (duty 38)."""
    log.info("DataTransfer: station=%s, vendor=%s", station.station_id, shown(request.vendor_id))
    return messages.DataTransferConf(status="UnknownVendorId")


async def diagnostics_status_notification(
    station: ConnectedStation, request: messages.DiagnosticsStatusNotification, _: bytes
) -> Confirmation:
    log.info("DiagnosticsStatusNotification: station=%s, status=%s", station.station_id, request.status)
    await station.reports.transfer_moved(station.station_id, "diagnostics", request.status)
    return messages.Done()


async def firmware_status_notification(
    station: ConnectedStation, request: messages.FirmwareStatusNotification, _: bytes
) -> Confirmation:
    log.info("FirmwareStatusNotification: station=%s, status=%s", station.station_id, request.status)
    await station.reports.transfer_moved(station.station_id, "firmware", request.status)
    return messages.Done()


def _samples(station: ConnectedStation, meter_values: Iterable[messages.MeterValue]) -> tuple[Sample, ...]:
    note = station.connection.oddities.note

    def skipped(why: str) -> None:
        note(Kind.SKIPPED_READING, why)

    samples = [read_sample(utc(value.timestamp), value.sampled_value, skipped) for value in meter_values]
    samples.sort(key=_measured_at)
    if samples:
        _look_at_clock(station, samples[-1].measured_at)
    return tuple(samples)


def _look_at_clock(station: ConnectedStation, reported_at: datetime) -> None:
    """Times are stored as the station reports them, beside ours (duty 26); a wrong clock is noted as an oddity."""
    if reported_at - station.connection.last_seen_at > CLOCK_AHEAD:
        station.connection.oddities.note(Kind.WRONG_CLOCK, "its clock is ahead")
    elif reported_at < CLOCK_NEVER_SET:
        station.connection.oddities.note(Kind.WRONG_CLOCK, "its clock was never set")


def _id_tag_info(verdict: IdTagVerdict) -> messages.IdTagInfo:
    return messages.IdTagInfo(
        status=verdict.status,
        expiry_date=None if verdict.expiry_date is None else _wire_time(verdict.expiry_date),
        parent_id_tag=verdict.parent_id_tag,
    )


def utc(moment: datetime) -> datetime:
    """The same moment in UTC, also at the ends of the calendar."""
    if moment.tzinfo is UTC:
        return moment
    try:
        return moment.astimezone(UTC)
    except OverflowError:  # the first or last day of the calendar, shifted beyond it
        return moment.replace(tzinfo=UTC)


def _wire_time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
