"""Charges and figures as the owner's app reads them (contract/rest-api §7.7); null is a value that is not known."""

from __future__ import annotations

from evpower.administration.charge_views import NetworkFigures
from evpower.administration.records import ChargeRecord
from evpower.http.wire.values import Body
from evpower.money import som_number


def charge_body(charge: ChargeRecord, *, with_contacts: bool) -> Body:
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


def figures_body(figures: NetworkFigures) -> Body:
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
