"""Cards, reports that matched nothing, and what a station gave away, as operators read them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Literal, TypedDict

from evpower.charging.review.doubts import DoubtRecord
from evpower.charging.review.free_vend import FreeCharge, StationGifts
from evpower.charging.review.parked import ChargeWithoutSession, MissingEnergy, ParkedReport, UnbilledEnergy
from evpower.metering.registers import DoubtKind
from evpower.money import som, som_number
from evpower.tags.cards import CardRecord, CardStatus

#: Of the other kinds the figures are Wh.
DOUBT_UNITS = {"power": "W", "clock": "min", "no_register": "s", "boundary": "s"}


class CardBody(TypedDict):
    """One card."""

    id_tag: str
    status: CardStatus
    expiry_date: datetime | None
    parent_id_tag: str | None
    client_id: str | None
    created_at: datetime


def card_body(card: CardRecord) -> CardBody:
    """One card."""
    return {
        "id_tag": card.id_tag,
        "status": card.status,
        "expiry_date": card.expiry_date,
        "parent_id_tag": card.parent_id_tag,
        "client_id": card.client_id,
        "created_at": card.created_at,
    }


class DoubtBody(TypedDict):
    """A figure that was not believed; figures and bound in `unit`, energy in Wh, money in som."""

    id: int
    kind: DoubtKind
    question: str | None
    station_id: str
    connector_id: int
    transaction_id: str | None
    session_id: str | None
    client_id: str | None
    message: str
    unit: str
    figures: int
    first_figure: int
    latest_figure: int
    bound: int
    first_at: datetime
    latest_at: datetime
    billed_wh: int | None
    billed_som: Decimal | None
    station_wh: int | None
    detail: str | None
    settled: Literal["billed", "dismissed"] | None
    settled_at: datetime | None
    settled_by: str | None
    settled_reason: str | None


def doubt_body(doubt: DoubtRecord) -> DoubtBody:
    """A figure that was not believed; figures and bound in `unit`, energy in Wh, money in som."""
    return {
        "id": doubt.id,
        "kind": doubt.kind,
        "question": question(doubt),
        "station_id": doubt.station_id,
        "connector_id": doubt.connector_id,
        "transaction_id": doubt.transaction_id,
        "session_id": doubt.session_id,
        "client_id": doubt.client_id,
        "message": doubt.message,
        "unit": DOUBT_UNITS.get(doubt.kind, "Wh"),
        "figures": doubt.figures,
        "first_figure": doubt.first_figure,
        "latest_figure": doubt.latest_figure,
        "bound": doubt.bound,
        "first_at": doubt.first_at,
        "latest_at": doubt.latest_at,
        "billed_wh": doubt.billed_wh,
        "billed_som": None if doubt.billed_tyiyn is None else som(doubt.billed_tyiyn),
        "station_wh": doubt.station_wh,
        "detail": doubt.detail,
        "settled": doubt.settled,
        "settled_at": doubt.settled_at,
        "settled_by": doubt.settled_by,
        "settled_reason": doubt.settled_reason,
    }


def question(doubt: DoubtRecord) -> str | None:
    """What a person has to decide about money; None when nothing is to be billed."""
    if doubt.settled is not None:
        return None
    if doubt.kind == "settlement":
        return "the bill cannot be written: --bill tries again, --dismiss gives the whole hold back"
    if doubt.kind != "stop" or doubt.billed_wh is None or doubt.billed_tyiyn is None:
        return None
    said = "nothing that could be billed" if doubt.station_wh is None else f"{doubt.station_wh} Wh"
    billed = f"billed {doubt.billed_wh} Wh ({som(doubt.billed_tyiyn)} som) by the last believed reading"
    return f"{billed}, charger says {said}"


class ParkedReportBody(TypedDict):
    """A report that matched nothing, as it came, and what was decided of it."""

    id: int
    station_id: str
    action: str
    reason: str
    payload: object
    received_at: datetime
    resolution: str | None
    resolved_at: datetime | None
    resolved_by: str | None
    resolution_reason: str | None
    session_id: str | None


def parked_body(report: ParkedReport) -> ParkedReportBody:
    """A report that matched nothing, as it came, and what was decided of it."""
    return {
        "id": report.id,
        "station_id": report.station_id,
        "action": report.action,
        "reason": report.reason,
        "payload": report.payload,
        "received_at": report.received_at,
        "resolution": report.resolution,
        "resolved_at": report.resolved_at,
        "resolved_by": report.resolved_by,
        "resolution_reason": report.resolution_reason,
        "session_id": report.session_id,
    }


class MissingEnergyBody(TypedDict):
    """Energy between two charges that was not billed, in Wh."""

    station_id: str
    connector_id: int
    previous_transaction_id: str
    previous_stop_wh: int
    transaction_id: str
    meter_start_wh: int
    missing_wh: int
    previous_stopped_at: datetime | None
    started_at: datetime


def missing_energy_body(missing: MissingEnergy) -> MissingEnergyBody:
    """Energy between two charges that was not billed, in Wh."""
    return {
        "station_id": missing.station_id,
        "connector_id": missing.connector_id,
        "previous_transaction_id": missing.previous_transaction_id,
        "previous_stop_wh": missing.previous_stop_wh,
        "transaction_id": missing.transaction_id,
        "meter_start_wh": missing.meter_start_wh,
        "missing_wh": missing.missing_wh,
        "previous_stopped_at": missing.previous_stopped_at,
        "started_at": missing.started_at,
    }


class UnbilledEnergyBody(TypedDict):
    """Energy that nobody pays for, in Wh; its sum in som where a session has a tariff."""

    station_id: str
    connector_id: int
    transaction_id: str | None
    session_id: str | None
    client_id: str | None
    id_tag: str | None
    verdict: str | None
    unbilled_wh: int
    unbilled_som: float | None
    started_at: datetime


def unbilled_energy_body(unbilled: UnbilledEnergy) -> UnbilledEnergyBody:
    """Energy that nobody pays for, in Wh; its sum in som where a session has a tariff."""
    tyiyn = unbilled.unbilled_tyiyn
    return {
        "station_id": unbilled.station_id,
        "connector_id": unbilled.connector_id,
        "transaction_id": unbilled.transaction_id,
        "session_id": unbilled.session_id,
        "client_id": unbilled.client_id,
        "id_tag": unbilled.id_tag,
        "verdict": unbilled.verdict,
        "unbilled_wh": unbilled.unbilled_wh,
        "unbilled_som": None if tyiyn is None else som_number(tyiyn),
        "started_at": unbilled.started_at,
    }


class WithoutSessionBody(TypedDict):
    """A charge that goes on although no session pays for it, energy in Wh."""

    station_id: str
    connector_id: int
    transaction_id: str
    session_id: str | None
    id_tag: str
    verdict: str
    unpaid_since: datetime
    meter_start_wh: int
    meter_last_wh: int
    energy_wh: int
    ocpp_status: str | None
    last_sample_at: datetime | None
    stop_asked_at: datetime | None
    stops_asked: int


def without_session_body(charge: ChargeWithoutSession) -> WithoutSessionBody:
    """A charge that goes on although no session pays for it, energy in Wh."""
    return {
        "station_id": charge.station_id,
        "connector_id": charge.connector_id,
        "transaction_id": charge.transaction_id,
        "session_id": charge.session_id,
        "id_tag": charge.id_tag,
        "verdict": charge.verdict,
        "unpaid_since": charge.unpaid_since,
        "meter_start_wh": charge.meter_start_wh,
        "meter_last_wh": charge.meter_last_wh,
        "energy_wh": charge.energy_wh,
        "ocpp_status": charge.ocpp_status,
        "last_sample_at": charge.last_sample_at,
        "stop_asked_at": charge.stop_asked_at,
        "stops_asked": charge.stops_asked,
    }


class GiftsBody(TypedDict):
    """What one station gave away, energy in Wh."""

    station_id: str
    free_vend: bool
    charges: int
    energy_wh: int
    newest: list[FreeChargeBody]


def gifts_body(gifts: StationGifts) -> GiftsBody:
    """What one station gave away, energy in Wh."""
    return {
        "station_id": gifts.station_id,
        "free_vend": gifts.total.enabled,
        "charges": gifts.total.charges,
        "energy_wh": gifts.total.energy_wh,
        "newest": [_charge(each) for each in gifts.newest],
    }


class FreeChargeBody(TypedDict):
    """A charge given away."""

    transaction_id: str
    connector_id: int
    id_tag: str
    status: str
    started_at: datetime
    stopped_at: datetime | None
    stop_reason: str | None
    energy_wh: int


def _charge(charge: FreeCharge) -> FreeChargeBody:
    return {
        "transaction_id": charge.transaction_id,
        "connector_id": charge.connector_id,
        "id_tag": charge.id_tag,
        "status": charge.status,
        "started_at": charge.started_at,
        "stopped_at": charge.stopped_at,
        "stop_reason": charge.stop_reason,
        "energy_wh": charge.energy_wh,
    }
