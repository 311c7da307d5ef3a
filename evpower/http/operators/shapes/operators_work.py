"""Cards, reports that matched nothing, and what a station gave away, as operators read them."""

from __future__ import annotations

from evpower.charging.review.doubts import DoubtRecord
from evpower.charging.review.free_vend import FreeCharge, StationGifts
from evpower.charging.review.parked import ChargeWithoutSession, MissingEnergy, ParkedReport, UnbilledEnergy
from evpower.http.wire.values import Body
from evpower.money import som, som_number
from evpower.tags.cards import CardRecord

#: Of the other kinds the figures are Wh.
DOUBT_UNITS = {"power": "W", "clock": "min", "no_register": "s"}


def card_body(card: CardRecord) -> Body:
    """One card."""
    return {
        "id_tag": card.id_tag,
        "status": card.status,
        "expiry_date": card.expiry_date,
        "parent_id_tag": card.parent_id_tag,
        "client_id": card.client_id,
        "created_at": card.created_at,
    }


def doubt_body(doubt: DoubtRecord) -> Body:
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


def parked_body(report: ParkedReport) -> Body:
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


def missing_energy_body(missing: MissingEnergy) -> Body:
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


def unbilled_energy_body(unbilled: UnbilledEnergy) -> Body:
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


def without_session_body(charge: ChargeWithoutSession) -> Body:
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


def gifts_body(gifts: StationGifts) -> Body:
    """What one station gave away, energy in Wh."""
    return {
        "station_id": gifts.station_id,
        "free_vend": gifts.total.enabled,
        "charges": gifts.total.charges,
        "energy_wh": gifts.total.energy_wh,
        "newest": [_charge(each) for each in gifts.newest],
    }


def _charge(charge: FreeCharge) -> Body:
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
