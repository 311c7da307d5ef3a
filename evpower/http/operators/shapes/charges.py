"""Charges and figures as the owner's app reads them (contract/rest-api §7.7); null is a value that is not known."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NotRequired, TypedDict

from evpower.administration.charge_views import NetworkFigures
from evpower.administration.records import ChargeRecord
from evpower.charging.session import PublicSessionStatus
from evpower.money import som_number


class ChargeBody(TypedDict):
    """One charge."""

    id: str
    station_id: str
    client_id: str
    status: PublicSessionStatus
    energy_kwh: Decimal
    amount_som: float
    station_name: str | None
    location_name: str | None
    location_address: str | None
    client_email: str | None
    client_phone: str | None
    duration_minutes: int | None
    limit_type: str | None
    limit_value: Decimal | None
    start_time: datetime | None
    stop_time: datetime | None
    created_at: datetime | None
    connector_id: int
    phase: str
    estimated: bool


class ChargePageBody(TypedDict):
    """A page of charges, and how many match in all; with `next_cursor` there may be more."""

    sessions: list[ChargeBody]
    total: int
    limit: int
    offset: int
    next_cursor: NotRequired[str]


class StationFiguresBody(TypedDict):
    """Stations by how they are."""

    total: int
    online: int
    offline: int
    error: int


class SessionFiguresBody(TypedDict):
    """Charges that run, and that began in the period."""

    active: int
    today: int


class SoldBody(TypedDict):
    """What was sold in the period."""

    energy_kwh: Decimal
    revenue_som: Decimal


#: The period; `from` is no name for a class's attribute.
PeriodBody = TypedDict("PeriodBody", {"from": datetime, "to": datetime})


class FiguresBody(TypedDict):
    """The network at a glance."""

    stations: StationFiguresBody
    sessions: SessionFiguresBody
    today: SoldBody
    period: PeriodBody


def charge_body(charge: ChargeRecord, *, with_contacts: bool) -> ChargeBody:
    """One charge. A client's phone and e-mail are for who may see clients."""
    return {
        "id": charge.id,
        "station_id": charge.station_id,
        "client_id": charge.client_id,
        "status": charge.status,
        "energy_kwh": charge.energy_kwh,
        "amount_som": som_number(charge.cost_tyiyn),
        "station_name": charge.station_name,
        "location_name": charge.location_name,
        "location_address": charge.location_address,
        "client_email": charge.client_email if with_contacts else None,
        "client_phone": charge.client_phone if with_contacts else None,
        "duration_minutes": charge.duration_minutes,
        "limit_type": charge.limit_type,
        "limit_value": charge.limit_value,
        "start_time": charge.start_time,
        "stop_time": charge.stop_time,
        "created_at": charge.created_at,
        "connector_id": charge.connector_id,
        "phase": charge.phase,
        "estimated": charge.estimated,
    }


def figures_body(figures: NetworkFigures) -> FiguresBody:
    """The network at a glance; what is called `today` is the whole period, which is today unless more is asked for."""
    return {
        "stations": {
            "total": figures.stations,
            "online": figures.online,
            "offline": figures.stations - figures.online,
            "error": figures.error,
        },
        "sessions": {"active": figures.active_sessions, "today": figures.sessions},
        "today": {"energy_kwh": figures.energy_kwh, "revenue_som": figures.revenue_som},
        "period": {"from": figures.since, "to": figures.until},
    }
