"""What OCPP 1.6 stations send: each handler parses, calls the service, answers; no rule lives here (OCPP 1.6 §4).

Each logs the line operators grep for (contract/rest-api §1.10).
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable

from evpower.charging.transaction import TransactionStart, TransactionStop
from evpower.identifiers import ConnectorId, IdTag, WireTransactionId
from evpower.metering.meter_value import MAX_ENERGY_WH, MeterReport, Sample
from evpower.network.station import Boot
from evpower.network.status import StatusReport
from evpower.ocpp.connected_station import ConnectedStation
from evpower.ocpp.dispatch import Confirmation
from evpower.ocpp.shared.readings import raw_readings, samples_of
from evpower.ocpp.v16 import messages
from evpower.ocpp.watch.oddities import Kind
from evpower.ocpp.wire.times import utc, wire_time
from evpower.tags.id_tag import IdTagVerdict

log = logging.getLogger("OCPP")

#: Replaces a start register that cannot be true: no stop can lie above it, so nothing is billed without a person.
UNREADABLE_START_WH = MAX_ENERGY_WH
#: Of a start that names no connector, at a station that has several.
WHOLE_STATION = ConnectorId(0)
#: Of a status that names no error.
NO_ERROR, UNNAMED_ERROR = "NoError", "OtherError"
#: Statuses a station as a whole may have (duty 33).
WHOLE_STATION_STATUSES = frozenset({"Available", "Unavailable", "Faulted"})


async def boot_notification(station: ConnectedStation, request: messages.BootNotification, _: bytes) -> Confirmation:
    log.info(
        "BootNotification: station=%s, vendor=%s, model=%s",
        station.station_id,
        request.charge_point_vendor,
        request.charge_point_model,
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
        status=verdict.status, current_time=wire_time(station.clock.now()), interval=verdict.interval_s
    )


async def heartbeat(station: ConnectedStation, _request: messages.Heartbeat, _: bytes) -> Confirmation:
    """Answered from memory: that any message came is already noted by the connection (duty 19)."""
    log.info("Heartbeat: station=%s", station.station_id)
    return messages.HeartbeatConf(current_time=wire_time(station.clock.now()))


async def status_notification(
    station: ConnectedStation, request: messages.StatusNotification, _: bytes
) -> Confirmation:
    log.info(
        "StatusNotification: station=%s, connector=%d, status=%s",
        station.station_id,
        request.connector_id,
        request.status,
    )
    if request.connector_id == 0 and request.status not in WHOLE_STATION_STATUSES:
        station.connection.oddities.note(Kind.STATION_STATUS, f"status {request.status} of connector 0")
    await station.reports.connector_status(
        station.station_id,
        StatusReport(
            connector_id=ConnectorId(request.connector_id),
            status=request.status,
            error_code=request.error_code or (UNNAMED_ERROR if request.status == "Faulted" else NO_ERROR),
            reported_at=None if request.timestamp is None else utc(request.timestamp),
            info=request.info,
            vendor_id=request.vendor_id,
            vendor_error_code=request.vendor_error_code,
        ),
    )
    if request.timestamp is not None:  # since when it has this status, perhaps
        connection = station.connection
        connection.clock_offset.heard_at_least(utc(request.timestamp), connection.last_seen_at)
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
        "StartTransaction: station=%s, connector=%s, id_tag=%s",
        station.station_id,
        request.connector_id,
        request.id_tag or "",
    )
    meter_start_wh = _believable_register(request.meter_start)
    unread = _unread(
        connectorId=request.connector_id, idTag=request.id_tag, meterStart=meter_start_wh, timestamp=request.timestamp
    )
    await _warn(station, "StartTransaction", unread, payload)
    begun = await station.reports.begin_transaction(
        station.station_id,
        TransactionStart(
            connector_id=_connector(station, request.connector_id),
            id_tag=IdTag(request.id_tag or ""),
            meter_start_wh=UNREADABLE_START_WH if meter_start_wh is None else meter_start_wh,
            started_at=station.reported_at(request.timestamp),
            payload=payload,
            reservation_id=request.reservation_id,
            unread=unread,
        ),
    )
    return messages.StartTransactionConf(
        transaction_id=int(begun.wire_transaction_id), id_tag_info=_id_tag_info(begun.verdict)
    )


async def meter_values(station: ConnectedStation, request: messages.MeterValues, payload: bytes) -> Confirmation:
    """Zero and -1 are how stations say "no transaction" here (duty 30)."""
    transaction_id = request.transaction_id
    known = transaction_id is not None and transaction_id > 0
    values = request.meter_value or ()
    await station.reports.record_meter_values(
        station.station_id,
        MeterReport(
            connector_id=_connector(station, request.connector_id),
            wire_transaction_id=WireTransactionId(str(transaction_id)) if known else None,
            samples=_samples(station, values),
            raw=raw_readings(payload),
            reported_as="MeterValues",
            signed=any(each.format == "SignedData" for value in values for each in value.sampled_value),
        ),
    )
    return messages.Done()


async def stop_transaction(
    station: ConnectedStation, request: messages.StopTransaction, payload: bytes
) -> Confirmation:
    log.info(
        "StopTransaction: station=%s, transaction_id=%s, meter=%sWh",
        station.station_id,
        request.transaction_id,
        request.meter_stop,
    )
    meter_stop_wh = _believable_register(request.meter_stop)
    unread = _unread(transactionId=request.transaction_id, meterStop=meter_stop_wh, timestamp=request.timestamp)
    await _warn(station, "StopTransaction", unread, payload)
    verdict = await station.reports.end_transaction(
        station.station_id,
        TransactionStop(
            wire_transaction_id=WireTransactionId(
                "" if request.transaction_id is None else str(request.transaction_id)
            ),
            meter_stop_wh=meter_stop_wh,
            stopped_at=station.reported_at(request.timestamp),
            reason=request.reason or "Local",
            id_tag=IdTag(request.id_tag) if request.id_tag else None,
            samples=_samples(station, request.transaction_data or ()),
            payload=payload,
            reported_as="StopTransaction",
            unread=unread,
        ),
    )
    return messages.StopTransactionConf(id_tag_info=None if verdict is None else _id_tag_info(verdict))


async def data_transfer(station: ConnectedStation, request: messages.DataTransfer, _: bytes) -> Confirmation:
    """No vendor is registered with us (duty 38)."""
    log.info("DataTransfer: station=%s, vendor=%s", station.station_id, request.vendor_id)
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
    samples = samples_of(station, [(value.timestamp, value.sampled_value) for value in meter_values])
    if samples:
        station.stamped(samples[-1].measured_at)
    return samples


def _believable_register(register_wh: int | None) -> int | None:
    """The register, when it can be one."""
    return register_wh if register_wh is not None and 0 <= register_wh <= MAX_ENERGY_WH else None


def _unread(**fields: object) -> tuple[str, ...]:
    """The names of the fields that are missing, or cannot be read or be true."""
    return tuple(name for name, value in fields.items() if value is None)


async def _warn(station: ConnectedStation, action: str, unread: Collection[str], payload: bytes) -> None:
    """Such a report is taken all the same (duties 20, 25). Beyond a missing time it is kept for a person too."""
    if not unread:
        return
    names = ", ".join(unread)
    log.warning("station=%s: %s is taken without %s", station.station_id, action, names)
    station.connection.oddities.note(Kind.TAKEN_WITHOUT, f"{action} without {names}")
    # What names no transaction is parked by the service that looks for it in vain.
    if "transactionId" not in unread and tuple(unread) != ("timestamp",):
        await station.reports.park(station.station_id, action, f"without {names}", payload)


def _connector(station: ConnectedStation, number: int | None) -> ConnectorId:
    """A station's only connector need not be named."""
    if number is None:
        return next(iter(station.connector_ids)) if len(station.connector_ids) == 1 else WHOLE_STATION
    return ConnectorId(number)


def _id_tag_info(verdict: IdTagVerdict) -> messages.IdTagInfo:
    return messages.IdTagInfo(
        status=verdict.status,
        expiry_date=None if verdict.expiry_date is None else wire_time(verdict.expiry_date),
        parent_id_tag=verdict.parent_id_tag,
    )
