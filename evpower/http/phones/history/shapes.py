"""The past as a phone reads it (contract/rest-api §7.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal

from evpower.history.bill_evidence import BillEvidence
from evpower.history.documents import WholeCharge
from evpower.history.evidence import ChargePosting
from evpower.history.receipt import ChargeReceipt, EnergyAt, ReceiptBoundary, boundaries_of_bill
from evpower.history.records import HistoryPage, Movement, PageWish, PastCharge, PastSums
from evpower.http.wire.values import Body, instant, known, kwh, number
from evpower.identifiers import ClientId
from evpower.money import CURRENCY, round_half_up, som_number


def charge_body(charge: PastCharge, now: datetime) -> Body:
    """One charge; sums that a final one has are left out of one that goes on."""
    final = charge.amount_tyiyn is not None
    return known(
        {
            "id": charge.session_id,
            "station_id": charge.station_id,
            "connector_id": charge.connector_id,
            "status": charge.status,
            "energy_kwh": kwh(charge.energy_wh),
            "amount": _som(charge.amount_tyiyn),
            "started_at": instant(charge.started_at),
            "ended_at": _instant(charge.ended_at),
            "duration_minutes": charge.duration_minutes(now),
            "limit_type": charge.limit_type,
            "limit_value": _number(charge.limit_value),
            "station": {
                "model": charge.station_model,
                "location": {"name": charge.location_name, "address": charge.location_address},
            },
            "reserved_amount": som_number(charge.reserved_tyiyn),
            "refunded_amount": som_number(charge.refunded_tyiyn) if final else None,
            "additional_charge": som_number(charge.additional_tyiyn) if final else None,
            "debt_amount": som_number(charge.debt_tyiyn) if final else None,
            "rate_per_kwh": number(charge.rate_per_kwh),
            "session_fee": number(charge.session_fee),
            "average_power_kw": _kw(charge.average_power_w),
            "max_power_kw": _kw(charge.max_power_w),
            "soc_start": charge.soc_start,
            "soc_end": charge.soc_end,
            "stop_reason": charge.end_cause,
            "estimated": charge.estimated if final else None,
            "corrected_at": _instant(charge.corrected_at),
        }
    )


def movement_body(movement: Movement) -> Body:
    """A line of the statement, or an unpaid top-up."""
    return known(
        {
            "id": movement.row_id,
            "transaction_type": movement.type,
            "amount": number(movement.amount),
            "requested_amount": _number(movement.requested_amount),
            "balance_before": _number(movement.balance_before),
            "balance_after": _number(movement.balance_after),
            "description": movement.description,
            "session_id": movement.session_id,
            "created_at": instant(movement.created_at),
            "completed_at": _instant(movement.completed_at),
            "status": movement.status,
            "payment_method": movement.payment_method,
            "invoice_id": movement.invoice_id,
        }
    )


def page_body(
    found: HistoryPage[PastCharge] | HistoryPage[Movement], page: PageWish, cursor: str | None, data: list[Body]
) -> Body:
    """The envelope of a page (§7.3)."""
    body = {"success": True, "data": data, "total": found.total, "limit": page.limit, "offset": page.offset}
    return known({**body, "next_cursor": cursor})


def sums_body(sums: PastSums) -> Body:
    """What the charges of a period come to, and each of its months."""
    sessions = sum(each.sessions for each in sums.months)
    minutes = sum((each.minutes for each in sums.months), Decimal(0))
    favorite = sums.favorite
    return known(
        {
            "success": True,
            "stats": {
                "total_sessions": sessions,
                "total_energy_kwh": number(sum((each.energy_kwh for each in sums.months), Decimal(0))),
                "total_amount": number(sum((each.amount for each in sums.months), Decimal(0))),
                "average_session_minutes": number(round_half_up(minutes / sessions, 1)) if sessions else 0,
            },
            "monthly": [
                {
                    "month": each.month,
                    "sessions": each.sessions,
                    "energy_kwh": number(each.energy_kwh),
                    "amount": number(each.amount),
                }
                for each in sums.months
            ],
            "favorite_station": None if favorite is None else dict(vars(favorite)),
        }
    )


def _som(amount_tyiyn: int | None) -> int | float | None:
    return None if amount_tyiyn is None else som_number(amount_tyiyn)


def _number(value: Decimal | None) -> int | float | None:
    return None if value is None else number(value)


def _kw(power_w: int | None) -> int | float | None:
    return None if power_w is None else number(round_half_up(Decimal(power_w) / 1000, 2))


def _instant(at: datetime | None) -> str | None:
    return None if at is None else instant(at)


def whole_body(found: WholeCharge, client_id: ClientId, now: datetime) -> Body:
    """A charge with everything that is kept of it."""
    charge, points = found.charge, () if found.curve is None else found.curve.points
    return {
        **charge_body(charge, now),
        "curve": [
            known({"t_s": each.t_s, "kw": _kw(each.power_w), "kwh": kwh(each.energy_wh), "soc": each.soc_percent})
            for each in points
        ],
        "pricing": _rates_body(charge),
        "postings": [posting_body(each) for each in found.postings],
        "payers": [known({"client_id": client_id, "amount": _som(charge.amount_tyiyn)})],
    }


def posting_body(posting: ChargePosting) -> Body:
    """One side of an entry."""
    return {
        "entry": posting.kind,
        "key": posting.key,
        "account": posting.account,
        "amount": som_number(posting.amount_tyiyn),
        "created_at": instant(posting.created_at),
    }


def receipts_body(documents: Sequence[ChargeReceipt]) -> Body:
    """The receipt, and what corrected it."""
    first, *corrections = [_receipt_body(each) for each in documents]
    return {"success": True, "receipt": first, "corrections": corrections}


def _receipt_body(document: ChargeReceipt) -> Body:
    content: Body = dict(document.content)
    for name in ("started_at", "ended_at"):
        if name in content:
            content[name] = instant(datetime.fromisoformat(content[name]))
    if "rate_boundaries" in document.content:
        content["rate_boundaries"] = boundaries_body(document.content["rate_boundaries"])
    kind = "receipt" if document.corrects is None else "correction"
    facts = {"number": document.number, "kind": kind, "corrects": document.corrects}
    return known({**facts, "issued_at": instant(document.issued_at), **content})


def evidence_body(found: BillEvidence) -> Body:
    """What a bill can be checked by; where its price moved, by which rates and readings."""
    charge = found.charge
    moved = {
        "parts": [{"energy_kwh": kwh(each.energy_wh), "rate_per_kwh": number(each.per_kwh)} for each in found.parts],
        "rate_boundaries": boundaries_body(boundaries_of_bill(found.boundaries)),
    }
    return {
        "success": True,
        **(moved if found.boundaries else {}),
        "readings": [
            known({"context": each.context, "register_wh": each.register_wh, "measured_at": _instant(each.measured_at)})
            for each in found.registers
        ],
        "energy_kwh": kwh(charge.energy_wh),
        "duration_minutes": found.minutes,
        "tariff": _rates_body(charge),
        "postings": [posting_body(each) for each in found.postings],
        "amount": som_number(charge.amount_tyiyn or 0),
        "recomputed_amount": som_number(found.recomputed_tyiyn),
        "equal": found.equal,
        "signed": [
            known({**vars(each), "verified": verified})
            for each, verified in zip(found.signed, found.verified, strict=True)
        ],
    }


def boundaries_body(boundaries: Sequence[ReceiptBoundary]) -> list[Body]:
    """The moments at which a rate began, and the readings around each."""
    return [
        {
            **_energy_at(each),
            "before": _energy_at(each["before"]),
            "after": _energy_at(each["after"]),
            "estimated": each["estimated"],
        }
        for each in boundaries
    ]


def _energy_at(of: EnergyAt) -> Body:
    return {"at": instant(datetime.fromisoformat(of["at"])), "energy_kwh": of["energy_kwh"]}


def _rates_body(charge: PastCharge) -> Body:
    return {
        "rate_per_kwh": number(charge.rate_per_kwh),
        "rate_per_minute": number(charge.rate_per_minute),
        "session_fee": number(charge.session_fee),
        "currency": CURRENCY,
    }
